import { DbError } from '../errors/db-error.ts';
import {
  MAX_ARRAY_CAPACITY,
  MAX_BINARY_DIM,
  MAX_COLLECTION_DEFINITION_BYTES,
  MAX_DIM,
  MAX_EF_CONSTRUCTION,
  MAX_EMBED_SOURCES,
  MAX_FIELDS,
  MAX_HNSW_M,
  MAX_JSON_BYTES,
  MAX_KEY_BYTES,
  MAX_KEYWORD_BYTES,
  MAX_KEYWORD_VALUES,
  MAX_LISTS,
  MAX_NAME_LENGTH,
  MAX_TEXT_BYTES,
  MAX_TTL_SECONDS,
  MAX_VECTOR_FIELDS,
} from '../limits.ts';
import { canonicalCopy } from '../value/canonical-copy.ts';
import { describe, isPlainObject } from '../value/describe.ts';
import { normalizeInt64, utf8Length } from '../value/scalar.ts';
import type { CollectionDefinition, FieldDefinition, FieldDefinitionOf, Kind } from './definition.ts';
import { isIdentifier, isReservedField } from './names.ts';

/**
 * Checks one collection and brings it into its canonical form. The input is untrusted: a literal that the types did not see, a file, a server.
 * Params left out get their defaults, so that builders and definitions go through the same checks.
 */
type Raw = Readonly<Record<string, unknown>>;

/** Throws SCHEMA_INVALID; `where` is `collection`, `collection.field` or `collection.field: param`. */
export function invalidSchema(where: string, expected: string, value: unknown, got: string = describe(value)): never {
  const [path = '', param] = where.split(': ');
  const [collection = '', field] = path.split('.');
  const details = { collection, ...(field === undefined ? {} : { field }), ...(param === undefined ? {} : { param }), expected, got };
  throw new DbError('SCHEMA_INVALID', `${where ? `${where}: ` : ''}${expected} expected, got ${got}`, { details });
}

/** Gives the canonical value, or throws. `undefined` asks for the default. */
type Check = (value: unknown, where: string) => unknown;

const flag: Check = (value = false, where) => (typeof value === 'boolean' ? value : invalidSchema(where, 'boolean', value));

const integer =
  (min: number, max: number, otherwise?: number, step = 1): Check =>
  (value = otherwise, where) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max && (value as number) % step === 0
      ? value
      : invalidSchema(where, `integer from ${min} to ${max}${step > 1 ? `, a multiple of ${step}` : ''}`, value);

/** The first one is the default. */
const oneOf =
  (...values: readonly string[]): Check =>
  (value = values[0], where) =>
    values.includes(value as string) ? value : invalidSchema(where, quoted(values), value);

const orNull =
  (check: Check): Check =>
  (value = null, where) =>
    value === null ? null : check(value, where);

const shortText: Check = (value, where) =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && utf8Length(value) > 0
    ? value
    : invalidSchema(where, `string of 1 to ${MAX_NAME_LENGTH} characters`, value);

const distinctStrings =
  (maxItems: number, maxBytes: number): Check =>
  (value, where) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > maxItems)
      return invalidSchema(where, `array of 1 to ${maxItems} strings`, value);
    const strings = [...value] as unknown[];
    strings.forEach((item, i) => {
      if (typeof item !== 'string' || item === '' || !(utf8Length(item) >= 0 && utf8Length(item) <= maxBytes)) {
        invalidSchema(where, `string of 1 to ${maxBytes} UTF-8 bytes at ${i}`, item);
      }
      if (strings.indexOf(item) < i) invalidSchema(where, 'distinct strings', item, `${describe(item)} twice`);
    });
    return strings;
  };

const object =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value = {}, where) => {
    if (!isPlainObject(value)) return invalidSchema(where, 'object', value);
    onlyKnown(value, Object.keys(checks), where);
    const checked: Record<string, unknown> = {};
    for (const name in checks) {
      const item = checks[name]!(value[name], `${where}${where.includes(': ') ? '.' : ': '}${name}`);
      if (item !== undefined) checked[name] = item;
    }
    return checked;
  };

/** A param that came later: it is in the canonical form only where it says something new, so that the hashes of schemas stay. */
const later =
  (check: Check, otherwise?: unknown): Check =>
  (value = otherwise, where) =>
    value === otherwise ? undefined : check(value, where);

const index = (added: Readonly<Record<string, Check>>, ...quantizations: readonly string[]): Check =>
  object({
    type: oneOf('AUTOINDEX', 'FLAT', 'HNSW', 'IVF'),
    m: integer(2, MAX_HNSW_M, 16),
    efConstruction: integer(1, MAX_EF_CONSTRUCTION, 200),
    quantization: oneOf(...quantizations),
    ...added,
  });

const scalar = (...indexes: readonly string[]): Check => later(oneOf('auto', 'none', ...indexes), 'auto');
const indexed: Readonly<Record<string, Check>> = { index: scalar('sorted', 'inverted', 'bitmap') };

