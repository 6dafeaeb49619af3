import { testBit } from '../bitmap/bitmap.ts';
import type { RowBlock } from '../view/view.ts';
import { ArrayPostings, forEachPosting, type PostingList, type TextIndex } from './postings.ts';

/**
 * The postings of a word and of all that start with it, as one list of live rows. Frequencies count halves: 2 for the word itself, 1 for one
 * that only starts with it (PREFIX_WEIGHT). Cost: reading all of them.
 */
export function prefixPostings(block: RowBlock, index: TextIndex, prefix: string): PostingList | undefined {
  const { rows, live } = block;
  const halves = new Uint32Array(rows);
  const touched = new Uint32Array((rows + 31) >>> 5);
  let weight = 1;
  const add = (offset: number, frequency: number): void => {
    halves[offset]! += weight * frequency;
    touched[offset >>> 5]! |= 1 << (offset & 31);
  };
  index.withPrefix(prefix, rows, (list, isWhole) => {
    weight = isWhole ? 2 : 1;
    forEachPosting(list, add);
  });
  const offsets: number[] = [];
  for (let word = 0; word < touched.length; word++) {
    for (let bits = touched[word]!; bits !== 0; bits &= bits - 1) {
      const offset = word * 32 + 31 - Math.clz32(bits & -bits);
      if (testBit(live, offset)) offsets.push(offset);
    }
  }
  return offsets.length === 0 ? undefined : listOf(offsets, halves, index.lengths);
}

function listOf(offsets: readonly number[], halves: Uint32Array, lengths: TextIndex['lengths']): PostingList {
  const frequencies = new Uint32Array(offsets.length);
  let maxFrequency = 0;
  let minLength = 0xffff_ffff;
  offsets.forEach((offset, i) => {
    frequencies[i] = halves[offset]!;
    maxFrequency = Math.max(maxFrequency, halves[offset]!);
    minLength = Math.min(minLength, lengths[offset]!);
  });
  return new ArrayPostings(Uint32Array.from(offsets), frequencies, { count: offsets.length, maxFrequency, minLength });
}
