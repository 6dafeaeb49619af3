import { assert } from '@terndb/core';
import type * as scalar from './scalar/scalar-index.ts';

let loaded: typeof scalar | undefined;

/** The one place that names the file: it is one of its own in the client, loaded by the first segment that has such an index (docs/adr/0046). */
export async function loadScalar(): Promise<typeof scalar> {
  loaded ??= await import('./scalar/scalar-index.ts');
  return loaded;
}

/** After `loadScalar`. */
export function mustGetScalar(): typeof scalar {
  assert(loaded !== undefined, 'scalar index: opened before its code was loaded');
  return loaded;
}
