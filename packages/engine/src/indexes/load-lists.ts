import { assert } from '@terndb/core';
import type * as lists from './kernel-lists.ts';

let loaded: typeof lists | undefined;

/** The one place that names the file. */
export async function loadLists(): Promise<typeof lists> {
  loaded ??= await import('./kernel-lists.ts');
  return loaded;
}

/** After `loadLists`. */
export function mustGetLists(): typeof lists {
  assert(loaded !== undefined, 'list index: opened before its code was loaded');
  return loaded;
}
