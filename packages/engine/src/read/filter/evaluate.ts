import { assertNever, type CollectionDefinition, type FilterNode, keyFieldOf, type PrimaryKey } from '@terndb/core';
import { andNotInto, createBitmap, orInto, setBit, setOffsets } from '../../bitmap/bitmap.ts';
import type { RowBlock, View } from '../../view/view.ts';
import { compareFields } from './compare-fields.ts';
import { mostRows } from './indexed.ts';
import { candidateKeys } from './keys.ts';
import { leafMask } from './leaf.ts';
import { copyMask, isEmptyMask, type Mask, type MaskView } from './mask.ts';

/**
 * Filters over columns. A filter is three-valued and only rows that are *true* pass; by De Morgan's laws, which hold in Kleene's logic too,
 * every negation moves down to the leaves, so one bitmap ("true here") per node is enough: a leaf knows that a null is true neither way.
 * `and` narrows the rows its later parts look at, `or` drops those already true; what indexes find few rows for goes first, then cheap parts.
 */

/** Rows of `mask` for which the filter is true. Cost: O(rows of the mask) per leaf; a keyword leaf also O(dictionary). */
export function filterMask(block: RowBlock, node: FilterNode, definition: CollectionDefinition, mask: MaskView = block.live): Mask {
  if (block.rows === 0) return createBitmap(0);
  return truthMask(block, keyFieldOf(definition).name, node, false, copyMask(mask, block.rows));
}

/** Offsets of the visible rows that pass, ascending. */
export function matchRows(block: RowBlock, node: FilterNode, definition: CollectionDefinition): Uint32Array<ArrayBuffer> {
  return setOffsets(filterMask(block, node, definition));
}

export interface BlockMask {
  readonly block: RowBlock;
  /** Visible rows that pass. */
  readonly mask: Mask;
}

/** The rows of a view that pass, block by block; blocks without one are left out. A filter on the key is answered by lookups. */
export function filterView(view: View, node: FilterNode, definition: CollectionDefinition): BlockMask[] {
  const keyField = keyFieldOf(definition).name;
  const keys = candidateKeys(node, keyField);
  const candidates =
    keys === undefined ? view.blocks.map((block) => ({ block, mask: copyMask(block.live, block.rows) })) : lookUp(view, keys);
  const found: BlockMask[] = [];
  for (const { block, mask } of candidates) {
    const passing = node.type === 'true' ? mask : filterMask(block, node, definition, mask);
    if (!isEmptyMask(passing)) found.push({ block, mask: passing });
  }
  return found;
}

function lookUp(view: View, keys: readonly PrimaryKey[]): BlockMask[] {
  const masks = new Map<RowBlock, Mask>();
  for (const key of keys) {
    const at = view.find(key);
    if (at === undefined) continue;
    let mask = masks.get(at.block);
    if (mask === undefined) {
      mask = createBitmap(at.block.rows);
      masks.set(at.block, mask);
    }
    setBit(mask, at.offset);
  }
  return [...masks].map(([block, mask]) => ({ block, mask }));
}

function truthMask(block: RowBlock, keyField: string, node: FilterNode, negated: boolean, mask: MaskView): Mask {
  switch (node.type) {
    case 'true':
      return negated ? createBitmap(block.rows) : copyMask(mask, block.rows);
    case 'not':
      return truthMask(block, keyField, node.node, !negated, mask);
    case 'and':
    case 'or':
      return (node.type === 'and') !== negated
        ? allOf(block, keyField, node.nodes, negated, mask)
        : anyOf(block, keyField, node.nodes, negated, mask);
    case 'compareFields':
      return compareFields(block, keyField, node, negated, mask);
    case 'compare':
    case 'compareList':
    case 'arithmetic':
    case 'in':
    case 'like':
    case 'isNull':
    case 'contains':
    case 'arrayLength':
    case 'match':
      return leafMask(block, keyField, node, negated, mask);
    default:
      return assertNever(node, 'filter node');
  }
}

function allOf(block: RowBlock, keyField: string, nodes: readonly FilterNode[], negated: boolean, mask: MaskView): Mask {
  let left = copyMask(mask, block.rows);
  for (const node of cheapFirst(block, nodes, negated)) {
    if (isEmptyMask(left)) break;
    left = truthMask(block, keyField, node, negated, left);
  }
  return left;
}

function anyOf(block: RowBlock, keyField: string, nodes: readonly FilterNode[], negated: boolean, mask: MaskView): Mask {
  const found = createBitmap(block.rows);
  const left = copyMask(mask, block.rows);
  for (const node of cheapFirst(block, nodes, negated)) {
    if (isEmptyMask(left)) break;
    const truth = truthMask(block, keyField, node, negated, left);
    orInto(found, truth);
    andNotInto(left, truth);
  }
  return found;
}

/** What an index says is true of few rows comes before all that looks at columns: those then look at few. */
function cheapFirst(block: RowBlock, nodes: readonly FilterNode[], negated: boolean): readonly FilterNode[] {
  if (nodes.length < 2) return nodes;
  const ranked = nodes.map((node) => ({ node, most: mostRows(block, node, negated), cost: costOf(node) }));
  return ranked.sort((a, b) => a.most - b.most || a.cost - b.cost).map(({ node }) => node);
}

/** Rough cost per row; only the order matters. */
function costOf(node: FilterNode): number {
  // A json path parses text.
  if ('path' in node && node.path !== undefined) return 32;
  switch (node.type) {
    case 'true':
    case 'isNull':
      return 0;
    case 'compare':
    case 'arrayLength':
      return 1;
    case 'in':
    case 'arithmetic':
    case 'compareFields':
      return 2;
    case 'contains':
    case 'compareList':
      return 4;
    case 'like':
      return 8;
    case 'match':
      return 64;
    case 'not':
      return costOf(node.node);
    case 'and':
    case 'or':
      return node.nodes.reduce((sum, part) => sum + costOf(part), 0);
    default:
      return assertNever(node, 'filter node');
  }
}
