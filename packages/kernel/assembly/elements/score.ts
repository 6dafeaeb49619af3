/**
 * Scores of four rows that are not float32. Each element is widened exactly, and then everything is done in the order of `distance/dot.ts`
 * and `distance/squared-l2.ts`: a row scores what a float32 row of the same values scores, to the last bit.
 */
import { COSINE, L2 } from '../distance/score';
import { sumLanes } from '../distance/sum';
import { BFLOAT16, FLOAT16, INT8 } from './types';
import { eightBytes, widenHigh, widenLow } from './widen';

@inline
function addTerm(squared: bool, sum: v128, x: v128, y: v128): v128 {
  if (!squared) return f32x4.add(sum, f32x4.mul(x, y));
  const difference = f32x4.sub(x, y);
  return f32x4.add(sum, f32x4.mul(difference, difference));
}

@inline
function sums4(elements: u32, squared: bool, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = f32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  let a1 = a0, b1 = a0, c1 = a0, d1 = a0;
  for (let at: usize = 0; at < bytes; at += eightBytes(elements), query += 32) {
    const x = v128.load(query), y = v128.load(query, 16);
    a0 = addTerm(squared, a0, x, widenLow(elements, a + at));
    b0 = addTerm(squared, b0, x, widenLow(elements, b + at));
    c0 = addTerm(squared, c0, x, widenLow(elements, c + at));
    d0 = addTerm(squared, d0, x, widenLow(elements, d + at));
    a1 = addTerm(squared, a1, y, widenHigh(elements, a + at));
    b1 = addTerm(squared, b1, y, widenHigh(elements, b + at));
    c1 = addTerm(squared, c1, y, widenHigh(elements, c + at));
    d1 = addTerm(squared, d1, y, widenHigh(elements, d + at));
  }
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}

function sumsOf4(elements: u32, squared: bool, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  if (elements == FLOAT16) {
    if (squared) return sums4(FLOAT16, true, query, a, b, c, d, bytes);
    return sums4(FLOAT16, false, query, a, b, c, d, bytes);
  }
  if (elements == BFLOAT16) {
    if (squared) return sums4(BFLOAT16, true, query, a, b, c, d, bytes);
    return sums4(BFLOAT16, false, query, a, b, c, d, bytes);
  }
  if (squared) return sums4(INT8, true, query, a, b, c, d, bytes);
  return sums4(INT8, false, query, a, b, c, d, bytes);
}

/** As `score4` of float32 rows. `bytes` is the padded length of a row: a whole number of eights, as many as the query has. */
export function elementScores4(elements: u32, metric: u32, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize, norms: v128): v128 {
  const sums = sumsOf4(elements, metric == L2, query, a, b, c, d, bytes);
  let score = sums;
  if (metric == L2) score = f32x4.sub(f32x4.splat(0), sums);
  else if (metric == COSINE) score = f32x4.div(sums, norms);
  return f32x4.pmax(f32x4.splat(-Infinity), f32x4.add(score, f32x4.splat(0)));
}
