import { DbError } from '../errors/db-error.ts';
import { canonicalJson } from '../value/canonical-json.ts';
import type { CollectionDefinition, FieldDefinition, SchemaDefinition } from './definition.ts';
import { fieldOf, keyFieldOf } from './lookup.ts';

export interface FieldOfCollection {
  readonly collection: string;
  readonly field: FieldDefinition;
}

/**
 * How a wanted schema fits the stored one (design 4). Collections that are stored and not wanted never matter: their data stays where it is.
 * - `additive`: new collections, and new fields that old rows can do without (nullable, or with a default).
 * - `older`: the wanted schema lacks fields that are stored. Its puts would silently reset them, so it may not open.
 * - `conflict`: the first difference that no new version can make.
 */
export type SchemaDifference =
  | { readonly type: 'equal' }
  | { readonly type: 'additive'; readonly collections: readonly string[]; readonly fields: readonly FieldOfCollection[] }
  | { readonly type: 'older'; readonly missing: readonly FieldOfCollection[] }
  | { readonly type: 'conflict'; readonly collection: string; readonly field: string; readonly expected: string; readonly got: string };

export function compareDefinitions(stored: SchemaDefinition, wanted: SchemaDefinition): SchemaDifference {
  const collections: string[] = [];
  const fields: FieldOfCollection[] = [];
  const missing: FieldOfCollection[] = [];
  for (const [collection, definition] of Object.entries(wanted.collections)) {
    const before = Object.hasOwn(stored.collections, collection) ? stored.collections[collection] : undefined;
    if (before === undefined) {
      collections.push(collection);
      continue;
    }
    const conflict = findConflict(collection, before, definition);
    if (conflict) return conflict;
    for (const field of definition.fields) if (!fieldOf(before, field.name)) fields.push({ collection, field });
    for (const field of before.fields) if (!fieldOf(definition, field.name)) missing.push({ collection, field });
  }
  if (missing.length > 0 && fields.length > 0) return bothWays(missing[0]!, fields[0]!);
  if (missing.length > 0) return { type: 'older', missing };
  return collections.length + fields.length > 0 ? { type: 'additive', collections, fields } : { type: 'equal' };
}

const NEW_FIELD = 'a new field that is nullable or has a default';
type Conflict = Extract<SchemaDifference, { type: 'conflict' }>;

function findConflict(collection: string, stored: CollectionDefinition, wanted: CollectionDefinition): Conflict | undefined {
  for (const field of wanted.fields) {
    const before = fieldOf(stored, field.name);
    const expected = before ? fieldText(before) : field.type === 'primaryKey' ? `key ${keyFieldOf(stored).name}` : NEW_FIELD;
    const fits = before ? expected === fieldText(field) : isOptional(field);
    if (!fits) return { type: 'conflict', collection, field: field.name, expected, got: fieldText(field) };
  }
  return undefined;
}

/** Old rows read as its default, or null. A collab document starts empty; an embedded vector is computed when somebody gets to it. */
function isOptional(field: FieldDefinition): boolean {
  return (
    field.nullable || field.default !== undefined || field.type === 'collab' || (field.type === 'vector' && field.params.embed !== null)
  );
}

/** Whether two versions of a field are one, whatever index finds its values. */
export function isSameField(a: FieldDefinition, b: FieldDefinition): boolean {
  return fieldText(a) === fieldText(b);
}

/** `keyword {"values":["a"]}, nullable, default "a"`: all that two versions of a field must share. Which index finds scalars is each one's own affair. */
function fieldText(field: FieldDefinition): string {
  const { index, ...others } = field.params as { readonly index?: unknown };
  const params = canonicalJson(typeof index === 'string' ? others : field.params) as string;
  const otherwise = field.default === undefined ? '' : `, default ${canonicalJson(field.default) as string}`;
  return `${field.type}${params === '{}' ? '' : ` ${params}`}${field.nullable ? ', nullable' : ''}${otherwise}`;
}

function bothWays(missing: FieldOfCollection, added: FieldOfCollection): Conflict {
  const got = `no such field, and a new field ${added.collection}.${added.field.name}`;
  return { type: 'conflict', collection: missing.collection, field: missing.field.name, expected: fieldText(missing.field), got };
}

/** SCHEMA_CONFLICT for a difference that may not open: names collection, field, expected (what is stored) and got. */
export function schemaConflict(difference: Extract<SchemaDifference, { type: 'older' | 'conflict' }>): DbError<'SCHEMA_CONFLICT'> {
  if (difference.type === 'conflict') {
    const { collection, field, expected, got } = difference;
    const message = `${collection}.${field}: ${expected} expected, got ${got}; a change like this is a new collection`;
    return new DbError('SCHEMA_CONFLICT', message, { details: { collection, field, expected, got } });
  }
  const names = difference.missing.map(({ collection, field }) => `${collection}.${field.name}`);
  const details = {
    collection: difference.missing[0]!.collection,
    field: difference.missing[0]!.field.name,
    missing: names,
    expected: 'all stored fields',
    got: 'an older schema',
  };
  return new DbError('SCHEMA_CONFLICT', `the database has a newer schema: ${names.join(', ')} expected, got an older schema without`, {
    details,
  });
}

/** What is stored after an additive change: everything wanted, and the collections that only the store knows. The higher version. */
export function mergeDefinitions(stored: SchemaDefinition, wanted: SchemaDefinition): SchemaDefinition {
  const all = { ...stored.collections, ...wanted.collections };
  const collections = Object.fromEntries(
    Object.keys(all)
      .sort()
      .map((name) => [name, all[name]!]),
  );
  return { format: stored.format, version: Math.max(stored.version, wanted.version), collections };
}
