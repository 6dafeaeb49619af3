import { DbError, ELEMENT_BYTES, type ScratchFile, type VectorElements, widenVector } from '@terndb/core';
import type { Kernel, Metric, ScanHits, ScanOptions, ScoreOptions, VectorBlock } from '@terndb/kernel';
import { countBits, setOffsets } from '../bitmap/bitmap.ts';

/** Rows scored at a time: they pass through kernel memory, which is given back at once. */
const PIECE_BYTES = 4 << 20;
/** Rows of a word of a bitmap. */
const WORD_ROWS = 32;
/** Up to so many rows are read one by one; more in whole pieces. A read of one row costs about as much as 50 in a row. */
const MAX_GATHERED_SHARE = 1 / 50;

export interface StoredRowsOptions {
  readonly kernel: Kernel;
  readonly file: ScratchFile;
  readonly dim: number;
  readonly rows: number;
  readonly elements: VectorElements;
  readonly what: string;
}

/**
 * The vectors of a sealed segment in a file, none of them in memory: an index finds candidates by its codes, and those alone are read. What a block in
 * kernel memory answers, to the last bit; an exact scan reads the file from end to end.
 */
export class StoredRows implements VectorBlock {
  readonly dim: number;
  readonly rows: number;
  /** Of kernel memory. */
  readonly bytes = 0;
  readonly elements: VectorElements;
  readonly #kernel: Kernel;
  readonly #file: ScratchFile;
  readonly #rowBytes: number;
  readonly #what: string;

  /** Takes the file over. */
  constructor({ kernel, file, dim, rows, elements, what }: StoredRowsOptions) {
    this.#kernel = kernel;
    this.#file = file;
    this.dim = dim;
    this.rows = rows;
    this.elements = elements;
    this.#rowBytes = dim * ELEMENT_BYTES[elements];
    this.#what = what;
  }

  row(offset: number): Float32Array<ArrayBuffer> {
    return this.floats(offset, 1);
  }

  /** Rows as float32, row-major. */
  floats(first: number, count: number): Float32Array<ArrayBuffer> {
    const { buffer } = this.#read(first, count);
    if (this.elements === 'float32') return new Float32Array(buffer);
    const stored = this.elements === 'int8' ? new Int8Array(buffer) : new Uint16Array(buffer);
    return widenVector(this.elements, stored) as Float32Array<ArrayBuffer>;
  }

  /** The best `k` of these rows, best first, equal scores by offset. */
  best(offsets: Uint32Array, search: { readonly query: Float32Array; readonly metric: Metric; readonly k: number }): ScanHits {
    const ascending = offsets.slice().sort();
    return bestOf({ offsets: ascending, scores: this.scores({ ...search, offsets: ascending }) }, search.k);
  }