const ELEMENT_KINDS: readonly unknown[] = ['keyword', 'int64', 'number', 'boolean'];
const element: Check = (value, where) => {
  if (!isPlainObject(value) || !ELEMENT_KINDS.includes(value['type']))
    return invalidSchema(where, quoted(ELEMENT_KINDS), isPlainObject(value) ? value['type'] : value);
  const field = checkField({ ...value, name: 'element' }, where);
  const odd = field.nullable ? 'nullable' : 'default' in field ? 'a default' : 'index' in field.params && 'an index';
  if (odd) invalidSchema(where, 'elements without null, default and index', value, odd);
  return field;
};

/**
 * A name, or a definition in canonical order. What tokenizers and filters there are is known to `checkAnalyzer`, which a page does not load: the
 * engine asks it before it takes a schema.
 */
const analyzer: Check = (value, where) => {
  const copy = isPlainObject(value) ? canonicalCopy(value) : undefined;
  return copy ?? oneOf('standard', 'english', 'whitespace', 'icu')(value, where);
};

/** In the order of the canonical form. */
const PARAMS: { readonly [Kd in Kind]: Readonly<Record<string, Check>> } = {
  primaryKey: {
    keyType: oneOf('varchar', 'int64'),
    autoId: flag,
    maxLength: orNull(integer(1, MAX_KEY_BYTES)),
  },
  text: { search: flag, maxLength: integer(1, MAX_TEXT_BYTES, MAX_TEXT_BYTES), analyzer, index: scalar('sorted') },
  collabText: { search: flag, analyzer },
  collab: {},
  keyword: { values: orNull(distinctStrings(MAX_KEYWORD_VALUES, MAX_KEYWORD_BYTES)), ...indexed },
  int64: indexed,
  number: indexed,
  boolean: indexed,
  date: indexed,
  json: {},
  array: { of: element, maxCapacity: integer(1, MAX_ARRAY_CAPACITY, MAX_ARRAY_CAPACITY), index: scalar('inverted', 'bitmap') },
  vector: {
    dim: orNull(integer(1, MAX_DIM)),
    embed: orNull(distinctStrings(MAX_EMBED_SOURCES, MAX_NAME_LENGTH)),
    model: orNull(shortText),
    metric: oneOf('COSINE', 'IP', 'L2'),
    elements: later(oneOf('float32', 'float16', 'bfloat16', 'int8'), 'float32'),
    index: index({ nlist: later(integer(1, MAX_LISTS)), engine: later(oneOf('hnswlib')) }, 'none', 'sq8', 'binary'),
  },
  sparseVector: { metric: oneOf('IP') },
  binaryVector: { dim: integer(8, MAX_BINARY_DIM, undefined, 8), metric: oneOf('HAMMING', 'JACCARD'), index: index({}, 'none') },
};

/** Fits the field: the JSON form of a default is checked like a value of the field. False when not. */
function isDefault(field: FieldDefinition, value: unknown): boolean {
  const stringUpTo = (bytes: number): boolean => typeof value === 'string' && utf8Length(value) >= 0 && utf8Length(value) <= bytes;
  switch (field.type) {
    case 'text':
      return stringUpTo(field.params.maxLength);
    case 'keyword':
      return stringUpTo(MAX_KEYWORD_BYTES) && (field.params.values === null || field.params.values.includes(value as string));
    case 'int64':
      if (typeof value !== 'string') return typeof value === 'number' && Number.isSafeInteger(value);
      return /^-?[1-9]\d{15,18}$/.test(value) && typeof normalizeInt64(BigInt(value)) === 'bigint';
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value;
    case 'json': {
      const copy = canonicalCopy(value);
      return copy !== undefined && utf8Length(JSON.stringify(copy)) <= MAX_JSON_BYTES;
    }
    case 'array':
      return Array.isArray(value) && value.length <= field.params.maxCapacity && value.every((item) => isDefault(field.params.of, item));
    default:
      return false;
  }
}

const DEFAULT_FORM: Partial<Record<Kind, string>> = { date: 'date (ISO 8601, UTC)', int64: '64-bit integer' };

function checkField(raw: Raw, where: string): FieldDefinition {
  onlyKnown(raw, ['name', 'type', 'nullable', 'default', 'params'], where);
  const type = raw['type'] as Kind;
  if (typeof type !== 'string' || !Object.hasOwn(PARAMS, type))
    invalidSchema(where, `field type (${Object.keys(PARAMS).join(', ')})`, type);
  const nullable = flag(raw['nullable'], where) as boolean;
  if (nullable && (type === 'primaryKey' || type === 'collab' || type === 'collabText'))
    invalidSchema(where, `${type} that is never null`, nullable, 'nullable');
  const params = object(PARAMS[type])(raw['params'], where);
  const field = { name: raw['name'], type, nullable, params } as FieldDefinition;
  const otherwise = raw['default'];
  // A null default of a nullable field says what is so without it.
  if (otherwise === undefined || (otherwise === null && nullable)) return field;
  if (!isDefault(field, otherwise)) {
    const { values = null } = field.params as { values?: readonly string[] | null };
    invalidSchema(where, `default that fits (${values ? quoted(values) : (DEFAULT_FORM[type] ?? type)})`, otherwise);
  }
  // A copy with its keys in one order, and -0 as 0.
  return { name: field.name, type, nullable, default: canonicalCopy(otherwise), params } as FieldDefinition;
}

