import type { StoredValue, VectorElements } from '@terndb/core';

/**
 * One field of a block of rows, as flat arrays: mapped from a sealed segment, or the growing rows' values.
 * `validity`: bit `row & 31` of word `row >> 5` is 1 when the row has a value; null means every row has one. What the arrays hold at an
 * invalid row is undefined (zero in segments). Columns are borrowed from their block and never changed by a reader.
 */
export type Validity = Uint32Array | null;

/** UTF-8 strings or raw bytes: row i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface BytesColumn {
  readonly kind: 'string' | 'bytes';
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  readonly validity: Validity;
}
/** `number` and `date` (milliseconds). */
export interface NumberColumn {
  readonly kind: 'number';
  readonly values: Float64Array;
  readonly validity: Validity;
}
export interface Int64Column {
  readonly kind: 'int64';
  readonly values: BigInt64Array;
  readonly validity: Validity;
}
/** One byte per row, 0 or 1. */
export interface BooleanColumn {
  readonly kind: 'boolean';
  readonly values: Uint8Array;
  readonly validity: Validity;
}
/** Dictionary-coded strings; the dictionary is sorted by code units and distinct, so codes order as strings do. */
export interface KeywordColumn {
  readonly kind: 'keyword';
  readonly codes: Uint32Array;
  readonly dictionary: readonly string[];
  readonly validity: Validity;
}
/** Row i is `items[offsets[i] .. offsets[i + 1])`; items are never null. */
export interface ListColumn {
  readonly kind: 'list';
  readonly offsets: Uint32Array;
  readonly items: NumberColumn | Int64Column | BooleanColumn | KeywordColumn;
  readonly validity: Validity;
}
export interface SparseColumn {
  readonly kind: 'sparse';
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
  readonly validity: Validity;
}
/** Dense vectors live in kernel memory (`RowBlock.vectors`); here only which rows have one. */
export interface VectorColumn {
  readonly kind: 'vector';
  readonly dim: number;
  readonly elements: VectorElements;
  readonly validity: Validity;
}
/** Growing rows: one stored value per row, null where there is none. */
export interface ValuesColumn {
  readonly kind: 'values';
  readonly values: readonly StoredValue[];
}
export type Column =
  | BytesColumn
  | NumberColumn
  | Int64Column
  | BooleanColumn
  | KeywordColumn
  | ListColumn
  | SparseColumn
  | VectorColumn
  | ValuesColumn;
