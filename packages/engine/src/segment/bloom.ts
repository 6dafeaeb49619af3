import { hash64 } from '@terndb/core';

/**
 * Bloom filter over encoded keys: 10 bits a key and 7 probes give about 0.8 % false positives (Bloom 1970), probes by double hashing
 * (Kirsch and Mitzenmacher 2006). Part of the segment format: a change of these numbers is a new version.
 */
const BITS_PER_KEY = 10;
const PROBES = 7;

export function bloomWords(rows: number): number {
  return Math.max(1, Math.ceil((rows * BITS_PER_KEY) / 32));
}

/** `key`: utf-8, or 8 little-endian bytes. */
export function addToBloom(words: Uint32Array, key: Uint8Array): void {
  const { lo, hi } = hash64(key);
  const bits = words.length * 32;
  let probe = lo;
  for (let count = 0; count < PROBES; count++) {
    const bit = probe % bits;
    words[bit >>> 5]! |= 1 << (bit & 31);
    probe = (probe + (hi | 1)) >>> 0;
  }
}

/** False: certainly not among the keys added. */
export function mayBeInBloom(words: Uint32Array, key: Uint8Array): boolean {
  const { lo, hi } = hash64(key);
  const bits = words.length * 32;
  let probe = lo;
  for (let count = 0; count < PROBES; count++) {
    const bit = probe % bits;
    if (((words[bit >>> 5]! >>> (bit & 31)) & 1) === 0) return false;
    probe = (probe + (hi | 1)) >>> 0;
  }
  return true;
}
