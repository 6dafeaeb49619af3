import { bitmapWords } from '../../bitmap/bitmap.ts';

/** A bitmap over the rows of one block with exactly `bitmapWords(rows)` words. Functions that make one give a fresh array. */
export type Mask = Uint32Array<ArrayBuffer>;
/** One that is only read, and may have more words. */
export type MaskView = Uint32Array;

/** The first `rows` bits of a bitmap of any length; bits beyond its end are 0. */
export function copyMask(mask: MaskView, rows: number): Mask {
  const words = bitmapWords(rows);
  const copy = new Uint32Array(words);
  copy.set(mask.subarray(0, words));
  const rest = rows & 31;
  if (rest !== 0) copy[words - 1] = copy[words - 1]! & ((1 << rest) - 1);
  return copy;
}

export function isEmptyMask(mask: MaskView): boolean {
  for (let word = 0; word < mask.length; word++) if (mask[word] !== 0) return false;
  return true;
}

/** The first `count` rows of the mask, or the last ones in descending order. */
export function edgeRows(mask: MaskView, count: number, from: 'first' | 'last'): number[] {
  const rows: number[] = [];
  for (let i = 0; i < mask.length && rows.length < count; i++) {
    const word = from === 'first' ? i : mask.length - 1 - i;
    let bits = mask[word]!;
    while (bits !== 0 && rows.length < count) {
      const bit = from === 'first' ? 31 - Math.clz32(bits & -bits) : 31 - Math.clz32(bits);
      rows.push((word << 5) + bit);
      bits &= ~(1 << bit);
    }
  }
  return rows;
}
