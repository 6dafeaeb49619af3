import type { ElementType } from './block/elements.ts';

/** Higher is better for every metric: `L2` is the negated squared distance, as Milvus' L2 is squared. */
export type Metric = 'COSINE' | 'IP' | 'L2';

/** Hits of one scan, best first; equal scores by ascending offset. Fresh arrays, owned by the caller. */
export interface ScanHits {
  readonly offsets: Uint32Array;
  readonly scores: Float32Array;
}

export interface ScanOptions {
  /** `dim` floats; not normalised by the caller. Read only during the call. */
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly k: number;
  /** Only rows below this (default: all rows of the block). */
  readonly rows?: number;
  /** Only rows whose bit is set: bit `row & 31` of word `row >> 5`. Missing: every row. */
  readonly bitmap?: Uint32Array;
  /** Only scores at or above this. */
  readonly minScore?: number;
  /** Only scores below this. */
  readonly maxScore?: number;
}

export interface ScoreOptions {
  readonly query: Float32Array;
  readonly metric: Metric;
  /** Rows of the block, in any order, also repeated. */
  readonly offsets: Uint32Array;
}

export interface BlockOptions {
  readonly dim: number;
  /**
   * What rows are kept as (default float32). Queries are float32 in any case, and a row scores what a float32 row of the same values scores, to
   * the last bit: elements are widened exactly, sums are float32 in the same order.
   */
  readonly elements?: ElementType;
  /** Rows to reserve (default 64); grows beyond it. */
  readonly capacity?: number;
  /**
   * Keep int8 codes beside the floats (a quarter more memory) and use them to skip rows that cannot be hits. Results are the same to the
   * last bit. float32 only. Default: from 64 to 4,096 dimensions, where it pays.
   */
  readonly screen?: boolean;
}

/**
 * A block of vectors in kernel memory, row-major, one row after the other; float32 unless it was made for other elements. A row's score depends only on the row, the query and the
 * metric: not on its offset, its neighbours or the block. COSINE with a zero vector scores 0.
 */
export interface VectorBlock {
  readonly dim: number;
  readonly rows: number;
  /** Bytes of kernel memory taken. */
  readonly bytes: number;
  /** Makes room for so many more rows, so that appending them cannot fail. Throws MEMORY_LIMIT and changes nothing. */
  reserve(rows: number): void;
  /** Appends `vectors.length / dim` rows (copied; rounded to the block's elements, halves to even). Throws MEMORY_LIMIT and appends nothing. */
  append(vectors: Float32Array): void;
  /**
   * Appends raw little-endian elements, cut anywhere: a row that has only begun waits for the next chunk (no copy of the whole, for
   * loading stored chunks). `append` between two parts of a row throws OPTION_INVALID. Throws MEMORY_LIMIT and appends nothing.
   */
  appendBytes(chunk: Uint8Array): void;
  /** A copy of one row, as float32. */
  row(offset: number): Float32Array<ArrayBuffer>;
  /** Exact scan. Cost O(rows * dim) without a bitmap, O(set bits * dim) with one. */
  scan(options: ScanOptions): ScanHits;
  /** Scores of these rows, in their order. */
  scores(options: ScoreOptions): Float32Array<ArrayBuffer>;
  /** Gives the memory back to the kernel; the block must not be used after it. */
  free(): void;
}

/**
 * Of bits; negated distances. `HAMMING`: how many differ. `JACCARD`: the share of those set in either that is not set in both, as the float32
 * nearest to it; 0 when both are empty.
 */
export type BinaryMetric = 'HAMMING' | 'JACCARD';

export interface BinaryScanOptions extends Omit<ScanOptions, 'query' | 'metric'> {
  /** `dim / 8` bytes. Read only during the call. */
  readonly query: Uint8Array;
  readonly metric: BinaryMetric;
}

export interface BinaryScoreOptions {
  readonly query: Uint8Array;
  readonly metric: BinaryMetric;
  /** Rows of the block, in any order, also repeated. */
  readonly offsets: Uint32Array;
}

export interface BinaryBlockOptions {
  /** Bits: a multiple of 8, at most 262,144. */
  readonly dim: number;
  /** Rows to reserve (default 64); grows beyond it. */
  readonly capacity?: number;
}

/** A block of rows of bits; what is not said here is as in `VectorBlock`. The order of bits in a byte does not matter. */
export interface BinaryBlock {
  readonly dim: number;
  readonly rows: number;
  readonly bytes: number;
  reserve(rows: number): void;
  /** Appends `vectors.length * 8 / dim` rows (copied). Throws DIMENSION_MISMATCH, MEMORY_LIMIT and appends nothing. */
  append(vectors: Uint8Array): void;
  /** The same, cut anywhere. */
  appendBytes(chunk: Uint8Array): void;
  row(offset: number): Uint8Array<ArrayBuffer>;
  /** Exact scan. Cost O(rows * dim) without a bitmap, O(set bits * dim) with one. */
  scan(options: BinaryScanOptions): ScanHits;
  scores(options: BinaryScoreOptions): Float32Array<ArrayBuffer>;
  free(): void;
}

export interface Kernel {
  /** Throws OPTION_INVALID, MEMORY_LIMIT. */
  createBlock(options: BlockOptions): VectorBlock;
  /** Throws OPTION_INVALID, MEMORY_LIMIT. */
  createBinaryBlock(options: BinaryBlockOptions): BinaryBlock;
  /** WASM memory now, bytes. It never shrinks: throw the worker away to get it back. */
  readonly memoryBytes: number;
  /** Of those, in use by blocks. */
  readonly usedBytes: number;
}
