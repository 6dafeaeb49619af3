import { DbError } from '../errors/db-error.ts';
import { MAX_COLLECTIONS } from '../limits.ts';
import { isPlainObject, tagOf } from '../value/describe.ts';
import { checkCollection, invalidSchema, onlyKnown } from './check-definition.ts';
import type { SchemaDefinition } from './definition.ts';
import type { FieldDraft } from './fields.ts';
import { isReservedCollection } from './names.ts';
import type { CheckSchema, DynamicShape, Schema, Shapes } from './types.ts';

/** Version of the canonical form. */
const FORMAT = 1;

interface SchemaOptions<N extends string = string> {
  /** An integer from 1, the default; it rises with every change. */
  version?: number;
  /** By collection: entities are expired so many seconds after they were put, and go. A server's value counts where it has one. */
  ttlSeconds?: { readonly [P in N]?: number };
}

/**
 * Adding collections, nullable fields and fields with a default is compatible, and another time to live or index of scalars; anything else is a new
 * collection.
 * Throws SCHEMA_INVALID.
 */
export function defineSchema<const C extends Shapes>(
  collections: C & CheckSchema<C>,
  { version = 1, ttlSeconds = {} }: SchemaOptions<keyof C & string> = {},
): Schema<C> {
  if (!isPlainObject(collections)) return invalidSchema('', 'object of collections', collections);
  if (!isPlainObject(ttlSeconds)) return invalidSchema('', 'object of ttlSeconds', ttlSeconds);
  onlyKnown(ttlSeconds, Object.keys(collections), 'ttlSeconds');
  const drafts = Object.entries(collections as Record<string, unknown>).map(([name, shape]) => {
    if (!isPlainObject(shape)) return invalidSchema(name, 'object of fields', shape);
    const fields = Object.entries(shape).map(([field, draft]) => ({ ...fromDraft(draft, `${name}.${field}`), name: field }));
    return [name, { fields, ttlSeconds: ttlSeconds[name] }];
  });
  return schemaOf({ format: FORMAT, version, collections: Object.fromEntries(drafts) }) as unknown as Schema<C>;
}

/** The way back: a schema that came from a file or a server. Throws SCHEMA_INVALID, FORMAT_VERSION_UNSUPPORTED. */
export function schemaFromDefinition(definition: SchemaDefinition): Schema<Record<string, DynamicShape>> {
  const { format } = isPlainObject(definition) ? definition : invalidSchema('', 'schema definition', definition);
  if (Number.isInteger(format) && format > FORMAT) {
    throw new DbError('FORMAT_VERSION_UNSUPPORTED', `schema: format ${FORMAT} expected, got ${format}`, {
      details: { expected: FORMAT, got: format },
    });
  }
  if (format !== FORMAT) invalidSchema('', `format ${FORMAT}`, format);
  return schemaOf(definition);
}

function schemaOf(raw: Readonly<Record<keyof SchemaDefinition, unknown>>): Schema<Record<string, DynamicShape>> {
  onlyKnown(raw, ['format', 'version', 'collections'], '');
  const { version, collections } = raw;
  if (!Number.isSafeInteger(version) || (version as number) < 1) invalidSchema('', 'version that is an integer from 1', version);
  if (!isPlainObject(collections)) return invalidSchema('', 'object of collections', collections);
  const names = Object.keys(collections).sort();
  if (names.length > MAX_COLLECTIONS) invalidSchema('', `at most ${MAX_COLLECTIONS} collections`, collections, `${names.length}`);
  for (const name of names) if (isReservedCollection(name)) invalidSchema(name, 'collection name that is not reserved', name, `'${name}'`);
  const definition: SchemaDefinition = {
    format: FORMAT,
    version: version as number,
    collections: Object.fromEntries(names.map((name) => [name, checkCollection(name, collections[name])])),
  };
  return { version: definition.version, definition, toJSON: () => definition };
}

/** A builder's draft as the raw form of a field definition. */
function fromDraft(draft: unknown, where: string): Record<string, unknown> {
  const { kind, x } = (draft ?? {}) as { kind?: unknown; x?: FieldDraft };
  if (typeof kind !== 'string' || !isPlainObject(x)) return invalidSchema(where, 'field (f.text(), f.number() …)', draft);
  const { nullable, default: otherwise, ...given } = x;
  const params: Record<string, unknown> = given;
  if (kind === 'array') params['of'] = fromDraft(params['of'], `${where}: of`);
  return { type: kind, nullable, default: kind === 'json' ? otherwise : toJson(otherwise), params };
}

/** A default as the definition writes it: an int64 beyond 2^53 as decimal text, a date as ISO 8601. What does not fit is left for the check. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (tagOf(value) !== 'Date') return value;
  const ms = Number(value);
  return Number.isNaN(ms) || Math.abs(ms) > 8.64e15 ? 'Invalid Date' : new Date(ms).toISOString();
}
