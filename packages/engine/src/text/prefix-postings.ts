import { testBit } from '../bitmap/bitmap.ts';
import type { RowBlock } from '../view/view.ts';
import { ArrayPostings, forEachPosting, type PostingList, type TextIndex } from './postings.ts';

/**
 * The postings of all words that start with this one and are longer, as one list of live rows. Cost: reading all of them.
 */
export function prefixPostings(block: RowBlock, index: TextIndex, prefix: string): PostingList | undefined {
  const { rows, live } = block;
  const frequencies = new Uint32Array(rows);
  const touched = new Uint32Array((rows + 31) >>> 5);
  const add = (offset: number, frequency: number): void => {
    frequencies[offset]! += frequency;
    touched[offset >>> 5]! |= 1 << (offset & 31);
  };
  index.withPrefix(prefix, rows, (list, isWhole) => {
    if (!isWhole) forEachPosting(list, add);
  });
  const offsets: number[] = [];
  for (let word = 0; word < touched.length; word++) {
    for (let bits = touched[word]!; bits !== 0; bits &= bits - 1) {
      const offset = word * 32 + 31 - Math.clz32(bits & -bits);
      if (testBit(live, offset)) offsets.push(offset);
    }
  }
  return offsets.length === 0 ? undefined : listOf(offsets, frequencies, index.lengths);
}

function listOf(offsets: readonly number[], counts: Uint32Array, lengths: TextIndex['lengths']): PostingList {
  const frequencies = new Uint32Array(offsets.length);
  let maxFrequency = 0;
  let minLength = 0xffff_ffff;
  offsets.forEach((offset, i) => {
    frequencies[i] = counts[offset]!;
    maxFrequency = Math.max(maxFrequency, counts[offset]!);
    minLength = Math.min(minLength, lengths[offset]!);
  });
  return new ArrayPostings(Uint32Array.from(offsets), frequencies, { count: offsets.length, maxFrequency, minLength });
}