  scores({ query, metric, offsets }: ScoreOptions): Float32Array<ArrayBuffer> {
    const scores = new Float32Array(offsets.length);
    const most = this.#pieceRows();
    for (let from = 0; from < offsets.length; from += most) {
      const part = offsets.subarray(from, from + most);
      this.#withBlock(part.length, (block) => {
        const bytes = new Uint8Array(part.length * this.#rowBytes);
        for (const [at, offset] of part.entries()) {
          this.#file.read(offset * this.#rowBytes, bytes.subarray(at * this.#rowBytes, (at + 1) * this.#rowBytes));
        }
        block.appendBytes(bytes);
        scores.set(block.scores({ query, metric, offsets: Uint32Array.from(part, (_, index) => index) }), from);
      });
    }
    return scores;
  }

  scan(options: ScanOptions): ScanHits {
    const { query, metric, k, bitmap, minScore = -Infinity, maxScore = Infinity } = options;
    const rows = Math.min(options.rows ?? this.rows, this.rows);
    if (bitmap !== undefined && countBits(bitmap) <= rows * MAX_GATHERED_SHARE) {
      const offsets = setOffsets(bitmap).filter((offset) => offset < rows);
      const hits = bestOf({ offsets, scores: this.scores({ query, metric, offsets }) }, offsets.length);
      const fits = hits.scores.map((score) => (score >= minScore && score < maxScore ? 1 : 0));
      const keep = (_: number, index: number): boolean => fits[index] === 1;
      return { offsets: hits.offsets.filter(keep).slice(0, k), scores: hits.scores.filter(keep).slice(0, k) };
    }
    let best: ScanHits = { offsets: new Uint32Array(0), scores: new Float32Array(0) };
    const most = this.#pieceRows();
    for (let from = 0; from < rows; from += most) {
      const count = Math.min(most, rows - from);
      const words = bitmap?.subarray(from / WORD_ROWS, Math.ceil((from + count) / WORD_ROWS));
      if (words?.every((word) => word === 0)) continue;
      // What cannot be among the best any more need not be ordered; ties go to lower offsets, which came before.
      const least = best.scores.length === k && k > 0 ? Math.max(minScore, best.scores[k - 1]!) : minScore;
      const found = this.#withBlock(count, (block) => {
        block.appendBytes(this.#read(from, count));
        return block.scan({ ...options, rows: count, ...(words && { bitmap: words }), ...(least > -Infinity && { minScore: least }) });
      });
      best = bestOf(joined(best, { offsets: found.offsets.map((offset) => offset + from), scores: found.scores }), k);
    }
    return best;
  }

  /** All rows in kernel memory, for who cannot do without (builders of indexes). To be freed by the caller. MEMORY_LIMIT. */
  async load(pause: () => Promise<void>): Promise<VectorBlock> {
    const block = this.#kernel.createBlock({ dim: this.dim, elements: this.elements, capacity: this.rows });
    const most = this.#pieceRows();
    try {
      for (let from = 0; from < this.rows; from += most) {
        block.appendBytes(this.#read(from, Math.min(most, this.rows - from)));
        await pause();
      }
      return block;
    } catch (error) {
      block.free();
      throw error;
    }
  }

  reserve(): never {
    return this.#isSealed();
  }

  append(): never {
    return this.#isSealed();
  }

  appendBytes(): never {
    return this.#isSealed();
  }

  free(): void {
    this.#file.free();
  }

  #read(first: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * this.#rowBytes);
    this.#file.read(first * this.#rowBytes, bytes);
    return bytes;
  }

  #pieceRows(): number {
    return Math.max(1, Math.floor(PIECE_BYTES / this.#rowBytes / WORD_ROWS)) * WORD_ROWS;
  }

  #withBlock<T>(rows: number, use: (block: VectorBlock) => T): T {
    const block = this.#kernel.createBlock({ dim: this.dim, elements: this.elements, capacity: rows, ...this.#unscreened() });
    try {
      return use(block);
    } finally {
      block.free();
    }
  }

  /** Codes of rows that are scanned once cost more than they save. */
  #unscreened(): { readonly screen?: false } {
    return this.elements === 'float32' ? { screen: false } : {};
  }

  #isSealed(): never {
    throw new DbError('INTERNAL', `${this.#what}: rows of a sealed segment do not change`);
  }
}

function joined(a: ScanHits, b: ScanHits): ScanHits {
  const offsets = new Uint32Array(a.offsets.length + b.offsets.length);
  const scores = new Float32Array(offsets.length);
  offsets.set(a.offsets);
  offsets.set(b.offsets, a.offsets.length);
  scores.set(a.scores);
  scores.set(b.scores, a.scores.length);
  return { offsets, scores };
}

function bestOf({ offsets, scores }: ScanHits, k: number): ScanHits {
  const order = Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || offsets[a]! - offsets[b]!)
    .slice(0, k);
  return { offsets: Uint32Array.from(order, (at) => offsets[at]!), scores: Float32Array.from(order, (at) => scores[at]!) };
}
