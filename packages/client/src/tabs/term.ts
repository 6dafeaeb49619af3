import type { MetaStore } from '@terndb/core';

/** Where the newest term is stored; replication fences with it (R11). */
export const TERM_KEY = 'tabs/term';

/**
 * Makes this worker the leader of a new term: the persisted number rises by one, by compare-and-set. What an older term's leader sends is void.
 * Appends to the database's own log are fenced by its expected sequence, replication by this term.
 */
export async function beginTerm(meta: MetaStore): Promise<number> {
  for (;;) {
    const entry = await meta.get(TERM_KEY);
    const term = (entry === undefined ? 0 : readTerm(entry.value)) + 1;
    if ((await meta.compareAndSet(TERM_KEY, entry?.revision ?? 0, writeTerm(term))) !== undefined) return term;
  }
}

/** Version byte 1, then the term as a little-endian f64. A term that cannot be read starts again at 0. */
export function readTerm(value: Uint8Array): number {
  if (value.byteLength !== 9 || value[0] !== 1) return 0;
  const term = new DataView(value.buffer, value.byteOffset).getFloat64(1, true);
  return Number.isSafeInteger(term) && term >= 0 ? term : 0;
}

function writeTerm(term: number): Uint8Array {
  const value = new Uint8Array(9);
  value[0] = 1;
  new DataView(value.buffer).setFloat64(1, term, true);
  return value;
}
