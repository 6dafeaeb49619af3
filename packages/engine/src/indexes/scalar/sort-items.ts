import { compareUtf8 } from '../../bytes/utf8.ts';
import type { BytesColumn, ListColumn } from '../../columns/column.ts';
import { type Steps, sortInSteps } from '../../segment/steps.ts';

/** What can be put in order: a column without lists, or the items of one with lists. */
export type Sortable = ListColumn['items'] | BytesColumn;

/** Items between two yields: some 0.1 to 0.5 ms. */
const ITEMS_PER_STEP = 32_768;
/** Digits of a pass over keys: wide ones take fewer passes, and a table of 256 KiB that pays for itself only with many keys. */
const WIDE_BITS = 16;
const NARROW_BITS = 8;
const MANY_KEYS = 16_384;

/** `items` (indexes into the values, ascending) in the order of their values, equal ones in the order given. Cost: O(items), of texts O(items log items) comparisons. */
export function* sortItems(values: Sortable, items: Uint32Array<ArrayBuffer>): Steps<Uint32Array<ArrayBuffer>> {
  switch (values.kind) {
    case 'number':
      return yield* sortKeys(yield* numberKeys(values.values, items), items);
    case 'int64':
      return yield* sortKeys(yield* int64Keys(values.values, items), items);
    case 'boolean':
      return yield* scatter({ from: items, digitOf: (at) => (values.values[items[at]!] === 0 ? 0 : 1), digits: 2 });
    case 'keyword':
      return yield* scatter({ from: items, digitOf: (at) => values.codes[items[at]!]!, digits: values.dictionary.length });
    default: {
      const { offsets, bytes } = values;
      return Uint32Array.from(
        yield* sortInSteps(Array.from(items), (a, b) =>
          compareUtf8(bytes, offsets[a]!, offsets[a + 1]!, bytes, offsets[b]!, offsets[b + 1]!),
        ),
      );
    }
  }
}

/** 64-bit keys by position, whose unsigned order is that of the values. */
interface Keys {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/** IEEE 754: of positive numbers the sign bit is turned, of negative ones every bit. */
function* numberKeys(values: Float64Array, items: Uint32Array): Steps<Keys> {
  const high = new Uint32Array(items.length);
  const low = new Uint32Array(items.length);
  const one = new Float64Array(1);
  const halves = new Uint32Array(one.buffer);
  for (let at = 0; at < items.length; at++) {
    if (at % ITEMS_PER_STEP === 0) yield;
    // -0 + 0 is 0.
    one[0] = values[items[at]!]! + 0;
    const isNegative = halves[1]! >>> 31 === 1;
    high[at] = isNegative ? ~halves[1]! : halves[1]! ^ 0x80000000;
    low[at] = isNegative ? ~halves[0]! : halves[0]!;
  }
  return { high, low };
}

function* int64Keys(values: BigInt64Array, items: Uint32Array): Steps<Keys> {
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = new Uint32Array(items.length);
  const low = new Uint32Array(items.length);
  for (let at = 0; at < items.length; at++) {
    if (at % ITEMS_PER_STEP === 0) yield;
    low[at] = halves[items[at]! * 2]!;
    high[at] = halves[items[at]! * 2 + 1]! ^ 0x80000000;
  }
  return { high, low };
}

/** Radix sort from the lowest digit. */
function* sortKeys({ high, low }: Keys, items: Uint32Array<ArrayBuffer>): Steps<Uint32Array<ArrayBuffer>> {
  const bits = items.length < MANY_KEYS ? NARROW_BITS : WIDE_BITS;
  const mask = 2 ** bits - 1;
  let order = new Uint32Array(items.length).map((_, at) => at);
  for (const half of [low, high]) {
    for (let shift = 0; shift < 32; shift += bits) {
      const from: Uint32Array = order;
      order = yield* scatter({ from: order, digitOf: (at) => (half[from[at]!]! >>> shift) & mask, digits: mask + 1 });
    }
  }
  for (let at = 0; at < order.length; at++) {
    if (at % ITEMS_PER_STEP === 0) yield;
    order[at] = items[order[at]!]!;
  }
  return order;
}

interface Scatter {
  /** What is put in order. */
  readonly from: Uint32Array<ArrayBuffer>;
  readonly digitOf: (at: number) => number;
  readonly digits: number;
}

/** One stable pass by a digit; `from` itself where all share it. */
function* scatter({ from, digitOf, digits }: Scatter): Steps<Uint32Array<ArrayBuffer>> {
  const next = new Uint32Array(digits + 1);
  for (let at = 0; at < from.length; at++) {
    if (at % ITEMS_PER_STEP === 0) yield;
    next[digitOf(at) + 1]! += 1;
  }
  if (from.length === 0 || next[digitOf(0) + 1] === from.length) return from;
  for (let digit = 0; digit < digits; digit++) next[digit + 1]! += next[digit]!;
  const to = new Uint32Array(from.length);
  for (let at = 0; at < from.length; at++) {
    if (at % ITEMS_PER_STEP === 0) yield;
    const digit = digitOf(at);
    to[next[digit]!] = from[at]!;
    next[digit]! += 1;
  }
  return to;
}
