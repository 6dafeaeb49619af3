import { DbError, describe, type FieldDefinition, keyFieldOf, MAX_JSON_DEPTH, utf8Length } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { DYNAMIC_FIELD } from './dynamic.ts';
import { CODES, MilvusError } from './errors.ts';
import { isDynamic, milvusTypeOf, shownFields } from './schema.ts';
import { vectorJson, vectorValue } from './vectors.ts';

type Row = Readonly<Record<string, unknown>>;

/** Rows are refused as a whole; code 1804. */
export function badRows(problem: string): MilvusError {
  return new MilvusError(CODES.badRows, `fail to deal the insert data, error: ${problem}`);
}

/** What the engine says about rows, as Milvus says it. */
export function asRowError(thrown: unknown): unknown {
  const ofRows = ['FIELD_INVALID', 'FIELD_UNKNOWN', 'DIMENSION_MISMATCH', 'KEY_INVALID', 'ENTITY_TOO_LARGE'];
  return thrown instanceof DbError && ofRows.includes(thrown.code) ? badRows(thrown.message) : thrown;
}

/** From rows as JSON to entities as the engine takes them. `isPartial`: fields that are absent stay. */
export function toEntities(
  info: CatalogCollectionInfo,
  rows: readonly unknown[],
  { isUpsert }: { readonly isUpsert: boolean },
): readonly Row[] {
  const fields = new Map(shownFields(info).map((field) => [field.name, field]));
  const key = keyFieldOf(info.definition);
  return rows.map((row, index) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw badRows(`row ${index}: an object expected, got ${describe(row)}`);
    const entity: Record<string, unknown> = {};
    const extra: [string, unknown][] = [];
    for (const [name, value] of Object.entries(row)) {
      const field = fields.get(name);
      if (field !== undefined) entity[name] = toValue(info, field, value);
      else if (value !== null) extra.push([name, value]);
    }
    if (!isUpsert && key.params.autoId && entity[key.name] !== undefined) {
      throw badRows(`row ${index}: no value for the auto id field ${key.name} expected`);
    }
    if (isDynamic(info))
      entity[DYNAMIC_FIELD] = Object.fromEntries(extra.map(([name, value]) => [checkedKey(name), plainJson(name, value)]));
    else if (extra.length > 0)
      throw badRows(`row ${index}: has pass more field without dynamic schema, please check it: ${extra[0]![0].slice(0, 80)}`);
    return entity;
  });
}

function checkedKey(name: string): string {
  if (name === '$meta' || name === DYNAMIC_FIELD) throw badRows(`use the invalid field name(${name}) when enable dynamicField`);
  return name;
}

/** JSON values have no 64-bit integers of ours: one that would lose digits is refused, wherever in the value it is. */
function plainJson(name: string, value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'bigint')
      throw badRows(`${name}: integers to 2^53 expected in JSON, got ${value}: keep it as a text, or in a field of type Int64`);
    return value;
  }
  // What is deeper is refused for that.
  if (depth < MAX_JSON_DEPTH) for (const item of Object.values(value)) plainJson(name, item, depth + 1);
  return value;
}

const RANGES: Readonly<Record<string, number>> = { Int8: 2 ** 7, Int16: 2 ** 15, Int32: 2 ** 31 };

function toValue(info: CatalogCollectionInfo, field: FieldDefinition, value: unknown): unknown {
  if (value === null) return null;
  switch (field.type) {
    case 'primaryKey':
      return field.params.keyType === 'int64' ? toInteger(field.name, value) : value;
    case 'int64': {
      const integer = toInteger(field.name, value);
      const bound = RANGES[milvusTypeOf(info, field).type];
      if (bound === undefined || (Number(integer) >= -bound && Number(integer) < bound)) return integer;
      throw badRows(`${field.name}: a value from ${-bound} to ${bound - 1} expected, got ${String(integer)}`);
    }
    case 'number':
      return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
        ? Number(value)
        : typeof value === 'bigint'
          ? Number(value)
          : value;
    case 'boolean':
      if (value === 'true' || value === 1) return true;
      return value === 'false' || value === 0 ? false : value;
    case 'keyword':
    case 'text':
      return toText(info, field, value);
    case 'date':
      return toDate(field.name, value);
    case 'json':
      return plainJson(field.name, value);
    case 'array':
      return field.params.of.type === 'int64' && Array.isArray(value) ? value.map((item) => toInteger(field.name, item)) : value;
    case 'vector':
    case 'binaryVector':
      return vectorValue(field, value);
    case 'collab':
      return toDocument(field.name, value);
    default:
      return value;
  }
}

