import type { RescoreOptions } from '../index/types.ts';
import type { Metric, ScanHits, VectorBlock } from '../types.ts';

/**
 * What a list index keeps of a row: int8 codes (IVF_SQ8), one bit per dimension (RaBitQ), or nothing: then rows are read from the block that
 * comes with a search (IVF_FLAT).
 */
export type ListCodes = 'none' | 'sq8' | 'b1';

export interface ListOptions {
  /** The rows, of this kernel; read while building, neither changed nor kept. Must not change until the build is done. */
  readonly block: VectorBlock;
  readonly metric: Metric;
  /** Default `sq8`. */
  readonly codes?: ListCodes;
  /** Lists (`nlist`; default 2 √rows, at least 1; at most 65,536 and not more than rows). 1: a flat scan of codes. */
  readonly lists?: number;
  /** 32 bits (default 1). The same seed, options and rows give the same bytes, on every machine. */
  readonly seed?: number;
  /** Turns of k-means, at most (default 10); it ends when nothing changes. */
  readonly iterations?: number;
}

export interface ListBuildProgress {
  /** Rows visited so far: sampling, every turn of k-means, assigning and encoding count. */
  readonly visited: number;
  /** At most so many. */
  readonly total: number;
  readonly done: boolean;
}

/** A build in slices. */
export interface ListBuild {
  readonly bytes: number;
  /** Visits at most `maxRows` rows: one slice. A visit costs O(lists * dim). */
  step(maxRows: number): ListBuildProgress;
  /** The index, once done; throws OPTION_INVALID before. */
  finish(): ListIndex;
  /** Gives up: all memory goes back. Nothing after `finish`. */
  free(): void;
}

export interface ListSearchOptions {
  /** `dim` finite floats, not normalised by the caller. Read only during the call. */
  readonly query: Float32Array;
  /** At most 16,384. */
  readonly k: number;
  /** Lists to search, the nearest first (default 16). When they hold fewer than k rows that pass, more are searched. */
  readonly nprobe?: number;
  /** Only rows whose bit is set. Missing: every row. */
  readonly bitmap?: Uint32Array;
  /**
   * Rows with the same offsets, in this kernel: scores are then exact. Needed with codes `none`. Which rows are scored: with `none` all, with
   * `sq8` the best `candidates`, with `b1` those whose estimate and its bound of error reach the k best, or the best `candidates`, if given.
   */
  readonly block?: VectorBlock;
  /** Rows to score exactly (default with `sq8`: 50 or 2 k, whichever is more). */
  readonly candidates?: number;
  /** Only scores at or above this. */
  readonly minScore?: number;
  /** Only scores below this. */
  readonly maxScore?: number;
}

export interface ListMemory {
  readonly bytes: number;
  /** What `save` gives. */
  readonly usedBytes: number;
}

/** Approximate search by lists of near rows (IVF). It does not grow: it is built from all rows at once. Deterministic. */
export interface ListIndex {
  readonly dim: number;
  readonly metric: Metric;
  readonly codes: ListCodes;
  readonly rows: number;
  readonly lists: number;
  readonly memory: ListMemory;
  /** Best first; equal scores by ascending offset. At least min(k, rows that pass) hits, unless score bounds cut. */
  search(options: ListSearchOptions): ScanHits;
  /** Exact scores for candidates whose rows the caller fetched from elsewhere; the best k. */
  rescore(options: RescoreOptions): ScanHits;
  /** The whole index (`docs/formats/ivf.md`). */
  save(): Uint8Array<ArrayBuffer>;
  /** Gives the memory back to the kernel; the index must not be used after it. */
  free(): void;
}
