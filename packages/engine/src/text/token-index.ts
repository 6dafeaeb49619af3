import { type AnalyzerOption, analyzerOf } from '@terndb/core';
import type { RowBlock } from '../view/view.ts';
import { ArrayPostings, type PostingList, type TextIndex } from './postings.ts';

/** Terms not yet merged into the sorted list: few enough that a prefix looks at each. */
const MAX_UNSORTED_TERMS = 1024;

/**
 * Terms of one text field of one block, in memory. Rows are appended in the order of their offsets, so the index of a segment without an index
 * file is built once and that of growing rows is extended.
 */
export class TokenIndex implements TextIndex {
  readonly totals: undefined;
  readonly #terms = new Map<string, GrowingPostings>();
  #sorted: string[] = [];
  #unsorted: string[] = [];
  #lengths = new Uint32Array(64);
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  get lengths(): Uint32Array {
    return this.#lengths;
  }

  /** Adds the rows the block has beyond those indexed. Cost: tokenising them. */
  extend(block: RowBlock, field: string, analyzer?: AnalyzerOption): void {
    const { tokens } = analyzerOf(analyzer);
    this.#reserve(block.rows);
    for (let row = this.#rows; row < block.rows; row++) {
      const value = block.valueAt(field, row);
      const touched = new Set<GrowingPostings>();
      let length = 0;
      if (typeof value === 'string') {
        tokens(value, (term) => {
          length++;
          const list = this.#postingsOf(term);
          list.add(row);
          touched.add(list);
        });
      }
      for (const list of touched) list.bound(length);
      this.#lengths[row] = length;
      this.#rows = row + 1;
    }
  }

  list(term: string, rows: number): PostingList | undefined {
    return this.#terms.get(term)?.upTo(rows);
  }

  withPrefix(prefix: string, rows: number, visit: (list: PostingList, isWhole: boolean) => void): void {
    for (const term of this.#termsWithPrefix(prefix)) {
      const list = this.list(term, rows);
      if (list !== undefined) visit(list, term.length === prefix.length);
    }
  }

  #termsWithPrefix(prefix: string): string[] {
    if (this.#unsorted.length > MAX_UNSORTED_TERMS) {
      this.#sorted = [...this.#sorted, ...this.#unsorted].sort(compareTerms);
      this.#unsorted = [];
    }
    const found = this.#unsorted.filter((term) => term.startsWith(prefix));
    for (let i = lowerBound(this.#sorted, prefix); i < this.#sorted.length && this.#sorted[i]!.startsWith(prefix); i++)
      found.push(this.#sorted[i]!);
    return found;
  }

  #postingsOf(term: string): GrowingPostings {
    let list = this.#terms.get(term);
    if (list === undefined) {
      list = new GrowingPostings();
      this.#terms.set(term, list);
      this.#unsorted.push(term);
    }
    return list;
  }

  #reserve(rows: number): void {
    if (rows <= this.#lengths.length) return;
    const grown = new Uint32Array(Math.max(rows, this.#lengths.length * 2));
    grown.set(this.#lengths);
    this.#lengths = grown;
  }
}

class GrowingPostings {
  #offsets = new Uint32Array(2);
  #counts = new Uint32Array(2);
  #length = 0;
  #maxFrequency = 0;
  #minLength = 0xffff_ffff;

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

  /** When the last row is complete. */
  bound(length: number): void {
    this.#maxFrequency = Math.max(this.#maxFrequency, this.#counts[this.#length - 1]!);
    this.#minLength = Math.min(this.#minLength, length);
  }

  /** Those of the first rows; valid also when more are added. */
  upTo(rows: number): PostingList | undefined {
    let count = this.#length;
    if (count > 0 && this.#offsets[count - 1]! >= rows) count = lowerBoundOf(this.#offsets, count, rows);
    if (count === 0) return undefined;
    return new ArrayPostings(this.#offsets, this.#counts, { count, maxFrequency: this.#maxFrequency, minLength: this.#minLength });
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

function lowerBoundOf(sorted: Uint32Array, length: number, wanted: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