function checkKey({ params }: FieldDefinitionOf<'primaryKey'>, where: string): FieldDefinitionOf<'primaryKey'>['params'] {
  if (params.keyType === 'varchar') return { ...params, maxLength: params.maxLength ?? MAX_KEY_BYTES };
  if (params.maxLength !== null) invalidSchema(`${where}: maxLength`, 'none for an int64 key', params.maxLength);
  return params;
}

function checkVector({ params }: FieldDefinitionOf<'vector'>, where: string, fields: readonly FieldDefinition[]): void {
  if (params.dim === null && params.embed === null)
    invalidSchema(`${where}: dim`, `integer from 1 to ${MAX_DIM}, or embed`, null, 'neither');
  if (params.embed && params.elements) invalidSchema(`${where}: elements`, `'float32' with embed`, params.elements);
  for (const source of params.embed ?? []) {
    const found = fields.find((field) => field.name === source)?.type;
    if (found !== 'text' && found !== 'collabText')
      invalidSchema(`${where}: embed`, 'names of text fields', source, `'${source}' (${found ?? 'no such field'})`);
  }
}

const byName = (a: FieldDefinition, b: FieldDefinition): number => (a.name < b.name ? -1 : 1);

const timeToLive = later(integer(1, MAX_TTL_SECONDS));

/** The canonical form of a collection given as `{fields, ttlSeconds?}`. Throws SCHEMA_INVALID naming collection, field, expected and got. */
export function checkCollection(collection: string, raw: unknown): CollectionDefinition {
  if (!isIdentifier(collection)) invalidSchema('', `collection name [A-Za-z_][A-Za-z0-9_]* of at most ${MAX_NAME_LENGTH}`, collection);
  if (!isPlainObject(raw) || !Array.isArray(raw['fields'])) return invalidSchema(collection, 'object with fields', raw);
  onlyKnown(raw, ['fields', 'ttlSeconds'], collection);
  const ttlSeconds = timeToLive(raw['ttlSeconds'], `${collection}: ttlSeconds`) as number | undefined;
  const fields = (raw['fields'] as unknown[]).map((field) => {
    if (!isPlainObject(field)) return invalidSchema(collection, 'field', field);
    const { name } = field;
    if (!isIdentifier(name)) return invalidSchema(collection, `field name [A-Za-z_][A-Za-z0-9_]* of at most ${MAX_NAME_LENGTH}`, name);
    if (isReservedField(name)) invalidSchema(`${collection}.${name}`, 'field name that is not reserved', name, `'${name}'`);
    return checkField(field, `${collection}.${name}`);
  });
  const keys = fields.filter((field) => field.type === 'primaryKey');
  if (keys.length > 1) invalidSchema(collection, 'one primary key', keys, keys.map(({ name }) => name).join(' and '));
  const key =
    keys[0] ??
    (checkField({ name: 'id', type: 'primaryKey', params: { autoId: true } }, `${collection}.id`) as FieldDefinitionOf<'primaryKey'>);
  const others = fields.filter((field) => field !== key).sort(byName);
  const all: readonly FieldDefinition[] = [{ ...key, params: checkKey(key, `${collection}.${key.name}`) }, ...others];
  all.forEach((field, i) => {
    const where = `${collection}.${field.name}`;
    if (field.name === key.name && i > 0 && keys.length === 0)
      invalidSchema(where, 'key (f.primaryKey) under the name id', field, field.type);
    if (all.findIndex(({ name }) => name === field.name) < i) invalidSchema(where, 'distinct field names', field, `'${field.name}' twice`);
    if (field.type === 'vector') checkVector(field, where, all);
  });
  checkCounts(collection, all);
  return { fields: all, ...(ttlSeconds && { ttlSeconds }) };
}

function checkCounts(collection: string, fields: readonly FieldDefinition[]): void {
  const vectors = fields.filter((field) => field.type.endsWith('ector')).length;
  if (fields.length > MAX_FIELDS) invalidSchema(collection, `at most ${MAX_FIELDS} fields`, fields, `${fields.length}`);
  if (vectors > MAX_VECTOR_FIELDS) invalidSchema(collection, `at most ${MAX_VECTOR_FIELDS} vector fields`, fields, `${vectors}`);
  const bytes = utf8Length(JSON.stringify(fields));
  if (bytes > MAX_COLLECTION_DEFINITION_BYTES)
    invalidSchema(collection, `definition of at most ${MAX_COLLECTION_DEFINITION_BYTES} bytes`, fields, `${bytes}`);
}

/** Refuses what this version does not know: ignoring it would lose what the author meant. */
export function onlyKnown(raw: Raw, known: readonly string[], where: string): void {
  for (const name of Object.keys(raw)) {
    if (raw[name] !== undefined && !known.includes(name))
      invalidSchema(where, known.length > 0 ? `only ${known.join(', ')}` : 'no params', name, `'${name}'`);
  }
}

function quoted(values: readonly unknown[]): string {
  return values.map((value) => `'${String(value)}'`).join(' or ');
}
