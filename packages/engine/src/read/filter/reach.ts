import { compilePath, type FilterPath, type ReachedValue, type StoredValue } from '@terndb/core';
import { columnValue } from '../../columns/column-value.ts';
import type { RowBlock } from '../../view/view.ts';
import { rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';
import { type Leaf, valueTest } from './value-test.ts';

/** A field's stored value by row; the slow, general form. */
export function fieldReader(block: RowBlock, keyField: string, field: string): (row: number) => StoredValue {
  if (field === keyField) return (row) => block.keyAt(row);
  const column = block.column(field);
  if (column !== undefined) return (row) => columnValue(column, row);
  const constant = block.rows === 0 ? null : block.valueAt(field, 0);
  return () => constant;
}

/** What a path leads to, by row. Of a list only the one element is read. */
function pathReader(block: RowBlock, keyField: string, field: string, path: FilterPath): (row: number) => ReachedValue {
  const column = block.column(field);
  const index = path[0];
  if (column?.kind === 'list' && path.length === 1 && typeof index === 'number') {
    const { offsets, items } = column;
    return (row) => (offsets[row]! + index < offsets[row + 1]! ? columnValue(items, offsets[row]! + index) : null);
  }
  const read = fieldReader(block, keyField, field);
  const follow = compilePath(path);
  return (row) => follow(read(row));
}

/** Rows of `mask` for which a leaf with a path, or with `negated` its negation, is true. Where the path leads nowhere it is unknown. */
export function pathLeafMask(
  block: RowBlock,
  keyField: string,
  leaf: Leaf & { readonly path: FilterPath },
  negated: boolean,
  mask: MaskView,
): Mask {
  const read = pathReader(block, keyField, leaf.field, leaf.path);
  if (leaf.type === 'isNull') return rowsWhere(mask, block.rows, (row) => (read(row) === null) !== (leaf.negated !== negated));
  const test = valueTest(leaf);
  const wanted = !(leaf.type === 'in' ? leaf.negated !== negated : negated);
  return rowsWhere(mask, block.rows, (row) => {
    const value = read(row);
    return value !== null && test(value) === wanted;
  });
}
