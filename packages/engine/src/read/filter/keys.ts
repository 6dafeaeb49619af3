import { comparePrimaryKeys, type FilterNode, type PrimaryKey } from '@terndb/core';
import { createBitmap, setBit } from '../../bitmap/bitmap.ts';
import type { RowBlock } from '../../view/view.ts';
import { OUTCOMES, rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';
import type { ValueLeaf, ValueTest } from './value-test.ts';

/** Above this many keys a scan is not slower than one lookup per key. */
const MAX_KEY_LOOKUPS = 4096;

/**
 * Keys outside of which the filter is never true, or undefined when it does not say. A filter on the key is then a few lookups
 * instead of a scan; the whole filter is still evaluated on what they find.
 */
export function candidateKeys(node: FilterNode, keyField: string): readonly PrimaryKey[] | undefined {
  if (node.type === 'compare') return node.field === keyField && node.operator === 'eq' ? [node.value as PrimaryKey] : undefined;
  if (node.type === 'in') {
    return node.field === keyField && !node.negated && node.values.length <= MAX_KEY_LOOKUPS
      ? (node.values as readonly PrimaryKey[])
      : undefined;
  }
  if (node.type !== 'and') return undefined;
  let fewest: readonly PrimaryKey[] | undefined;
  for (const part of node.nodes) {
    const keys = candidateKeys(part, keyField);
    if (keys !== undefined && (fewest === undefined || keys.length < fewest.length)) fewest = keys;
  }
  return fewest;
}

/** Rows of `mask` whose key passes. Order comparisons on a block sorted by key are two binary searches. */
export function keysPassing(block: RowBlock, leaf: ValueLeaf, test: ValueTest, mask: MaskView): Mask {
  if (leaf.type === 'compare' && block.sortedByKey && leaf.operator !== 'ne')
    return keyRange(block, OUTCOMES[leaf.operator], leaf.value as PrimaryKey, mask);
  return rowsWhere(mask, block.rows, (row) => test(block.keyAt(row)));
}

function keyRange(block: RowBlock, outcomes: number, constant: PrimaryKey, mask: MaskView): Mask {
  const notLess = lowerBound(block, (key) => comparePrimaryKeys(key, constant) >= 0);
  const greater = lowerBound(block, (key) => comparePrimaryKeys(key, constant) > 0);
  const start = (outcomes & 1) !== 0 ? 0 : (outcomes & 2) !== 0 ? notLess : greater;
  const end = (outcomes & 4) !== 0 ? block.rows : (outcomes & 2) !== 0 ? greater : notLess;
  const hits = createBitmap(block.rows);
  for (let row = start; row < end; row++) setBit(hits, row);
  for (let word = 0; word < hits.length; word++) hits[word]! &= mask[word]!;
  return hits;
}

/** First offset whose key passes a test that stays true once it is. */
function lowerBound(block: RowBlock, passes: (key: PrimaryKey) => boolean): number {
  let low = 0;
  let high = block.rows;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(block.keyAt(middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}
