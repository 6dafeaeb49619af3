import { expect, test } from 'vitest';
import { NAMED } from '../read/testing/arbitraries.ts';
import { memoryBlock } from '../read/testing/memory-view.ts';
import type { RowBlock } from '../view/view.ts';
import { tokenIndexOf } from './index-cache.ts';
import { forEachPosting, type PostingList } from './postings.ts';
import { TokenIndex } from './token-index.ts';

function blockOf(texts: readonly (string | null)[]): RowBlock {
  return memoryBlock({ definition: NAMED, form: 'values', rows: texts.map((body, i) => ({ key: `k${i}`, fields: { body } })) });
}

function postingsOf(list: PostingList | undefined): [number, number][] | undefined {
  if (list === undefined) return undefined;
  const found: [number, number][] = [];
  forEachPosting(list, (offset, frequency) => found.push([offset, frequency]));
  return found;
}

function countWithPrefix(index: TokenIndex, prefix: string): number {
  let count = 0;
  index.withPrefix(prefix, index.rows, () => count++);
  return count;
}

test('a term knows its rows in order and how often each holds it', () => {
  const index = new TokenIndex();
  index.extend(blockOf(['tern sea tern', null, 'Tern', 'sea']), 'body');
  expect(postingsOf(index.list('tern', 4))).toEqual([
    [0, 2],
    [2, 1],
  ]);
  expect(Array.from(index.lengths.subarray(0, index.rows))).toEqual([3, 0, 1, 1]);
  expect(index.list('absent', 4)).toBeUndefined();
});

test('a view of fewer rows than are indexed sees only its own', () => {
  const index = new TokenIndex();
  index.extend(blockOf(['tern', 'sea', 'tern tern']), 'body');
  expect(postingsOf(index.list('tern', 2))).toEqual([[0, 1]]);
  expect(index.list('tern', 0)).toBeUndefined();
});

test('a prefix finds every term that starts with it, sorted in or not yet', () => {
  const index = new TokenIndex();
  const many = Array.from({ length: 3000 }, (_, i) => `w${i}`);
  index.extend(blockOf(many), 'body');
  const expected = many.filter((word) => word.startsWith('w29')).length;
  expect(countWithPrefix(index, 'w29')).toBe(expected);
  index.extend(blockOf([...many, 'w29x']), 'body');
  expect(countWithPrefix(index, 'w29')).toBe(expected + 1);
  expect(countWithPrefix(index, 'x')).toBe(0);
});

test('growing rows are indexed once: a later view of the same rows adds only what is new', () => {
  const cacheKey = {};
  const read: number[] = [];
  const counting = (texts: readonly string[]): RowBlock => {
    const block = blockOf(texts);
    const valueAt = (field: string, offset: number) => {
      read.push(offset);
      return block.valueAt(field, offset);
    };
    return { ...block, cacheKey, valueAt };
  };
  tokenIndexOf(counting(['a', 'b']), 'body');
  tokenIndexOf(counting(['a', 'b', 'c']), 'body');
  // An older view asks again: the index has more rows than it, and that is all right.
  const index = tokenIndexOf(counting(['a', 'b']), 'body');
  expect(read).toEqual([0, 1, 2]);
  expect(index.rows).toBe(3);
});
