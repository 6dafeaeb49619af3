import type { SparseColumn } from '../columns/column.ts';
import { FieldCache } from '../view/field-cache.ts';
import type { RowBlock } from '../view/view.ts';
import type { ScoredCursor } from './max-score.ts';
import { END, POSTINGS_PER_BLOCK } from './postings.ts';

/** Fewer rows are scanned: the index would cost more than it saves. */
const MIN_INDEXED_ROWS = 1_000;

/**
 * Sparse vectors by dimension, as texts by term: the column turned round (a counting sort), kept with its segment. Rows ascend in each list;
 * blocks of lists have bounds.
 */
export class SparseIndex {
  readonly #lists = new Map<number, WeightedList>();

  constructor(column: SparseColumn, rows: number) {
    const { offsets, indices, values } = column;
    const counts = new Map<number, number>();
    const used = (row: number): boolean => column.validity === null || ((column.validity[row >>> 5]! >>> (row & 31)) & 1) === 1;
    for (let row = 0; row < rows; row++) {
      if (used(row)) for (let i = offsets[row]!; i < offsets[row + 1]!; i++) counts.set(indices[i]!, (counts.get(indices[i]!) ?? 0) + 1);
    }
    for (const [dimension, count] of counts) this.#lists.set(dimension, new WeightedList(count));
    for (let row = 0; row < rows; row++) {
      if (used(row)) for (let i = offsets[row]!; i < offsets[row + 1]!; i++) this.#lists.get(indices[i]!)!.add(row, values[i]!);
    }
  }

  /** What a dimension of the query adds to each row; undefined when no row has it. */
  cursor(dimension: number, weight: number): ScoredCursor | undefined {
    const list = this.#lists.get(dimension);
    return list === undefined ? undefined : new WeightedCursor(list, weight);
  }
}

const indexes = new FieldCache<SparseIndex>();

/** Of a block that keeps what is derived from it and never grows; undefined where a scan is as good. */
export function sparseIndexOf(block: RowBlock, field: string, column: SparseColumn): SparseIndex | undefined {
  const { cacheKey, rows, sortedByKey } = block;
  if (cacheKey === undefined || !sortedByKey || rows < MIN_INDEXED_ROWS) return undefined;
  return indexes.of(block, field, () => new SparseIndex(column, rows));
}

class WeightedList {
  readonly rows: Uint32Array;
  readonly values: Float32Array;
  readonly max: Float32Array;
  readonly min: Float32Array;
  length = 0;

  constructor(count: number) {
    this.rows = new Uint32Array(count);
    this.values = new Float32Array(count);
    const blocks = Math.ceil(count / POSTINGS_PER_BLOCK);
    this.max = new Float32Array(blocks).fill(-Infinity);
    this.min = new Float32Array(blocks).fill(Infinity);
  }

  add(row: number, value: number): void {
    const block = Math.floor(this.length / POSTINGS_PER_BLOCK);
    this.rows[this.length] = row;
    this.values[this.length++] = value;
    this.max[block] = Math.max(this.max[block]!, value);
    this.min[block] = Math.min(this.min[block]!, value);
  }
}

class WeightedCursor implements ScoredCursor {
  readonly bound: number;
  readonly magnitude: number;
  readonly #list: WeightedList;
  readonly #weight: number;
  #at = 0;

  constructor(list: WeightedList, weight: number) {
    this.#list = list;
    this.#weight = weight;
    let [most, least] = [-Infinity, Infinity];
    for (let block = 0; block < list.max.length; block++) {
      most = Math.max(most, list.max[block]!);
      least = Math.min(least, list.min[block]!);
    }
    this.bound = Math.max(0, weight * most, weight * least);
    this.magnitude = Math.abs(weight) * Math.max(Math.abs(most), Math.abs(least));
  }

  get offset(): number {
    return this.#at < this.#list.length ? this.#list.rows[this.#at]! : END;
  }

  score(): number {
    return this.#weight * this.#list.values[this.#at]!;
  }

  next(): void {
    this.#at++;
  }

  advance(target: number): void {
    const { rows, length } = this.#list;
    let step = 1;
    let low = this.#at;
    // Galloping: near targets are near.
    while (low + step < length && rows[low + step]! < target) {
      low += step;
      step *= 2;
    }
    let high = Math.min(length, low + step + 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < target) low = middle + 1;
      else high = middle;
    }
    this.#at = low;
  }

  skipBelow(least: number): void {
    const { max, min, length } = this.#list;
    while (this.#at < length) {
      const block = Math.floor(this.#at / POSTINGS_PER_BLOCK);
      if (Math.max(this.#weight * max[block]!, this.#weight * min[block]!) >= least) return;
      this.#at = (block + 1) * POSTINGS_PER_BLOCK;
    }
  }
}
