import { compileLike, type ScalarValue } from '@terndb/core';
import type { Int64Column, KeywordColumn } from '../../columns/column.ts';
import { flaggedCodes, int64Halves, rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';

export function numbersIn(values: Float64Array, wanted: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  const set = new Set(wanted);
  return rowsWhere(mask, rows, (row) => set.has(values[row]!));
}

/** The nearest double rejects almost every row; only the others cost a bigint. */
export function int64sIn(column: Int64Column, wanted: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  const exact = new Set(wanted.map((value) => BigInt(value)));
  const rounded = new Set(wanted.map((value) => Number(value)));
  const { high, low } = int64Halves(column.values);
  return rowsWhere(mask, rows, (row) => rounded.has(high[row * 2 + 1]! * 0x1_0000_0000 + low[row * 2]!) && exact.has(column.values[row]!));
}

export function booleansIn(values: Uint8Array, wanted: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  return flaggedCodes(values, Uint8Array.of(wanted.includes(false) ? 1 : 0, wanted.includes(true) ? 1 : 0), mask, rows);
}

export function keywordsIn(column: KeywordColumn, wanted: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  const set = new Set(wanted);
  return keywordsWhere(column, (term) => set.has(term), mask, rows);
}

export function keywordsLike(column: KeywordColumn, pattern: string, mask: MaskView, rows: number): Mask {
  return keywordsWhere(column, compileLike(pattern), mask, rows);
}

/** The test runs once per term of the dictionary, not once per row. */
function keywordsWhere(column: KeywordColumn, test: (term: string) => boolean, mask: MaskView, rows: number): Mask {
  return flaggedCodes(column.codes, flagTerms(column.dictionary, test), mask, rows);
}

export function flagTerms(dictionary: readonly string[], test: (term: string) => boolean): Uint8Array {
  const flags = new Uint8Array(dictionary.length);
  for (let code = 0; code < flags.length; code++) flags[code] = test(dictionary[code]!) ? 1 : 0;
  return flags;
}
