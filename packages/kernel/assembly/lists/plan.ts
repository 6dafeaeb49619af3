/**
 * What a call on a list index (IVF) works on, written by the host as consecutive 32-bit words (`src/lists/plan.ts` writes the same order).
 * The layout of the index is the host's (`src/lists/layout.ts` has the format): here are only addresses of its sections.
 */
@unmanaged
export class ListPlan {
  rows!: u32;
  dim!: u32;
  /** `distance/score.ts` */
  metric!: u32;
  /** 0: none, rows are read from a block; 1: int8 codes; 2: one bit per dimension. */
  coding!: u32;
  lists!: u32;
  /** u32 per list and one more: first slot of each list. */
  starts!: usize;
  /** Padded float32 rows. */
  centroids!: usize;
  /** Bytes of a padded float32 row here: of centroid, query, rest; a multiple of 32. */
  floatBytes!: usize;
  /** u32 per slot: the row there; ascending within a list. */
  ids!: usize;
  /** f32 per slot; `encode.ts` says what they are. */
  scales!: usize;
  biases!: usize;
  errors!: usize;
  codes!: usize;
  /** Bytes of a row's codes: a multiple of 16 (int8) or 8 (bits). */
  codeBytes!: usize;
  seed!: u32;
  /** 1: rows, centroids and queries are rotated. */
  rotated!: u32;
  /** The query as the index sees it: of length 1 for COSINE, rotated, padded with zeros. */
  query!: usize;
  /** Room for the query less a centroid, and for its codes. */
  rest!: usize;
  queryCodes!: usize;
  /** Four slots that wait to be scored together: here, and not in memory of the module, because threads share that. */
  waiting!: u32;
  waiting1!: u32;
  waiting2!: u32;
  waiting3!: u32;
}

export const CODING_NONE: u32 = 0;
export const CODING_INT8: u32 = 1;
export const CODING_BITS: u32 = 2;
