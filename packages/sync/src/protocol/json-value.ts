import { DbError, type JsonValue } from '@terndb/core';
import { fromBase64, toBase64 } from './base64.ts';

/**
 * Values of requests and results as JSON, where JSON has no word for them. An object with one key that begins with `$` is a value:
 *   {"$int64": "9007199254740993"}   bigint, decimal        {"$date": "2026-11-21T05:00:00.000Z"}   Date
 *   {"$float32": base64}             Float32Array (LE)      {"$bytes": base64}                      Uint8Array
 *   {"$int8": base64}                Int8Array
 *   {"$": {"$date": 1}}              the plain object {"$date": 1}
 * A sum of int64 may have more digits than one of them. Everything else is itself; `undefined` is left out of objects and null in arrays.
 */
const MAX_DEPTH = 128;

export function encodeJsonValue(value: unknown, depth = 0): JsonValue {
  if (typeof value === 'bigint') return { $int64: String(value) };
  if (typeof value !== 'object' || value === null) return plain(value);
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return value.map((item) => encodeJsonValue(item, depth + 1));
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? '' : value.toISOString() };
  if (value instanceof Float32Array) return { $float32: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  if (value instanceof Int8Array) return { $int8: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  // Numbers of a query's vector.
  if (ArrayBuffer.isView(value)) return encodeJsonValue(Array.from(value as Float64Array), depth);
  const copy: Record<string, JsonValue> = {};
  for (const [name, item] of Object.entries(value)) if (item !== undefined) set(copy, name, encodeJsonValue(item, depth + 1));
  return taggedKey(copy) === undefined ? copy : { $: copy };
}

/** FORMAT_INVALID: an unknown `$` key, a value that is not what its key says, nested too deep. Shares nothing with `value`. */
export function decodeJsonValue(value: JsonValue, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => decodeJsonValue(item, depth + 1));
  const object = value as { readonly [key: string]: JsonValue };
  const key = taggedKey(object);
  if (key === undefined) return decodeObject(object, depth);
  const inner = object[key]!;
  if (key === '$' && typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
    return decodeObject(inner as { readonly [key: string]: JsonValue }, depth);
  }
  const decoded = typeof inner === 'string' ? decodeTagged(key, inner) : undefined;
  if (decoded !== undefined) return decoded;
  const message = `value: {"$int64" | "$date" | "$float32" | "$int8" | "$bytes": text} expected, got ${key.slice(0, 40)}`;
  throw new DbError('FORMAT_INVALID', message, { details: { key: key.slice(0, 40) } });
}

function plain(value: unknown): JsonValue {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) ? value : null;
}

function decodeObject(object: { readonly [key: string]: JsonValue }, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(object)) set(copy, name, decodeJsonValue(item, depth + 1));
  return copy;
}

/** An own property, whatever its name: `__proto__` would set the prototype. */
function set(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

function taggedKey(object: object): string | undefined {
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]!.startsWith('$') ? keys[0] : undefined;
}

function decodeTagged(key: string, text: string): unknown {
  switch (key) {
    case '$int64':
      return /^-?\d{1,40}$/.test(text) ? BigInt(text) : undefined;
    case '$date':
      return new Date(text);
    case '$bytes':
      return fromBase64(text);
    case '$int8': {
      const bytes = fromBase64(text);
      return bytes && new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    case '$float32': {
      const bytes = fromBase64(text);
      return bytes === undefined || bytes.length % 4 !== 0 ? undefined : new Float32Array(bytes.buffer);
    }
    default:
      return undefined;
  }
}

function tooDeep(): DbError {
  return new DbError('FORMAT_INVALID', `value: at most ${MAX_DEPTH} levels expected`, { details: { limit: MAX_DEPTH } });
}
