import { andInto } from '../../bitmap/bitmap.ts';
import type { Column } from '../../columns/column.ts';
import { rowsWhere } from './compare.ts';
import { copyMask, type Mask, type MaskView } from './mask.ts';

/** Rows of `mask` that have a value. A growing block's arrays may be longer than its rows; the mask is what counts. */
export function presentRows(column: Column, mask: MaskView, rows: number): Mask {
  if (column.kind === 'values') {
    const { values } = column;
    return rowsWhere(mask, rows, (row) => values[row] !== null && values[row] !== undefined);
  }
  const present = copyMask(mask, rows);
  if (column.validity !== null) andInto(present, column.validity);
  return present;
}
