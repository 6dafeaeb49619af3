import { assert } from '../errors/assert.ts';
import type { Hash64 } from '../ops/op.ts';

/**
 * 64-bit hashes that add up (R13): the state hash of a channel is the sum, modulo 2^64, of the hashes of its rows, so it can be kept
 * incrementally and does not depend on their order. The hash of bytes is the first 64 bits of MurmurHash3 x86_128 (Appleby, public domain):
 * 32-bit arithmetic only, so it needs no BigInt. It detects divergence and spreads keys; it does not resist an adversary.
 */
export const ZERO_HASH: Hash64 = Object.freeze({ lo: 0, hi: 0 });

/** `a + b` modulo 2^64. */
export function addHash(a: Hash64, b: Hash64): Hash64 {
  const lo = a.lo + b.lo;
  return { lo: lo >>> 0, hi: (a.hi + b.hi + (lo > 0xffffffff ? 1 : 0)) >>> 0 };
}

/** `a - b` modulo 2^64. */
export function subHash(a: Hash64, b: Hash64): Hash64 {
  return { lo: (a.lo - b.lo) >>> 0, hi: (a.hi - b.hi - (a.lo < b.lo ? 1 : 0)) >>> 0 };
}

export function hashEquals(a: Hash64, b: Hash64): boolean {
  return a.lo === b.lo && a.hi === b.hi;
}

/** 16 lower-case hex digits, most significant first. */
export function hashToHex(hash: Hash64): string {
  return hash.hi.toString(16).padStart(8, '0') + hash.lo.toString(16).padStart(8, '0');
}

/** The way back from `hashToHex`; the caller has checked that it is 16 hex digits. */
export function hashFromHex(hex: string): Hash64 {
  assert(/^[0-9a-f]{16}$/.test(hex), () => `hash: 16 lower-case hex digits expected, got ${JSON.stringify(hex)}`);
  return { lo: Number.parseInt(hex.slice(8), 16), hi: Number.parseInt(hex.slice(0, 8), 16) };
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function finalMix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function mix(value: number, before: number, rotate: number, after: number): number {
  const k = Math.imul(value, before);
  return Math.imul((k << rotate) | (k >>> (32 - rotate)), after);
}

/** Four bytes as a little-endian word; beyond `end` they count as zero. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let index = Math.min(end, at + 4) - 1; index >= at; index--) word = (word << 8) | bytes[index]!;
  return word;
}

/** Hash of bytes under a 32-bit seed. Cost: about 2 ns per byte. */
export function hash64(bytes: Uint8Array, seed = 0): Hash64 {
  const length = bytes.length;
  const blocksEnd = length & ~15;
  let h1 = seed | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  for (let at = 0; at < blocksEnd; at += 16) {
    h1 ^= mix(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24), C1, 15, C2);
    h1 = (Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= mix(bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24), C2, 16, C3);
    h2 = (Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= mix(bytes[at + 8]! | (bytes[at + 9]! << 8) | (bytes[at + 10]! << 16) | (bytes[at + 11]! << 24), C3, 17, C4);
    h3 = (Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= mix(bytes[at + 12]! | (bytes[at + 13]! << 8) | (bytes[at + 14]! << 16) | (bytes[at + 15]! << 24), C4, 18, C1);
    h4 = (Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17) | 0;
  }
  if (length - blocksEnd > 12) h4 ^= mix(wordAt(bytes, blocksEnd + 12, length), C4, 18, C1);
  if (length - blocksEnd > 8) h3 ^= mix(wordAt(bytes, blocksEnd + 8, length), C3, 17, C4);
  if (length - blocksEnd > 4) h2 ^= mix(wordAt(bytes, blocksEnd + 4, length), C2, 16, C3);
  if (length - blocksEnd > 0) h1 ^= mix(wordAt(bytes, blocksEnd, length), C1, 15, C2);
  return finish(h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length);
}

function finish(a: number, b: number, c: number, d: number): Hash64 {
  const sum = (a + b + c + d) | 0;
  const h1 = finalMix(sum);
  const h2 = finalMix((b + sum) | 0);
  const h3 = finalMix((c + sum) | 0);
  const h4 = finalMix((d + sum) | 0);
  const lo = (h1 + h2 + h3 + h4) | 0;
  return { lo: lo >>> 0, hi: (h2 + lo) >>> 0 };
}
