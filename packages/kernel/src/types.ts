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
  /** Rows to reserve (default 64); grows beyond it. */
  readonly capacity?: number;
  /**
   * Keep int8 codes beside the floats (a quarter more memory) and use them to skip rows that cannot be hits. Results are the same to the
   * last bit. Default: from 64 to 4,096 dimensions, where it pays.
   */
  readonly screen?: boolean;
}

/**
 * A block of float32 vectors in kernel memory, row-major, one row after the other. A row's score depends only on the row, the query and the
 * metric: not on its offset, its neighbours or the block. COSINE with a zero vector scores 0.
 */
export interface VectorBlock {
  readonly dim: number;
  readonly rows: number;
  /** Bytes of kernel memory taken. */
  readonly bytes: number;
  /** Makes room for so many more rows, so that appending them cannot fail. Throws MEMORY_LIMIT and changes nothing. */
  reserve(rows: number): void;
  /** Appends `vectors.length / dim` rows (copied). Throws MEMORY_LIMIT and appends nothing. */
  append(vectors: Float32Array): void;
  /**
   * Appends raw little-endian float32 bytes, cut anywhere: a row that has only begun waits for the next chunk (no copy of the whole, for
   * loading stored chunks). `append` between two parts of a row throws OPTION_INVALID. Throws MEMORY_LIMIT and appends nothing.
   */
  appendBytes(chunk: Uint8Array): void;
  /** A copy of one row. */
  row(offset: number): Float32Array<ArrayBuffer>;
  /** Exact scan. Cost O(rows * dim) without a bitmap, O(set bits * dim) with one. */
  scan(options: ScanOptions): ScanHits;
  /** Scores of these rows, in their order. */
  scores(options: ScoreOptions): Float32Array<ArrayBuffer>;
  /** Gives the memory back to the kernel; the block must not be used after it. */
  free(): void;
}

export interface Kernel {
  /** Throws OPTION_INVALID, MEMORY_LIMIT. */
  createBlock(options: BlockOptions): VectorBlock;
  /** WASM memory now, bytes. It never shrinks: throw the worker away to get it back. */
  readonly memoryBytes: number;
  /** Of those, in use by blocks. */
  readonly usedBytes: number;
}
