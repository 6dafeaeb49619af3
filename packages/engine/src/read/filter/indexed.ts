import type { FilterNode } from '@terndb/core';
import { SCALAR_INDEX } from '../../indexes/scalar/scalar-kind.ts';
import type { FoundRows, ScalarIndex } from '../../indexes/scalar/types.ts';
import type { RowBlock } from '../../view/view.ts';
import type { ValueLeaf } from './value-test.ts';

/** What was found last for a leaf: a plan asks before the leaf is evaluated. */
const found = new WeakMap<ValueLeaf, { readonly index: ScalarIndex; readonly rows: FoundRows | undefined }>();

/** What the field's scalar index finds for a leaf without a path; undefined: the column tells. Cost: some microseconds per value looked up. */
export function indexedRows(block: RowBlock, leaf: ValueLeaf): FoundRows | undefined {
  const index = block.index?.(SCALAR_INDEX, leaf.field);
  if (index === undefined) return undefined;
  let known = found.get(leaf);
  if (known?.index !== index) {
    known = { index, rows: index.find(leaf) };
    found.set(leaf, known);
  }
  return known.rows;
}

/** For how many of the block's rows a filter is true at most, as far as indexes tell; else all. */
export function mostRows(block: RowBlock, node: FilterNode, negated: boolean): number {
  switch (node.type) {
    case 'true':
    case 'compareFields':
    case 'isNull':
      return block.rows;
    case 'not':
      return mostRows(block, node.node, !negated);
    case 'and':
    case 'or': {
      const parts = node.nodes.map((part) => mostRows(block, part, negated));
      return (node.type === 'and') !== negated
        ? Math.min(block.rows, ...parts)
        : parts.reduce((sum, rows) => Math.min(block.rows, sum + rows), 0);
    }
    default: {
      const rows = 'path' in node && node.path !== undefined ? undefined : indexedRows(block, node);
      if (rows === undefined) return block.rows;
      if ((node.type === 'in' && node.negated) === negated) return rows.count;
      // Of lists rows count more than once.
      return rows.isExact && node.type !== 'contains' ? block.rows - rows.count : block.rows;
    }
  }
}
