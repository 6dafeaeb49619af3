import type { JsonValue } from '../errors/db-error.ts';
import type { StoredValue } from '../value/value.ts';
import type { FilterPath } from './ast.ts';

/** What a path leads to: plain scalars and arrays as stored, JSON objects too, or null. */
export type ReachedValue = StoredValue | JsonValue;

/**
 * A path as a function of the field's stored value. JSON text is parsed only where it holds every key of the path as a word: most values
 * that lack a key are never parsed.
 */
export function compilePath(path: FilterPath): (stored: StoredValue) => ReachedValue {
  const words = path.filter((step) => typeof step === 'string').map((step) => JSON.stringify(step));
  return (stored) => {
    if (stored === null) return null;
    if (Array.isArray(stored)) return reach(stored, path);
    if (typeof stored !== 'string') return null;
    for (const word of words) if (!holds(stored, word)) return null;
    return reach(JSON.parse(stored) as JsonValue, path);
  };
}

/** A digit key may stand for an index, which no JSON text spells out. */
function holds(text: string, word: string): boolean {
  return /^"\d+"$/.test(word) || text.includes(word);
}

function reach(value: ReachedValue, path: FilterPath): ReachedValue {
  let at: unknown = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return null;
    if (Array.isArray(at)) {
      if (typeof step === 'string' && !/^(?:0|[1-9]\d*)$/.test(step)) return null;
      at = at[Number(step)];
    } else at = Object.hasOwn(at, String(step)) ? (at as Record<string, unknown>)[String(step)] : null;
  }
  return (at ?? null) as ReachedValue;
}
