import type { JsonValue } from '../errors/db-error.ts';
import { MAX_JSON_DEPTH } from '../limits.ts';
import { isPlainObject } from './describe.ts';
import { utf8Length } from './scalar.ts';

/**
 * What `canonicalJson` writes, as a value: a copy with the keys of objects in code unit order and -0 as 0; undefined for what is not JSON. Does not
 * say why, and so is small: every page carries it for the defaults of its schema. Cost: O(size).
 */
export function canonicalCopy(value: unknown, depth = 0): JsonValue | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return utf8Length(value) < 0 ? undefined : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : undefined;
  if (depth >= MAX_JSON_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const items = Array.from(value, (item) => canonicalCopy(item, depth + 1));
    return items.includes(undefined) ? undefined : (items as JsonValue[]);
  }
  if (!isPlainObject(value)) return undefined;
  const entries: [string, JsonValue | undefined][] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) entries.push([key, utf8Length(key) < 0 ? undefined : canonicalCopy(member, depth + 1)]);
  }
  return entries.some((entry) => entry[1] === undefined) ? undefined : (Object.fromEntries(entries) as JsonValue);
}
