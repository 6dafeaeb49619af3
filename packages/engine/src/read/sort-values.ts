import { comparePrimaryKeys, type PrimaryKey, type ScalarValue } from '@terndb/core';
import { testBit } from '../bitmap/bitmap.ts';
import type { RowBlock } from '../view/view.ts';
import type { RowRef } from './context.ts';
import { stringAt } from './filter/strings.ts';
import type { OrderTerm } from './request.ts';

export type SortValue = ScalarValue | null;

/** Reads one field of many rows for sorting; resolved once per block. */
export function sortReader(block: RowBlock, field: string, keyField: string): (offset: number) => SortValue {
  if (field === keyField) return (offset) => block.keyAt(offset);
  const column = block.column(field);
  if (column === undefined) {
    const constant = block.rows === 0 ? null : (block.valueAt(field, 0) as SortValue);
    return () => constant;
  }
  switch (column.kind) {
    case 'values': {
      const { values } = column;
      return (offset) => (values[offset] ?? null) as SortValue;
    }
    case 'number':
    case 'int64':
    case 'boolean': {
      const { values, validity } = column;
      return (offset) => (validity === null || testBit(validity, offset) ? values[offset]! : null);
    }
    case 'keyword': {
      const { codes, dictionary, validity } = column;
      return (offset) => (validity === null || testBit(validity, offset) ? dictionary[codes[offset]!]! : null);
    }
    case 'string': {
      const { validity } = column;
      return (offset) => (validity === null || testBit(validity, offset) ? stringAt(column, offset) : null);
    }
    default:
      return (offset) => block.valueAt(field, offset) as SortValue;
  }
}

/** Nulls last, whichever the direction. Numbers and bigints of one field compare by value, strings by code units. */
export function compareSortValues(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (a < b) return descending ? 1 : -1;
  if (a > b) return descending ? -1 : 1;
  return 0;
}

/** What decides a row's place. */
export interface SortKey {
  readonly key: PrimaryKey;
  readonly partition: number;
  /** One per order term. */
  readonly values: readonly SortValue[];
}
export interface SortedRow extends RowRef, SortKey {}

/** A total order: the terms, then the key, then the partition. */
export function rowOrder(terms: readonly OrderTerm[]): (a: SortKey, b: SortKey) => number {
  return (a, b) => {
    for (let i = 0; i < terms.length; i++) {
      const order = compareSortValues(a.values[i]!, b.values[i]!, terms[i]!.descending);
      if (order !== 0) return order;
    }
    return compareRefs(a, b);
  };
}

type PlaceRef = Pick<RowRef, 'key' | 'partition'>;

export function compareRefs(a: PlaceRef, b: PlaceRef): number {
  return comparePrimaryKeys(a.key, b.key) || a.partition - b.partition;
}
