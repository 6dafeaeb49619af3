import { DbError, type FieldDefinitionOf, keyFieldOf, type PrimaryKey, vectorFieldsOf } from '@terndb/core';
import type { Engine, EntityRecord } from '../../database/types.ts';
import { invalidOption, isRecord, mustGetField } from '../../read/request.ts';
import { readHnswlib } from './read-hnswlib.ts';

export interface HnswlibImport {
  readonly collection: string;
  readonly partition?: string | undefined;
  /** A saved index: `read-hnswlib.ts`. Borrowed until this returns. */
  readonly bytes: Uint8Array;
  /** Default: the only field of dense vectors. */
  readonly field?: string | undefined;
  /** What the caller knows of the file, which does not say its space: checked against the field's. */
  readonly metric?: unknown;
  /** As the caller expects it of the file. */
  readonly dim?: unknown;
  /** Labels to keys, as an array or a map. Left out: the labels themselves, in an Int64 key as numbers, in a VarChar key as decimal digits. */
  readonly keys?: readonly PrimaryKey[] | ReadonlyMap<number, PrimaryKey> | undefined;
}

/**
 * Reads a saved index of hnswlib into a collection: each row that is not marked as deleted becomes an entity of key and vector, which replaces one that
 * has this key. Its links are not taken over: a graph is built from the rows like any other. One write: all or nothing.
 * @throws FORMAT_INVALID, DIMENSION_MISMATCH, OPTION_INVALID, QUERY_INVALID, FIELD_UNKNOWN, COLLECTION_UNKNOWN, KEY_INVALID, and what `writeAll` throws
 * (FIELD_INVALID where the collection wants other fields too).
 */
export async function importHnswlib(engine: Engine, request: HnswlibImport): Promise<{ readonly entities: number }> {
  const { collection, partition, bytes, keys } = request;
  const definition = engine.definition(collection);
  if (!(bytes instanceof Uint8Array)) throw invalidOption(collection, 'bytes', 'a Uint8Array', bytes);
  const field = denseField(engine, request);
  const file = readHnswlib(bytes);
  const { dim = field.params.dim, metric = field.params.metric } = request;
  if (dim !== null && file.dim !== dim) {
    throw new DbError('DIMENSION_MISMATCH', `${collection}.${field.name}: importHnswlib: dim ${String(dim)} expected, got ${file.dim}`, {
      details: { collection, field: field.name, expected: Number(dim), got: file.dim },
    });
  }
  if (metric !== field.params.metric) throw invalidOption(collection, 'metric', `the field's ${field.params.metric}`, metric);
  const keyField = keyFieldOf(definition);
  const keyOf = keyReader(collection, keyField.params.keyType, keys);
  const entities: EntityRecord[] = [];
  for (const { label, vector } of file.rows()) entities.push({ [keyField.name]: keyOf(label), [field.name]: vector });
  if (entities.length > 0) await engine.writeAll([{ type: 'put', collection, partition, entities }]).durable;
  return { entities: entities.length };
}

function denseField(engine: Engine, { collection, field: name }: HnswlibImport): FieldDefinitionOf<'vector'> {
  const definition = engine.definition(collection);
  const dense = vectorFieldsOf(definition).filter((field) => field.type === 'vector');
  if (name === undefined && dense.length === 1) return dense[0]!;
  if (name === undefined)
    throw invalidOption(collection, 'field', `one of the fields of dense vectors ${dense.map((one) => one.name).join(', ')}`, name);
  const field = mustGetField(definition, collection, name, 'field');
  if (field.type !== 'vector') throw invalidOption(collection, `field ${name}`, 'a field of dense vectors', field.type);
  return field;
}

function keyReader(collection: string, keyType: 'varchar' | 'int64', keys: HnswlibImport['keys']): (label: bigint) => PrimaryKey {
  if (keys === undefined) return keyType === 'varchar' ? String : (label) => label;
  if (!Array.isArray(keys) && !(keys instanceof Map)) throw invalidOption(collection, 'keys', 'an array or a Map of keys by label', keys);
  const get = (label: number): unknown => (keys instanceof Map ? keys.get(label) : (keys as readonly PrimaryKey[])[label]);
  return (label) => {
    const key = get(Number(label));
    if (key === undefined || key === null || isRecord(key)) throw invalidOption(collection, 'keys', `a key for label ${label}`, key);
    return key as PrimaryKey;
  };
}
