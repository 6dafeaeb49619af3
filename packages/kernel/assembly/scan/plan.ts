/**
 * What a scan works on, written by the host as consecutive 32-bit words (`src/block/scan-plan.ts` writes the same order).
 * Addresses are of host memory; nothing in it is kept after the call.
 */
@unmanaged
export class Plan {
  metric!: u32;
  /** Padded query, of length 1 for COSINE. */
  query!: usize;
  vectors!: usize;
  /** Padded length of a row: a multiple of 16, of 8 with int8. */
  rowBytes!: usize;
  /** Divisors (`rows/norms.ts`) for COSINE, numbers of set bits for JACCARD, else 0. */
  norms!: usize;
  rows!: u32;
  /** Bit per row, or 0: every row. */
  bitmap!: usize;
  /** Both inclusive. */
  minScore!: f32;
  maxScore!: f32;
  /** Room for `k` (offset u32, score f32) pairs; `k` > 0. */
  hits!: usize;
  k!: u32;
  /** Codes and what belongs to them (`screen/encode.ts`), or 0: compute every score. */
  codes!: usize;
  codeBytes!: usize;
  scales!: usize;
  margins!: usize;
  squares!: usize;
  /** i16 per dimension, padded like the codes. */
  queryCodes!: usize;
  queryScale!: f32;
  /** Rounded up. */
  queryNorm!: f32;
  /** Rounded down. */
  querySquare!: f32;
  /** What a row is made of: `elements/types.ts`. Other rows than float32 ones have no codes. */
  elements!: u32;
  /** Set bits of a binary query; the rows' own are at `norms`. */
  queryBits!: f32;
  /** Four rows that wait to be scored together: here, and not in memory of the module, because threads share that. */
  waiting!: u32;
  waiting1!: u32;
  waiting2!: u32;
  waiting3!: u32;
}
