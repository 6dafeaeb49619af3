import type { FilterNode } from '@terndb/core';
import { SCALAR_INDEX } from '../../indexes/scalar/scalar-kind.ts';
import type { FoundRows } from '../../indexes/scalar/types.ts';
import type { RowBlock } from '../../view/view.ts';
import type { ValueLeaf } from './value-test.ts';

/** What the field's scalar index finds for a leaf; undefined: the column tells. Cost, once per leaf: some microseconds per value looked up. */
export function indexedRows(block: RowBlock, leaf: ValueLeaf): FoundRows | undefined {
  return 'path' in leaf && leaf.path !== undefined ? undefined : block.index?.(SCALAR_INDEX, leaf.field)?.find(leaf);
}

/** For how many of the block's rows a node is true at most, as far as indexes tell; else all. */
export function mostRows(block: RowBlock, node: FilterNode, negated: boolean): number {
  if (node.type === 'and' && !negated) return Math.min(block.rows, ...node.nodes.map((part) => mostRows(block, part, negated)));
  if (!('field' in node) || node.type === 'isNull' || (node.type === 'in' && node.negated) !== negated) return block.rows;
  return indexedRows(block, node)?.count ?? block.rows;
}
