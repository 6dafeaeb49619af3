import { expect, test } from 'vitest';
import { NAMED } from '../read/testing/arbitraries.ts';
import { memoryBlock } from '../read/testing/memory-view.ts';
import type { RowBlock } from '../view/view.ts';
import { tokenIndexOf } from './index-cache.ts';
import { TokenIndex } from './token-index.ts';

function blockOf(texts: readonly (string | null)[]): RowBlock {
  return memoryBlock({ definition: NAMED, form: 'values', rows: texts.map((body, i) => ({ key: `k${i}`, fields: { body } })) });
}

test('a term knows its rows in order and how often each holds it', () => {
  const index = new TokenIndex();
  index.extend(blockOf(['tern sea tern', null, 'Tern', 'sea']), 'body');
  const { offsets, counts } = index.postings('tern')!;
  expect([Array.from(offsets), Array.from(counts)]).toEqual([
    [0, 2],
    [2, 1],
  ]);
  expect(Array.from(index.lengths.subarray(0, index.rows))).toEqual([3, 0, 1, 1]);
  expect(index.postings('absent')).toBeUndefined();
});

test('a prefix finds every term that starts with it, sorted in or not yet', () => {
  const index = new TokenIndex();
  const many = Array.from({ length: 3000 }, (_, i) => `w${i}`);
  index.extend(blockOf(many.map((word) => word)), 'body');
  const expected = (prefix: string) => many.filter((word) => word.startsWith(prefix)).sort();
  expect(index.termsWithPrefix('w29').sort()).toEqual(expected('w29'));
  const later = [...many, 'w29x'];
  index.extend(blockOf(later), 'body');
  expect(index.termsWithPrefix('w29').sort()).toEqual([...expected('w29'), 'w29x'].sort());
  expect(index.termsWithPrefix('x')).toEqual([]);
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
