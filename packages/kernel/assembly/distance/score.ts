import { dot4 } from './dot';
import { squaredL2x4 } from './squared-l2';

/** The metrics' numbers; `src/wasm/exports.ts` holds the same. */
export const COSINE: u32 = 0;
export const IP: u32 = 1;
export const L2: u32 = 2;
/** Of bits. */
export const HAMMING: u32 = 3;
export const JACCARD: u32 = 4;

/**
 * Scores of four rows, higher is better. COSINE divides by the rows' norms and expects a query of length 1 (or zero).
 *
 * Two canonical forms, so that scores have a total order: −0 becomes +0, and NaN (an overflow in both directions) becomes −∞.
 */
@inline
export function score4(metric: u32, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize, norms: v128): v128 {
  let score: v128;
  if (metric == L2) score = f32x4.sub(f32x4.splat(0), squaredL2x4(query, a, b, c, d, bytes));
  else {
    score = dot4(query, a, b, c, d, bytes);
    if (metric == COSINE) score = f32x4.div(score, norms);
  }
  return f32x4.pmax(f32x4.splat(-Infinity), f32x4.add(score, f32x4.splat(0)));
}
