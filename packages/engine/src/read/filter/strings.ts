import { compareUtf8, decodeUtf8, encodeUtf8Into, utf8Bound } from '../../bytes/utf8.ts';
import type { BytesColumn } from '../../columns/column.ts';
import { rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';

/** Compared as bytes: nothing is decoded. */
export function compareStrings(column: BytesColumn, outcomes: number, constant: string, mask: MaskView, rows: number): Mask {
  const { offsets, bytes } = column;
  const buffer = new Uint8Array(utf8Bound(constant));
  const length = encodeUtf8Into(constant, buffer, 0);
  return rowsWhere(mask, rows, (row) => {
    const order = compareUtf8(bytes, offsets[row]!, offsets[row + 1]!, buffer, 0, length);
    return ((order < 0 ? 1 : order > 0 ? 4 : 2) & outcomes) !== 0;
  });
}

export function stringsWhere(column: BytesColumn, test: (value: string) => boolean, mask: MaskView, rows: number): Mask {
  return rowsWhere(mask, rows, (row) => test(stringAt(column, row)));
}

export function stringAt(column: BytesColumn, row: number): string {
  return decodeUtf8(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
}
