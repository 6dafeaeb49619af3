import type { ErrorCode } from '../errors/codes.ts';
import { DbError } from '../errors/db-error.ts';
import { MAX_ENTITY_BYTES } from '../limits.ts';
import type { CollectionDefinition, FieldDefinition, FieldDefinitionOf } from '../schema/definition.ts';
import { defaultValueOf, fieldOf, keyFieldOf, valueFieldsOf } from '../schema/lookup.ts';
import { toScalar, toStored, WrongDim } from './convert.ts';
import { describe } from './describe.ts';
import { entityBytes } from './entity-bytes.ts';
import { Misfit } from './misfit.ts';
import type { PrimaryKey, StoredFields, StoredValue, StoredVector } from './value.ts';

/**
 * From what a caller hands in to what is stored, or a typed error. Results share nothing with the input; every property is read once, own
 * properties only, so getters and prototypes can do no harm. A property that is undefined counts as left out.
 */
export interface NormalizePutOptions {
  /** Makes the key where `autoId` allows leaving it out. */
  readonly newKey: () => PrimaryKey;
  /** Place in a batch, for the error. */
  readonly index?: number | undefined;
  /** The dimension of a vector field whose `dim` is the model's, when it is known. */
  readonly dimOf?: ((field: FieldDefinitionOf<'vector'>) => number | undefined) | undefined;
}

export interface NormalizedPut {
  readonly pk: PrimaryKey;
  /** Every field but the key, null where it has no value. */
  readonly fields: StoredFields;
}

/**
 * An entity with its defaults filled in. An embedded vector may be absent (null); a null in a json field that is not nullable is JSON's null.
 * @throws FIELD_INVALID, FIELD_UNKNOWN, DIMENSION_MISMATCH, KEY_INVALID, ENTITY_TOO_LARGE, naming collection, field, expected and got.
 */
export function normalizePut(
  definition: CollectionDefinition,
  collection: string,
  entity: unknown,
  options: NormalizePutOptions,
): NormalizedPut {
  const where: Place = { collection, index: options.index };
  const given = checkRecord(definition, where, entity);
  const key = keyFieldOf(definition);
  const pk = given[key.name] === undefined ? automaticKey(key, where, options.newKey) : checkKey(key, where, given[key.name]);
  const fields: Record<string, StoredValue> = {};
  for (const field of valueFieldsOf(definition)) {
    const value = given[field.name];
    const stored = value === undefined ? whenLeftOut(field, where) : normalizeValue(field, where, value);
    if (field.type === 'vector' && stored !== null) checkModelDim(field, where, stored as StoredVector, options.dimOf);
    fields[field.name] = stored;
  }
  const bytes = entityBytes(pk, fields);
  if (bytes > MAX_ENTITY_BYTES) fail('ENTITY_TOO_LARGE', where, undefined, `at most ${MAX_ENTITY_BYTES} bytes`, `${bytes}`);
  return { pk, fields };
}

/** The named fields only. The key and collab fields cannot be patched. Errors as in `normalizePut`. */
export function normalizePatch(
  definition: CollectionDefinition,
  collection: string,
  patch: unknown,
  options: Pick<NormalizePutOptions, 'dimOf'> = {},
): StoredFields {
  const where: Place = { collection };
  const given = checkRecord(definition, where, patch);
  const fields: Record<string, StoredValue> = {};
  for (const field of definition.fields) {
    const value = given[field.name];
    if (value === undefined) continue;
    if (field.type === 'primaryKey') fail('FIELD_INVALID', where, field.name, 'fields other than the key', 'the key');
    if (field.type === 'collabText' || field.type === 'collab')
      fail('FIELD_INVALID', where, field.name, 'an edit through its Yjs type', 'a patch');
    const stored = normalizeValue(field, where, value);
    if (field.type === 'vector' && stored !== null) checkModelDim(field, where, stored as StoredVector, options.dimOf);
    fields[field.name] = stored;
  }
  const bytes = entityBytes('', fields);
  if (bytes > MAX_ENTITY_BYTES) fail('ENTITY_TOO_LARGE', where, undefined, `at most ${MAX_ENTITY_BYTES} bytes`, `${bytes}`);
  return fields;
}

/** @throws KEY_INVALID */
export function normalizeKey(definition: CollectionDefinition, collection: string, key: unknown): PrimaryKey {
  return checkKey(keyFieldOf(definition), { collection }, key);
}

/** Keys in their order: numbers and bigints by value, strings by code units. Both are keys of one collection. */
export function comparePrimaryKeys(a: PrimaryKey, b: PrimaryKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Place {
  readonly collection: string;
  readonly index?: number | undefined;
}

function fail(code: ErrorCode, { collection, index }: Place, field: string | undefined, expected: string, got: string): never {
  const path = `${collection}${index === undefined ? '' : `[${index}]`}${field === undefined ? '' : `.${field}`}`;
  const details = { collection, ...(index === undefined ? {} : { index }), ...(field === undefined ? {} : { field }), expected, got };
  throw new DbError(code, `${path}: ${expected} expected, got ${got}`, { details });
}

/** Own enumerable properties, each read once, on an object without a prototype. */
function checkRecord(definition: CollectionDefinition, where: Place, record: unknown): Readonly<Record<string, unknown>> {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    fail('FIELD_INVALID', where, undefined, 'object of fields', describe(record));
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(record)) {
    if (!fieldOf(definition, name))
      fail('FIELD_UNKNOWN', where, name, definition.fields.map((field) => field.name).join(', '), `'${name}'`);
    copy[name] = (record as Record<string, unknown>)[name];
  }
  return copy;
}

function checkKey(key: FieldDefinitionOf<'primaryKey'>, where: Place, value: unknown): PrimaryKey {
  const pk = toScalar(key, value);
  return pk instanceof Misfit ? fail('KEY_INVALID', where, key.name, pk.expected, pk.got) : (pk as PrimaryKey);
}

function automaticKey(key: FieldDefinitionOf<'primaryKey'>, where: Place, newKey: () => PrimaryKey): PrimaryKey {
  const { autoId, keyType } = key.params;
  if (!autoId) return fail('KEY_INVALID', where, key.name, keyType === 'varchar' ? 'string' : '64-bit integer', 'none');
  // Devices cannot agree on integers offline; a server leases them out.
  if (keyType === 'int64') return fail('KEY_INVALID', where, key.name, '64-bit integer (automatic ones are made by a server)', 'none');
  return newKey();
}

function whenLeftOut(field: FieldDefinition, where: Place): StoredValue {
  const isOptional = field.nullable || field.type === 'collab' || (field.type === 'vector' && field.params.embed !== null);
  return field.default === undefined && !isOptional ? fail('FIELD_INVALID', where, field.name, field.type, 'none') : defaultValueOf(field);
}

function normalizeValue(field: FieldDefinition, where: Place, value: unknown): StoredValue {
  if (value === null && field.nullable) return null;
  const stored = toStored(field, value);
  if (!(stored instanceof Misfit)) return stored;
  return fail(stored instanceof WrongDim ? 'DIMENSION_MISMATCH' : 'FIELD_INVALID', where, field.name, stored.expected, stored.got);
}

function checkModelDim(field: FieldDefinitionOf<'vector'>, where: Place, vector: StoredVector, dimOf: NormalizePutOptions['dimOf']): void {
  const dim = field.params.dim === null ? dimOf?.(field) : undefined;
  if (dim !== undefined && vector.length !== dim)
    fail('DIMENSION_MISMATCH', where, field.name, `dim ${dim} (the model's)`, `${vector.length}`);
}
