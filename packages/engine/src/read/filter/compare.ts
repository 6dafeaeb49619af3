import type { CompareOperator, ScalarValue } from '@terndb/core';
import { createBitmap, setBit } from '../../bitmap/bitmap.ts';
import type { Int64Column, KeywordColumn } from '../../columns/column.ts';
import type { Mask, MaskView } from './mask.ts';

/** An operator as a set of outcomes: 1 less, 2 equal, 4 greater. A value passes when the bit of its outcome is set. */
export const OUTCOMES: { readonly [Op in CompareOperator]: number } = { lt: 1, eq: 2, gt: 4, lte: 3, gte: 6, ne: 5 };

/** Both of one kind (or both numeric). Strings by code units, booleans false first. */
export function outcomeOf(value: ScalarValue, constant: ScalarValue): number {
  return value < constant ? 1 : value > constant ? 4 : 2;
}

/** Rows of `mask` whose number passes. */
export function compareNumbers(values: Float64Array | Uint8Array, outcomes: number, constant: number, mask: MaskView, rows: number): Mask {
  const hits = createBitmap(rows);
  for (let word = 0; word < hits.length; word++) {
    let found = 0;
    for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits);
      const value = values[(word << 5) + bit]!;
      if (((value < constant ? 1 : value > constant ? 4 : 2) & outcomes) !== 0) found |= 1 << bit;
    }
    hits[word] = found;
  }
  return hits;
}

/** As pairs of 32-bit halves: reading a BigInt64Array makes a bigint per row. */
export function compareInt64s(column: Int64Column, outcomes: number, constant: number | bigint, mask: MaskView, rows: number): Mask {
  const { high, low } = int64Halves(column.values);
  const wanted = BigInt(constant);
  const wantedHigh = Number(wanted >> 32n);
  const wantedLow = Number(wanted & 0xffffffffn);
  const hits = createBitmap(rows);
  for (let word = 0; word < hits.length; word++) {
    let found = 0;
    for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits);
      const at = ((word << 5) + bit) * 2;
      const h = high[at + 1]!;
      const l = low[at]!;
      const outcome = h < wantedHigh ? 1 : h > wantedHigh ? 4 : l < wantedLow ? 1 : l > wantedLow ? 4 : 2;
      if ((outcome & outcomes) !== 0) found |= 1 << bit;
    }
    hits[word] = found;
  }
  return hits;
}

/** Little-endian halves of the same memory: `low[2 i]` unsigned, `high[2 i + 1]` signed. */
export function int64Halves(values: BigInt64Array): { readonly high: Int32Array; readonly low: Uint32Array } {
  return {
    high: new Int32Array(values.buffer, values.byteOffset, values.length * 2),
    low: new Uint32Array(values.buffer, values.byteOffset, values.length * 2),
  };
}

/** The dictionary is sorted, so one binary search turns the comparison into one of codes. */
export function compareKeywords(column: KeywordColumn, outcomes: number, constant: string, mask: MaskView, rows: number): Mask {
  const { dictionary } = column;
  let low = 0;
  let high = dictionary.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (dictionary[middle]! < constant) low = middle + 1;
    else high = middle;
  }
  const found = low < dictionary.length && dictionary[low] === constant;
  const flags = new Uint8Array(dictionary.length);
  for (let code = 0; code < flags.length; code++) flags[code] = outcomes & (code < low ? 1 : found && code === low ? 2 : 4);
  return flaggedCodes(column.codes, flags, mask, rows);
}

/** Rows of `mask` whose code has a flag other than 0. */
export function flaggedCodes(codes: Uint32Array | Uint8Array, flags: Uint8Array, mask: MaskView, rows: number): Mask {
  const hits = createBitmap(rows);
  for (let word = 0; word < hits.length; word++) {
    let found = 0;
    for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits);
      if (flags[codes[(word << 5) + bit]!] !== 0) found |= 1 << bit;
    }
    hits[word] = found;
  }
  return hits;
}

/** Rows of `mask` that satisfy the test; for what has no faster form. */
export function rowsWhere(mask: MaskView, rows: number, test: (row: number) => boolean): Mask {
  const hits = createBitmap(rows);
  for (let word = 0; word < hits.length; word++) {
    for (let bits = mask[word]!; bits !== 0; bits &= bits - 1) {
      const row = (word << 5) + 31 - Math.clz32(bits & -bits);
      if (test(row)) setBit(hits, row);
    }
  }
  return hits;
}

export function isScalar(value: unknown): value is ScalarValue {
  return value !== null && typeof value !== 'object';
}
