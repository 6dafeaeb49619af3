import type { Metric, ScanHits, VectorBlock } from '../types.ts';

/** What an index keeps of a row: see `HnswOptions`. */
export type HnswCodes = 'sq8' | 'f32' | 'b1';

export interface HnswOptions {
  readonly dim: number;
  readonly metric: Metric;
  /** Links per row and level, twice as many on the lowest (default 16; 2 to 64). */
  readonly m?: number;
  /** Candidates looked at for each new row's links (default 200; at most 4,096). */
  readonly efConstruction?: number;
  /** 32 bits (default 1). The same seed, options and rows give the same bytes, on every machine. */
  readonly seed?: number;
  /**
   * What a row is kept as: int8 codes with a scale per row (default), float32, or one bit per dimension (RaBitQ): the smallest, walked by
   * estimates that want re-ranking from rows elsewhere, and linked by float32 rows (`buildStep` needs their block).
   */
  readonly codes?: HnswCodes;
  /**
   * `b1` only: what rows are taken relative to, `dim` floats; best their mean (of rows of length 1 for COSINE). Default: zero. Rows that all point
   * the same way are estimated far better relative to their mean.
   */
  readonly centroid?: Float32Array;
  /** Keep a second plane of codes, 8 bits finer, for re-ranking without float32 rows (`sq8` only; default false). */
  readonly residual?: boolean;
  /** Rotate rows at random before coding (`sq8` only; default false): better codes for data with few strong components. */
  readonly rotate?: boolean;
  /** Rows to reserve (default 64); grows beyond it. */
  readonly capacity?: number;
}

/** How a search finds its candidates. `auto` decides by the number of survivors. */
export type SearchPlan = 'auto' | 'scan' | 'walk' | 'walkFiltered';

export interface HnswSearchOptions {
  /** `dim` finite floats, not normalised by the caller. Read only during the call. */
  readonly query: Float32Array;
  /** At most 16,384. */
  readonly k: number;
  /** Candidates kept while walking the graph (default 64, at least k; at most 16,384): more is slower and better. */
  readonly ef?: number;
  /** Only rows whose bit is set (deleted rows: cleared). Others are walked through, never returned. Missing: every row. */
  readonly bitmap?: Uint32Array;
  /**
   * float32 rows with the same offsets, in this kernel: candidates are scored exactly from them. Without it by the residual codes, where
   * the index has them, else by the codes. With `f32`, whose scores are exact, the block's codes (a screened one's) tell rows that need no
   * score: the same hits, sooner.
   */
  readonly block?: VectorBlock;
  /** Candidates to score again (default: 50 or half of ef, and 2 k, whichever is most; with `b1` all of ef). */
  readonly candidates?: number;
  /** Only scores at or above this. */
  readonly minScore?: number;
  /** Only scores below this. */
  readonly maxScore?: number;
  readonly plan?: SearchPlan;
}

export interface RescoreOptions {
  readonly query: Float32Array;
  readonly k: number;
  /** Of the candidates, as a search gave them. */
  readonly offsets: Uint32Array;
  /** Their float32 rows, row-major, in the same order. */
  readonly vectors: Float32Array;
}

export interface HnswMemory {
  /** All kernel memory of the index. */
  readonly bytes: number;
  /** Of those, for links, codes and floats of the rows that are there (what `save` would give). */
  readonly usedBytes: number;
  /** Shared by all indexes of the kernel: visited marks, pools. */
  readonly workspaceBytes: number;
}

export interface BuildProgress {
  readonly linked: number;
  readonly rows: number;
}

/**
 * Approximate search over rows numbered from 0 in the order in which they were added (a `VectorBlock`'s offsets). Deterministic.
 *
 * A row is found from the moment it is added: until it is linked, by scanning. Deleted rows are cleared in the caller's bitmap; their codes
 * go when the caller builds a new index.
 */
export interface HnswIndex {
  readonly dim: number;
  readonly metric: Metric;
  readonly codes: HnswCodes;
  readonly rows: number;
  /** Rows in the graph. */
  readonly linked: number;
  readonly memory: HnswMemory;
  /** Distances computed by the last walk or scan of the kernel: for measuring. */
  readonly lastDistances: number;
  /** Takes `vectors.length / dim` finite rows in (copied), without linking them. Throws MEMORY_LIMIT and changes nothing. O(rows * dim). */
  add(vectors: Float32Array): void;
  /** The same for rows of a block of this kernel, from `this.rows` on, `count` at most (default: all). */
  addFrom(block: VectorBlock, count?: number): void;
  /**
   * Links at most `maxRows` waiting rows: one slice of a build (some 100 µs a row). Done when `linked === rows`. With codes `b1` it needs the
   * float32 block whose rows were added; the links are those of an index with `f32`. Both are linked faster when that block is screened.
   */
  buildStep(maxRows: number, block?: VectorBlock): BuildProgress;
  /** Best first; equal scores by ascending offset. At least min(k, survivors) hits, unless score bounds cut. */
  search(options: HnswSearchOptions): ScanHits;
  /**
   * What `search` would do by itself with so many survivors. Where it says `scan` and the float32 rows are at hand, scanning those
   * (`VectorBlock.scan`) costs about the same and is exact.
   */
  planFor(search: { readonly survivors: number; readonly ef: number }): Exclude<SearchPlan, 'auto'>;
  /** Exact scores for candidates whose rows the caller fetched from elsewhere; the best k. */
  rescore(options: RescoreOptions): ScanHits;
  /** The whole index (`docs/formats/hnsw.md`); gives unused memory back first. Rows not linked yet are saved as such. */
  save(): Uint8Array<ArrayBuffer>;
  /** Gives the memory back to the kernel; the index must not be used after it. */
  free(): void;
}
