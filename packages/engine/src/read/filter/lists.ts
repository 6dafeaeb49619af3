import { assertNever, type ScalarValue } from '@terndb/core';
import { andInto, createBitmap } from '../../bitmap/bitmap.ts';
import type { ListColumn } from '../../columns/column.ts';
import { outcomeOf, rowsWhere } from './compare.ts';
import type { Mask, MaskView } from './mask.ts';
import { flagTerms } from './membership.ts';

/** Rows of `mask` whose list holds any, or all, of the values. All of nothing is true, any of nothing false. */
export function listsContain(column: ListColumn, mode: 'any' | 'all', values: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  if (mode === 'any') return listsHold(column, values, mask, rows);
  let hits: Mask | undefined;
  for (const value of values) {
    const holding = listsHold(column, [value], hits ?? mask, rows);
    if (hits === undefined) hits = holding;
    else andInto(hits, holding);
  }
  return hits ?? rowsWhere(mask, rows, () => true);
}

export function listsOfLength(column: ListColumn, outcomes: number, length: number, mask: MaskView, rows: number): Mask {
  const { offsets } = column;
  return rowsWhere(mask, rows, (row) => (outcomeOf(offsets[row + 1]! - offsets[row]!, length) & outcomes) !== 0);
}

function listsHold(column: ListColumn, values: readonly ScalarValue[], mask: MaskView, rows: number): Mask {
  if (values.length === 0) return createBitmap(rows);
  const { offsets } = column;
  const wanted = itemTest(column.items, values);
  return rowsWhere(mask, rows, (row) => {
    for (let item = offsets[row]!; item < offsets[row + 1]!; item++) if (wanted(item)) return true;
    return false;
  });
}

function itemTest(items: ListColumn['items'], values: readonly ScalarValue[]): (item: number) => boolean {
  switch (items.kind) {
    case 'number': {
      const set = new Set(values);
      return (item) => set.has(items.values[item]!);
    }
    case 'int64': {
      const set = new Set(values.map((value) => BigInt(value)));
      return (item) => set.has(items.values[item]!);
    }
    case 'boolean': {
      const set = new Set(values.map((value) => (value === true ? 1 : 0)));
      return (item) => set.has(items.values[item] as 0 | 1);
    }
    case 'keyword': {
      const set = new Set(values);
      const flags = flagTerms(items.dictionary, (term) => set.has(term));
      return (item) => flags[items.codes[item]!] === 1;
    }
    default:
      return assertNever(items, 'list items');
  }
}
