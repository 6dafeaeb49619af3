import type { FilterNode, ScalarValue } from '@terndb/core';
import { testBit } from '../../bitmap/bitmap.ts';
import type { Column, NumberColumn } from '../../columns/column.ts';
import type { RowBlock } from '../../view/view.ts';
import { OUTCOMES, outcomeOf, rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';
import { fieldReader } from './reach.ts';

/** Rows of `mask` for which the comparison of two fields, or with `negated` its negation, is true; unknown where one of them is null. */
export function compareFields(
  block: RowBlock,
  keyField: string,
  node: Extract<FilterNode, { readonly type: 'compareFields' }>,
  negated: boolean,
  mask: MaskView,
): Mask {
  const outcomes = OUTCOMES[node.operator] ^ (negated ? 7 : 0);
  const [left, right] = [block.column(node.left), block.column(node.right)];
  if (isNumbers(left) && isNumbers(right)) return compareNumberColumns(left, right, outcomes, mask, block.rows);
  const [a, b] = [fieldReader(block, keyField, node.left), fieldReader(block, keyField, node.right)];
  return rowsWhere(mask, block.rows, (row) => {
    const [x, y] = [a(row), b(row)];
    return x !== null && y !== null && (outcomeOf(x as ScalarValue, y as ScalarValue) & outcomes) !== 0;
  });
}

function isNumbers(column: Column | undefined): column is NumberColumn {
  return column?.kind === 'number';
}

function compareNumberColumns(left: NumberColumn, right: NumberColumn, outcomes: number, mask: MaskView, rows: number): Mask {
  return rowsWhere(mask, rows, (row) => {
    if (left.validity !== null && !testBit(left.validity, row)) return false;
    if (right.validity !== null && !testBit(right.validity, row)) return false;
    return (outcomeOf(left.values[row]!, right.values[row]!) & outcomes) !== 0;
  });
}
