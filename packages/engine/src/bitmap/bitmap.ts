/**
 * Bitmaps over row offsets as flat functions: bit `row & 31` of word `row >> 5`. A bitmap of n rows has `bitmapWords(n)` words or more, and
 * bits at and above n are 0, so that counting and combining need no row count.
 */

export function bitmapWords(rows: number): number {
  return (rows + 31) >>> 5;
}

/** All bits 0. */
export function createBitmap(rows: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(bitmapWords(rows));
}

/** The first `rows` bits 1. */
export function createFullBitmap(rows: number): Uint32Array<ArrayBuffer> {
  const words = createBitmap(rows).fill(0xffffffff);
  if ((rows & 31) !== 0) words[words.length - 1] = 2 ** (rows & 31) - 1;
  return words;
}

export function setBit(words: Uint32Array, offset: number): void {
  words[offset >>> 5]! |= 1 << (offset & 31);
}

export function clearBit(words: Uint32Array, offset: number): void {
  words[offset >>> 5]! &= ~(1 << (offset & 31));
}

/** False beyond the end. */
export function testBit(words: Uint32Array, offset: number): boolean {
  const word = words[offset >>> 5];
  return word !== undefined && ((word >>> (offset & 31)) & 1) !== 0;
}

export function countBits(words: Uint32Array): number {
  let count = 0;
  for (let index = 0; index < words.length; index++) count += popCount(words[index]!);
  return count;
}

/** Bits set in a 32-bit word (Hacker's Delight, 5-2). */
export function popCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** `target &= other`; words that `other` lacks count as 0. */
export function andInto(target: Uint32Array, other: Uint32Array): void {
  const shared = Math.min(target.length, other.length);
  for (let index = 0; index < shared; index++) target[index]! &= other[index]!;
  target.fill(0, shared);
}

/** `target |= other`, which has at most as many words. */
export function orInto(target: Uint32Array, other: Uint32Array): void {
  for (let index = 0; index < other.length; index++) target[index]! |= other[index]!;
}

/** `target &= ~other`; words that `other` lacks count as 0. */
export function andNotInto(target: Uint32Array, other: Uint32Array): void {
  const shared = Math.min(target.length, other.length);
  for (let index = 0; index < shared; index++) target[index]! &= ~other[index]!;
}

/** Calls with each set bit's offset, ascending. */
export function forEachSet(words: Uint32Array, visit: (offset: number) => void): void {
  for (let index = 0; index < words.length; index++) {
    for (let word = words[index]!; word !== 0; word &= word - 1) visit(index * 32 + 31 - Math.clz32(word & -word));
  }
}

/** Offsets of the set bits, ascending. */
export function setOffsets(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const offsets = new Uint32Array(countBits(words));
  let at = 0;
  forEachSet(words, (offset) => {
    offsets[at++] = offset;
  });
  return offsets;
}

/** Whether every bit at and above `rows` is 0. */
export function isWithinRows(words: Uint32Array, rows: number): boolean {
  const last = bitmapWords(rows);
  if ((rows & 31) !== 0 && last <= words.length && words[last - 1]! >>> (rows & 31) !== 0) return false;
  for (let index = last; index < words.length; index++) if (words[index] !== 0) return false;
  return true;
}
