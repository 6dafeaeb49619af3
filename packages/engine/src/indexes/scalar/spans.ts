import { compileLike, type ScalarValue } from '@terndb/core';
import { OUTCOMES } from '../../read/filter/compare.ts';
import type { ValueLeaf } from '../../read/filter/value-test.ts';
import type { Comparand, Order } from './order.ts';

/** Places of an order: `from`, `to` (exclusive), `from`, `to` …, ascending, apart from each other. */
export type Spans = readonly number[];

export interface LeafSpans {
  readonly spans: Spans;
  /** False: what is in them has still to be tested. */
  readonly isExact: boolean;
}

/** Looking up a value takes as long as looking at so many rows of a column: of more values than rows by this the column knows better. */
const LOOKUP_ROWS = 64;
/** So many are looked up whatever the rows. */
const FEW_VALUES = 64;

/** Places in order, and the rows of the segment. */
export interface OrderedRows {
  readonly order: Order;
  readonly rows: number;
}

/** The leaf as places of the order; undefined where the order does not tell. Never for `contains` of all, which are several. */
export function spansOf(ordered: OrderedRows, leaf: ValueLeaf, dictionary: readonly string[] | undefined): LeafSpans | undefined {
  const { order } = ordered;
  switch (leaf.type) {
    case 'compare': {
      const comparand = order.comparand(leaf.value, 'compare');
      return comparand === undefined ? undefined : { spans: compared(order, OUTCOMES[leaf.operator], comparand), isExact: true };
    }
    case 'in':
      return memberSpans(ordered, leaf.values);
    case 'like':
      return dictionary === undefined ? startSpan(order, leaf.pattern) : { spans: termsLike(dictionary, leaf.pattern), isExact: true };
    default:
      return undefined;
  }
}

function compared(order: Order, outcomes: number, comparand: Comparand): Spans {
  const from = bound(order.size, (place) => order.compareAt(place, comparand) < 0);
  const to = bound(order.size, (place) => order.compareAt(place, comparand) <= 0);
  const spans: number[] = [];
  if ((outcomes & OUTCOMES.lt) !== 0) append(spans, 0, from);
  if ((outcomes & OUTCOMES.eq) !== 0) append(spans, from, to);
  if ((outcomes & OUTCOMES.gt) !== 0) append(spans, to, order.size);
  return spans;
}

export function memberSpans({ order, rows }: OrderedRows, values: readonly ScalarValue[]): LeafSpans | undefined {
  if (values.length > Math.max(FEW_VALUES, rows / LOOKUP_ROWS)) return undefined;
  const found: (readonly [number, number])[] = [];
  for (const value of new Set(values)) {
    const comparand = order.comparand(value, 'member');
    if (comparand === undefined) continue;
    const from = bound(order.size, (place) => order.compareAt(place, comparand) < 0);
    const to = bound(order.size, (place) => order.compareAt(place, comparand) <= 0);
    if (from < to) found.push([from, to]);
  }
  found.sort((a, b) => a[0] - b[0]);
  const spans: number[] = [];
  // A number and the bigint of it are one value of an int64.
  for (const [from, to] of found) append(spans, Math.max(from, spans.at(-1) ?? 0), to);
  return { spans, isExact: true };
}

/** Values that begin as the pattern does, up to its first wildcard. */
function startSpan(order: Order, pattern: string): LeafSpans | undefined {
  const start = /^[^\\%_]*/.exec(pattern)![0];
  const comparand = start === '' ? undefined : order.comparand(start, 'member');
  if (comparand === undefined || order.compareStartAt === undefined) return undefined;
  const compare = order.compareStartAt.bind(order);
  const from = bound(order.size, (place) => compare(place, comparand) < 0);
  const to = bound(order.size, (place) => compare(place, comparand) <= 0);
  return { spans: from < to ? [from, to] : [], isExact: false };
}

function termsLike(dictionary: readonly string[], pattern: string): Spans {
  const matches = compileLike(pattern);
  const spans: number[] = [];
  dictionary.forEach((term, place) => {
    if (matches(term)) append(spans, place, place + 1);
  });
  return spans;
}

/** Joins it to the last one where they touch. */
function append(spans: number[], from: number, to: number): void {
  if (from >= to) return;
  if (spans.length > 0 && spans.at(-1) === from) spans[spans.length - 1] = to;
  else spans.push(from, to);
}

/** The first place for which `isBefore`, true at first, is false. */
function bound(size: number, isBefore: (place: number) => boolean): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
