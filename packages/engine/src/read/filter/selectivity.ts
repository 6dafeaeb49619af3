import { assertNever, type CollectionDefinition, type FilterNode, keyFieldOf, type ScalarValue } from '@terndb/core';
import type { ColumnStats } from '../../segment/types.ts';
import type { RowBlock } from '../../view/view.ts';
import { indexedRows } from './indexed.ts';
import { verdictOf } from './statistics.ts';
import type { Leaf, ValueLeaf } from './value-test.ts';

/** Where nothing is known: a comparison is true of a tenth of the rows, as planners have assumed since System R. */
const UNKNOWN_SHARE = 0.1;

/** The share of a block's rows for which a filter is likely true, from indexes and statistics; parts count as independent of each other. 0 to 1. */
export function estimateShare(block: RowBlock, node: FilterNode, definition: CollectionDefinition): number {
  switch (node.type) {
    case 'true':
      return 1;
    case 'not':
      return 1 - estimateShare(block, node.node, definition);
    case 'and':
      return node.nodes.reduce((share, part) => share * estimateShare(block, part, definition), 1);
    case 'or':
      return 1 - node.nodes.reduce((share, part) => share * (1 - estimateShare(block, part, definition)), 1);
    case 'compareFields':
      return UNKNOWN_SHARE;
    default:
      return leafShare(block, node, definition);
  }
}

function leafShare(block: RowBlock, leaf: Leaf, definition: CollectionDefinition): number {
  if ('path' in leaf && leaf.path !== undefined) return UNKNOWN_SHARE;
  const stats = block.stats?.(leaf.field);
  const nullShare = stats === undefined || block.rows === 0 ? 0 : stats.nulls / block.rows;
  if (leaf.type === 'isNull') return leaf.negated ? 1 - nullShare : nullShare;
  const share = presentShare(block, leaf, definition);
  return (leaf.type === 'in' && leaf.negated ? 1 - share : share) * (1 - nullShare);
}

/** Of the rows that have a value. Rows that an index finds may be dead; of lists, they are found once per item. */
function presentShare(block: RowBlock, leaf: ValueLeaf, definition: CollectionDefinition): number {
  const stats = block.stats?.(leaf.field);
  const verdict = verdictOf(leaf, stats);
  if (verdict !== 'some') return verdict === 'all' ? 1 : 0;
  const found = indexedRows(block, leaf);
  if (found !== undefined) return Math.min(1, found.count / Math.max(1, block.rows - (stats?.nulls ?? 0)));
  const distinct = leaf.field === keyFieldOf(definition).name ? block.rows : (stats?.distinct ?? null);
  return valueShare(leaf, stats, distinct);
}

/** Of the rows that have a value. */
function valueShare(leaf: ValueLeaf, stats: ColumnStats | undefined, distinct: number | null): number {
  const one = distinct === null ? UNKNOWN_SHARE : 1 / Math.max(1, distinct);
  switch (leaf.type) {
    case 'compare':
      if (leaf.operator === 'eq') return one;
      return leaf.operator === 'ne' ? 1 - one : rangeShare(leaf.operator, leaf.value, stats);
    case 'in':
    case 'contains':
      return Math.min(1, one * leaf.values.length);
    case 'arithmetic':
    case 'arrayLength':
    case 'compareList':
    case 'like':
    case 'match':
      return UNKNOWN_SHARE;
    default:
      return assertNever(leaf, 'filter leaf');
  }
}

/** As if values lay evenly between the least and the greatest. */
function rangeShare(operator: 'lt' | 'lte' | 'gt' | 'gte', value: ScalarValue, stats: ColumnStats | undefined): number {
  const [min, max, at] = [stats?.min, stats?.max, value].map((one) => (typeof one === 'bigint' ? Number(one) : one));
  if (typeof min !== 'number' || typeof max !== 'number' || typeof at !== 'number' || max === min) return 1 / 3;
  const below = Math.min(1, Math.max(0, (at - min) / (max - min)));
  return operator === 'lt' || operator === 'lte' ? below : 1 - below;
}
