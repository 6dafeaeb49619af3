import { MAX_JSON_DEPTH } from '../limits.ts';
import { describe, isPlainObject } from './describe.ts';
import { utf8Length } from './scalar.ts';

/** Why a value is not JSON: `path` is where inside it (`.a[3]`), `got` what stands there. */
export class NotJson {
  readonly path: string;
  readonly got: string;
  constructor(path: string, got: string) {
    this.path = path;
    this.got = got;
  }
}

/**
 * The one JSON text of a value: object keys in code unit order, no spaces, -0 as 0. A property that is undefined is left out, as in
 * JSON.stringify; NaN, infinities, bigints, class instances, lone surrogates, cycles and nesting deeper than MAX_JSON_DEPTH are not JSON.
 * Each property is read once. Cost: O(size).
 */
export function canonicalJson(value: unknown): string | NotJson {
  return write(value, '', 0);
}

function write(value: unknown, path: string, depth: number): string | NotJson {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return utf8Length(value) < 0 ? new NotJson(path, 'string with a lone surrogate') : JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value + 0) : new NotJson(path, describe(value));
  if (depth >= MAX_JSON_DEPTH && typeof value === 'object') return new NotJson(path, `more than ${MAX_JSON_DEPTH} levels, or a cycle`);
  if (Array.isArray(value)) return writeArray(value, path, depth);
  return isPlainObject(value) ? writeObject(value, path, depth) : new NotJson(path, describe(value));
}

function writeArray(array: readonly unknown[], path: string, depth: number): string | NotJson {
  const parts: string[] = [];
  for (let i = 0; i < array.length; i++) {
    const part = write(array[i], `${path}[${i}]`, depth + 1);
    if (part instanceof NotJson) return part;
    parts.push(part);
  }
  return `[${parts.join()}]`;
}

function writeObject(object: Readonly<Record<string, unknown>>, path: string, depth: number): string | NotJson {
  const parts: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const value = object[key];
    if (value === undefined) continue;
    if (utf8Length(key) < 0) return new NotJson(path, 'key with a lone surrogate');
    const part = write(value, `${path}.${key}`, depth + 1);
    if (part instanceof NotJson) return part;
    parts.push(`${JSON.stringify(key)}:${part}`);
  }
  return `{${parts.join()}}`;
}
