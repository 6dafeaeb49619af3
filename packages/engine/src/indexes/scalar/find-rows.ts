import { assertNever, type ScalarValue } from '@terndb/core';
import { andInto, bitmapWords, createBitmap, setBit } from '../../bitmap/bitmap.ts';
import type { Column } from '../../columns/column.ts';
import type { Mask } from '../../read/filter/mask.ts';
import type { ValueLeaf } from '../../read/filter/value-test.ts';
import type { Order } from './order.ts';
import { type LeafSpans, memberSpans, type Spans, spansOf } from './spans.ts';
import type { FoundRows, ScalarIndex, ScalarStructure } from './types.ts';

/** Nanoseconds, as measured (docs/benchmarks/filter.md): fetching a row of a list of rows, a word of a bitmap … */
const FETCH_ROW_NS = 1;
const FETCH_WORD_NS = 0.6;
/** … against looking at a row of a column that is in the mask. */
const LOOK_NS: Readonly<Record<Column['kind'], number>> = {
  number: 1.5,
  int64: 2,
  boolean: 1.3,
  keyword: 1.3,
  string: 25,
  list: 10,
  bytes: 0,
  sparse: 0,
  vector: 0,
  values: 0,
};

export const NO_ANSWERS: ScalarIndex['find'] = () => undefined;

export interface OpenParts {
  readonly structure: ScalarStructure;
  readonly rows: number;
  readonly column: Column;
  /** Of entries, or of terms. */
  readonly order: Order;
  /** Of sorted entries: empty. */
  readonly starts: Uint32Array;
  readonly postings: Uint32Array;
}

/** An open file; see `ScalarIndex`. */
export class OpenScalarIndex implements ScalarIndex {
  readonly #parts: OpenParts;
  /** Of the leaves of reads under way: a plan asks before they are evaluated. */
  readonly #found = new WeakMap<ValueLeaf, FoundRows | undefined>();

  constructor(parts: OpenParts) {
    this.#parts = parts;
  }

  get structure(): ScalarStructure {
    return this.#parts.structure;
  }

  find(leaf: ValueLeaf): FoundRows | undefined {
    if (!this.#found.has(leaf)) this.#found.set(leaf, this.#find(leaf));
    return this.#found.get(leaf);
  }

  #find(leaf: ValueLeaf): FoundRows | undefined {
    const { column, structure } = this.#parts;
    if (leaf.type === 'contains')
      return column.kind === 'list' ? this.#contains(leaf.mode, leaf.values as readonly ScalarValue[]) : undefined;
    if (column.kind === 'list') return undefined;
    const dictionary = structure !== 'sorted' && column.kind === 'keyword' ? column.dictionary : undefined;
    const found = spansOf(this.#parts, leaf, dictionary);
    return found === undefined ? undefined : this.#planned([found]);
  }

  #contains(mode: 'any' | 'all', values: readonly ScalarValue[]): FoundRows | undefined {
    // All of nothing is true of every row that has a list.
    if (mode === 'all' && values.length === 0) return undefined;
    const lists: LeafSpans[] = [];
    for (const wanted of mode === 'any' ? [values] : values.map((value) => [value])) {
      const found = memberSpans(this.#parts, wanted);
      if (found === undefined) return undefined;
      lists.push(found);
    }
    return this.#planned(lists);
  }

  /** Rows that are in every one of the lists. */
  #planned(lists: readonly LeafSpans[]): FoundRows {
    const { rows, column, structure } = this.#parts;
    const counts = lists.map(({ spans }) => this.#count(spans));
    const words = bitmapWords(rows);
    const isExact = lists.every((list) => list.isExact);
    const fetched =
      structure === 'bitmap'
        ? lists.reduce((sum, { spans }) => sum + placesOf(spans) * words, 0) * FETCH_WORD_NS
        : sumOf(counts) * FETCH_ROW_NS;
    const count = Math.min(...counts);
    const ns = fetched + (isExact ? 0 : count * LOOK_NS[column.kind]);
    return {
      structure,
      count,
      isExact,
      paysOver: (candidates) => ns <= candidates * LOOK_NS[column.kind],
      mask: () => {
        const [first, ...others] = lists.map(({ spans }) => this.#fetch(spans));
        for (const other of others) andInto(first!, other);
        return first!;
      },
    };
  }

  #count(spans: Spans): number {
    const { structure, starts } = this.#parts;
    if (structure === 'sorted') return placesOf(spans);
    let count = 0;
    for (let i = 0; i < spans.length; i += 2) count += starts[spans[i + 1]!]! - starts[spans[i]!]!;
    return count;
  }

  #fetch(spans: Spans): Mask {
    const { structure, rows, starts, postings } = this.#parts;
    const mask = createBitmap(rows);
    for (let i = 0; i < spans.length; i += 2) {
      const [from, to] = [spans[i]!, spans[i + 1]!];
      switch (structure) {
        case 'sorted':
          setRows(mask, postings, from, to);
          break;
        case 'inverted':
          setRows(mask, postings, starts[from]!, starts[to]!);
          break;
        case 'bitmap':
          setBitmaps(mask, postings, from, to);
          break;
        default:
          assertNever(structure, 'structure');
      }
    }
    return mask;
  }
}

function setRows(mask: Mask, rows: Uint32Array, from: number, to: number): void {
  for (let at = from; at < to; at++) setBit(mask, rows[at]!);
}

function setBitmaps(mask: Mask, bitmaps: Uint32Array, from: number, to: number): void {
  const words = mask.length;
  for (let term = from; term < to; term++) {
    const start = term * words;
    for (let word = 0; word < words; word++) mask[word]! |= bitmaps[start + word]!;
  }
}

function placesOf(spans: Spans): number {
  let count = 0;
  for (let i = 0; i < spans.length; i += 2) count += spans[i + 1]! - spans[i]!;
  return count;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