/** An opaque document begins with a Yjs update (v1), in base64. What it reads as is JSON text, which says less. */
function toDocument(name: string, value: unknown): unknown {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) return Buffer.from(value, 'base64');
  throw badRows(`${name}: a Yjs update in base64 expected, got ${describe(value)}`);
}

function toInteger(name: string, value: unknown): unknown {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value;
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return BigInt(value);
  throw badRows(`${name}: an integer expected, got ${describe(value)}`);
}

/** ISO 8601; without an offset it is UTC. */
function toDate(name: string, value: unknown): Date {
  const text =
    typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T[\d:.]+)?$/.test(value)
      ? `${value.includes('T') ? value : `${value}T00:00:00`}Z`
      : value;
  const date = typeof text === 'string' && /^\d{4}-/.test(text) ? new Date(text) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) throw badRows(`${name}: an ISO 8601 time expected, got ${describe(value)}`);
  return date;
}

function toText(info: CatalogCollectionInfo, field: FieldDefinition, value: unknown): unknown {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  const limit = Number(milvusTypeOf(info, field).param ?? Number.POSITIVE_INFINITY);
  if (typeof text !== 'string' || utf8Length(text) <= limit) return text;
  throw badRows(`length of varchar field ${field.name} exceeds max length, ${utf8Length(text)} > ${limit}`);
}

/** Whether an int64 is a number or a text in answers. */
export interface RowFormat {
  readonly int64AsText: boolean;
}

/** One row of an answer. `fields`: names to show; undefined: all, with every dynamic key. */
export function toRow(
  info: CatalogCollectionInfo,
  entity: Row,
  fields: readonly string[] | undefined,
  format: RowFormat,
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  const dynamic = entity[DYNAMIC_FIELD];
  const extra = typeof dynamic === 'object' && dynamic !== null ? (dynamic as Row) : {};
  const put = (name: string, value: unknown): void => {
    Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  };
  for (const field of shownFields(info)) {
    if (fields !== undefined && !fields.includes(field.name)) continue;
    if (entity[field.name] !== undefined) put(field.name, fromValue(field, entity[field.name], format));
  }
  for (const [name, value] of Object.entries(extra)) if (fields === undefined || fields.includes(name)) put(name, value);
  return row;
}

/** Int64 keys may come as texts. */
export function toKey(info: CatalogCollectionInfo, key: unknown): unknown {
  const isInteger = keyFieldOf(info.definition).params.keyType === 'int64';
  return isInteger && typeof key === 'string' && /^-?\d{1,19}$/.test(key) ? BigInt(key) : key;
}

export function fromKey(key: unknown, { int64AsText }: RowFormat): unknown {
  return int64AsText && typeof key !== 'string' ? String(key) : key;
}

/** One value as answers have it. */
export function fromValue(field: FieldDefinition, value: unknown, format: RowFormat): unknown {
  if (value === null) return null;
  switch (field.type) {
    case 'primaryKey':
      return fromKey(value, format);
    case 'int64':
      return format.int64AsText ? String(value) : value;
    case 'vector':
    case 'binaryVector':
      return vectorJson(field, value, shortest);
    case 'sparseVector':
      return Object.fromEntries(Object.entries(value as Row).map(([dimension, weight]) => [dimension, shortest(weight as number)]));
    case 'date':
      return (value as Date).toISOString();
    default:
      return value;
  }
}

/** Digits that are enough for a float32: 6 to 9. */
const DIGITS = [6, 7, 8];

/** The shortest number that is this float32: 0.1 and not 0.10000000149011612. */
export function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (const digits of DIGITS) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** Names that a caller wants to see: undefined for all. Code 65535 for one that is not there. */
export function outputFields(info: CatalogCollectionInfo, wanted: readonly string[] | undefined): readonly string[] | undefined {
  if (wanted === undefined || wanted.includes('*')) return undefined;
  const names = new Set(shownFields(info).map(({ name }) => name));
  const unknown = isDynamic(info) ? undefined : wanted.find((name) => !names.has(name));
  if (unknown !== undefined) throw new MilvusError(CODES.other, `field ${unknown} not exist`);
  return [keyFieldOf(info.definition).name, ...wanted];
}

/** What the engine has to read for them. */
export function selectOf(info: CatalogCollectionInfo, wanted: readonly string[] | undefined): readonly string[] {
  const fields = info.definition.fields.filter(({ type }) => type !== 'primaryKey');
  const needed = fields.filter(
    ({ name }) => wanted === undefined || wanted.includes(name) || (name === DYNAMIC_FIELD && hasDynamic(info, wanted)),
  );
  return needed.map(({ name }) => name);
}

function hasDynamic(info: CatalogCollectionInfo, wanted: readonly string[]): boolean {
  const names = new Set(shownFields(info).map(({ name }) => name));
  return wanted.some((name) => !names.has(name));
}
