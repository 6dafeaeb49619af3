import type { ScalarValue } from '@terndb/core';
import { compareUtf8, decodeUtf8, encodeUtf8Into, utf8Bound } from '../../bytes/utf8.ts';
import type { BytesColumn, Int64Column, KeywordColumn } from '../../columns/column.ts';

/** A value of a filter as an order compares it. */
export type Comparand = number | bigint | string | Uint8Array;

/** Places `0 .. size - 1` in ascending order of their values: entries of a sorted index, or terms. */
export interface Order {
  readonly size: number;
  /** Below 0, 0 or above 0: the value at a place against the comparand. */
  compareAt(place: number, comparand: Comparand): number;
  /** The same of the value's start of the comparand's length. */
  compareStartAt?(place: number, comparand: Comparand): number;
  /** What a comparison, or a test of equality, compares with; undefined: nothing here can be compared with it, or equals it. */
  comparand(value: ScalarValue, use: 'compare' | 'member'): Comparand | undefined;
}

/** Reads places through the rows of a sorted index; left out: terms are where they are. */
type Places = Uint32Array | undefined;

export function numberOrder(values: Float64Array, places: Places): Order {
  const at = places === undefined ? (place: number) => values[place]! : (place: number) => values[places[place]!]!;
  return {
    size: places?.length ?? values.length,
    compareAt: (place, comparand) => at(place) - (comparand as number) || 0,
    comparand: (value, use) => {
      if (use === 'member') return typeof value === 'number' && !Number.isNaN(value) ? value : undefined;
      const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
      return Number.isNaN(number) ? undefined : number;
    },
  };
}

export function int64Order({ values }: Pick<Int64Column, 'values'>, places: Places): Order {
  const at = places === undefined ? (place: number) => values[place]! : (place: number) => values[places[place]!]!;
  return {
    size: places?.length ?? values.length,
    compareAt: (place, comparand) => {
      const value = at(place);
      return value < (comparand as bigint) ? -1 : value > (comparand as bigint) ? 1 : 0;
    },
    comparand: (value) => {
      if (typeof value === 'bigint') return value;
      return Number.isInteger(value) ? BigInt(value as number) : undefined;
    },
  };
}

/** False before true. `items`: of lists, where what is no boolean counts as false. */
export function booleanOrder(values: Uint8Array | undefined, places: Places, items: boolean): Order {
  const at =
    values === undefined || places === undefined ? (place: number) => place : (place: number) => (values[places[place]!] === 0 ? 0 : 1);
  return {
    size: places?.length ?? 2,
    compareAt: (place, comparand) => at(place) - (comparand as number),
    comparand: (value, use) => (typeof value === 'boolean' || use === 'compare' || items ? Number(value === true) : undefined),
  };
}

/** Terms are the dictionary's, which is in order; so codes are, too. */
export function keywordOrder({ codes, dictionary }: Pick<KeywordColumn, 'codes' | 'dictionary'>, places: Places): Order {
  const at = places === undefined ? (place: number) => dictionary[place]! : (place: number) => dictionary[codes[places[place]!]!]!;
  return {
    size: places?.length ?? dictionary.length,
    compareAt: (place, comparand) => {
      const value = at(place);
      return value < (comparand as string) ? -1 : value > (comparand as string) ? 1 : 0;
    },
    compareStartAt: (place, comparand) => {
      const start = at(place).slice(0, (comparand as string).length);
      return start < (comparand as string) ? -1 : start > (comparand as string) ? 1 : 0;
    },
    comparand: (value) => (typeof value === 'string' ? value : undefined),
  };
}

/** Compared as bytes, as the column is. */
export function stringOrder({ offsets, bytes }: Pick<BytesColumn, 'offsets' | 'bytes'>, places: Uint32Array): Order {
  const compare = (place: number, comparand: Uint8Array, length: number): number => {
    const row = places[place]!;
    const from = offsets[row]!;
    return compareUtf8(bytes, from, Math.min(offsets[row + 1]!, from + length), comparand, 0, comparand.length);
  };
  return {
    size: places.length,
    compareAt: (place, comparand) => compare(place, comparand as Uint8Array, Infinity),
    compareStartAt: (place, comparand) => compare(place, comparand as Uint8Array, (comparand as Uint8Array).length),
    comparand: (value, use) => {
      if (typeof value !== 'string') return undefined;
      const buffer = new Uint8Array(utf8Bound(value));
      const length = encodeUtf8Into(value, buffer, 0);
      // Half a surrogate pair is stored as U+FFFD: such a value is ordered like it and equals none.
      if (use === 'member' && decodeUtf8(buffer, 0, length) !== value) return undefined;
      return buffer.subarray(0, length);
    },
  };
}
