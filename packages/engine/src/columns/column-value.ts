import { normalizeInt64, type ScalarValue, type StoredValue } from '@terndb/core';
import { testBit } from '../bitmap/bitmap.ts';
import { decodeUtf8 } from '../bytes/utf8.ts';
import type { Column, ListColumn, SparseColumn } from './column.ts';

/**
 * The value at an offset inside the column, null where there is none. Arrays are fresh copies. A `vector` column has no values here: they are in
 * kernel memory; null.
 * @throws TypeError when stored text is not UTF-8: whoever knows the segment turns it into FORMAT_INVALID.
 */
export function columnValue(column: Column, offset: number): StoredValue {
  if (column.kind === 'values') return column.values[offset] ?? null;
  if (column.validity !== null && !testBit(column.validity, offset)) return null;
  switch (column.kind) {
    case 'string':
      return decodeUtf8(column.bytes, column.offsets[offset]!, column.offsets[offset + 1]!);
    case 'bytes':
      return column.bytes.slice(column.offsets[offset], column.offsets[offset + 1]);
    case 'list':
      return listValue(column, offset);
    case 'sparse':
      return sparseValue(column, offset);
    case 'vector':
      return null;
    default:
      return scalarValue(column, offset);
  }
}

function scalarValue(column: ListColumn['items'], offset: number): ScalarValue {
  switch (column.kind) {
    case 'number':
      return column.values[offset]!;
    case 'int64':
      return normalizeInt64(column.values[offset]) as number | bigint;
    case 'boolean':
      return column.values[offset] === 1;
    case 'keyword':
      return column.dictionary[column.codes[offset]!]!;
  }
}

function listValue(column: ListColumn, offset: number): ScalarValue[] {
  const values: ScalarValue[] = [];
  const end = column.offsets[offset + 1]!;
  for (let index = column.offsets[offset]!; index < end; index++) values.push(scalarValue(column.items, index));
  return values;
}

function sparseValue(column: SparseColumn, offset: number): StoredValue {
  const from = column.offsets[offset]!;
  const to = column.offsets[offset + 1]!;
  return { indices: column.indices.slice(from, to), values: column.values.slice(from, to) };
}
