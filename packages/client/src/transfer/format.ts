/**
 * An export of a database, version 1: lines of JSON (NDJSON), UTF-8, each ended by a line feed. Extension `.terndb.ndjson`.
 *
 *   first    {"terndb":"export","version":1,"schema":<schema in its canonical form>,"collections":[names]}
 *   then     {"c":collection,"p":partition,"v":stamp,"e":{field: value, …}}   one per entity; v is the newest stamp of the row
 *   last     {"end":true,"entities":count,"crc32c":"8 hex digits"}            over all bytes before this line
 *
 * Values: text, keyword, number, boolean, json as they are; date ISO 8601 in UTC; int64 a number, beyond 2^53 a decimal string; array of those;
 * vector and binaryVector base64 of their bytes (little-endian; float32, for float16 and bfloat16 too, or int8); collab base64 of its update; sparseVector {"indices":[],"values":[]}.
 * A field that is null and may not be given as null (a vector not yet embedded) is left out, and so is a vector that was derived from text.
 *
 * History: 1 first version. Reads: 1. Unknown version -> FORMAT_VERSION_UNSUPPORTED, other text -> FORMAT_INVALID, wrong sum or end -> CHECKSUM_MISMATCH.
 */
import {
  DbError,
  type FieldDefinition,
  type JsonValue,
  type SchemaDefinition,
  type SparseValue,
  type StoredValue,
  toPublic,
} from '@terndb/core';

export const EXPORT_VERSION = 1;
/** An entity has at most half a MiB, and each of its documents four; base64 and JSON escapes make them longer. Rows are in memory until the end. */
export const MAX_LINE_BYTES: number = 64 * 1024 * 1024;

export interface ExportHeader {
  readonly terndb: 'export';
  readonly version: number;
  readonly schema: SchemaDefinition;
  readonly collections: readonly string[];
}
export interface ExportRow {
  readonly c: string;
  readonly p: string;
  readonly v: number;
  readonly e: Readonly<Record<string, JsonValue>>;
}
export interface ExportEnd {
  readonly end: true;
  readonly entities: number;
  readonly crc32c: string;
}

/** Undefined: leave the field out. */
export function encodeValue(field: FieldDefinition, value: StoredValue): JsonValue | undefined {
  if (value === null) return field.nullable ? null : undefined;
  switch (field.type) {
    case 'date':
      return new Date(value as number).toISOString();
    case 'json':
      return JSON.parse(value as string) as JsonValue;
    case 'vector': {
      const elements = toPublic(field, value) as Float32Array | Int8Array;
      return toBase64(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
    }
    case 'binaryVector':
    case 'collab':
      return toBase64(value as Uint8Array);
    case 'sparseVector': {
      const { indices, values } = value as SparseValue;
      return { indices: [...indices], values: [...values] };
    }
    case 'array':
      return (value as readonly (string | number | bigint | boolean)[]).map(plain);
    default:
      return plain(value as string | number | bigint | boolean);
  }
}

/** The value as `put` takes it. What has another form is handed on as it is: the put says what is wrong with it. */
export function decodeValue(field: FieldDefinition, value: JsonValue): unknown {
  if (value === null) return null;
  switch (field.type) {
    case 'date':
      return typeof value === 'string' ? new Date(value) : value;
    case 'primaryKey':
      return field.params.keyType === 'int64' ? toInt64(value) : value;
    case 'int64':
      return toInt64(value);
    case 'vector': {
      const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
      if (bytes !== undefined && field.params.elements === 'int8') return new Int8Array(bytes.buffer);
      return bytes === undefined || bytes.byteLength % 4 !== 0 ? value : new Float32Array(bytes.buffer);
    }
    case 'binaryVector':
    case 'collab':
      return (typeof value === 'string' ? fromBase64(value) : undefined) ?? value;
    case 'array':
      return field.params.of.type === 'int64' && Array.isArray(value) ? value.map(toInt64) : value;
    default:
      return value;
  }
}

function plain(value: string | number | bigint | boolean): JsonValue {
  return typeof value === 'bigint' ? String(value) : value;
}

function toInt64(value: JsonValue): unknown {
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : value;
}

/** Bytes per call of fromCharCode: arguments live on the stack. */
const SLICE = 8192;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function formatInvalid(line: number, expected: string): DbError {
  return new DbError('FORMAT_INVALID', `import: line ${line}: ${expected} expected`, { details: { line, expected } });
}
