import { type AnalyzerOption, analyze } from '@terndb/core';
import type { RowBlock } from '../view/view.ts';

/** Rows of one block that hold a term, ascending, and how often. Borrowed from the index: valid until the index is extended. */
export interface Postings {
  readonly offsets: Uint32Array;
  readonly counts: Uint32Array;
}

/** Terms not yet merged into the sorted list: few enough that a prefix looks at each. */
const MAX_UNSORTED_TERMS = 1024;

/**
 * Terms of one text field of one block, in memory. Rows are appended in the order of their offsets, dead ones too (liveness is the view's and
 * applied by the reader), so the index of a sealed segment is built once and that of growing rows is extended.
 */
export class TokenIndex {
  readonly #terms = new Map<string, PostingList>();
  #sorted: string[] = [];
  #unsorted: string[] = [];
  #lengths = new Uint32Array(64);
  #rows = 0;

  /** Rows indexed so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Tokens per row; a row without text has none. Longer than `rows`. */
  get lengths(): Uint32Array {
    return this.#lengths;
  }

  /** Adds the rows the block has beyond those indexed. Cost: tokenising them. */
  extend(block: RowBlock, field: string, analyzer?: AnalyzerOption): void {
    for (let row = this.#rows; row < block.rows; row++) {
      const value = block.valueAt(field, row);
      this.#append(row, typeof value === 'string' ? analyze(value, analyzer).map(({ term }) => term) : []);
    }
  }

  postings(term: string): Postings | undefined {
    return this.#terms.get(term)?.view();
  }

  /** Every term that starts with the prefix, the prefix itself included, unordered. */
  termsWithPrefix(prefix: string): string[] {
    if (this.#unsorted.length > MAX_UNSORTED_TERMS) {
      this.#sorted = [...this.#sorted, ...this.#unsorted].sort(compareTerms);
      this.#unsorted = [];
    }
    const found = this.#unsorted.filter((term) => term.startsWith(prefix));
    for (let i = lowerBound(this.#sorted, prefix); i < this.#sorted.length && this.#sorted[i]!.startsWith(prefix); i++)
      found.push(this.#sorted[i]!);
    return found;
  }

  #append(row: number, tokens: readonly string[]): void {
    if (row >= this.#lengths.length) {
      const grown = new Uint32Array(this.#lengths.length * 2);
      grown.set(this.#lengths);
      this.#lengths = grown;
    }
    this.#lengths[row] = tokens.length;
    this.#rows = row + 1;
    for (const token of tokens) {
      let list = this.#terms.get(token);
      if (list === undefined) {
        list = new PostingList();
        this.#terms.set(token, list);
        this.#unsorted.push(token);
      }
      list.add(row);
    }
  }
}

class PostingList {
  #offsets = new Uint32Array(2);
  #counts = new Uint32Array(2);
  #length = 0;

  /** Rows come in ascending order, a row once per occurrence. */
  add(row: number): void {
    if (this.#length > 0 && this.#offsets[this.#length - 1] === row) {
      this.#counts[this.#length - 1]!++;
      return;
    }
    if (this.#length === this.#offsets.length) {
      this.#offsets = doubled(this.#offsets);
      this.#counts = doubled(this.#counts);
    }
    this.#offsets[this.#length] = row;
    this.#counts[this.#length++] = 1;
  }

  view(): Postings {
    return { offsets: this.#offsets.subarray(0, this.#length), counts: this.#counts.subarray(0, this.#length) };
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}

function compareTerms(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
