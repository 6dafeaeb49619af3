import { COSINE } from '../distance/score';
import { decodeRow } from '../elements/decode';
import { rotate } from '../graph/rotate';
import { sumOfSquares } from '../rows/norms';
import { ListPlan } from './plan';

/** Below, a row has no direction to speak of: it counts as zero. */
const SMALLEST_NORM: f64 = 1.1754943508222875e-38;

/**
 * Writes `count` rows of a block, `rowBytes` apart, as the index sees them: float32, of length 1 for COSINE, rotated, padded with zeros,
 * `plan.floatBytes` apart.
 */
export function listsLoad(plan: ListPlan, elements: u32, source: usize, rowBytes: usize, count: u32, target: usize): void {
  const bytes = plan.floatBytes;
  for (let row: u32 = 0; row < count; row++, source += rowBytes, target += bytes) {
    memory.fill(target, 0, bytes);
    decodeRow(elements, source, rowBytes, target);
    if (plan.metric == COSINE) {
      const norm = Math.sqrt(sumOfSquares(target, bytes));
      if (norm < SMALLEST_NORM) memory.fill(target, 0, bytes);
      else {
        const divisor = f32x4.splat(<f32>min<f64>(norm, <f64>f32.MAX_VALUE));
        for (let at = target, end = target + bytes; at < end; at += 16) v128.store(at, f32x4.div(v128.load(at), divisor));
      }
    }
    if (plan.rotated) rotate(target, plan.dim, plan.seed);
  }
}

/** Rotates the query that the host has written to `plan.query`. */
export function listsQuery(plan: ListPlan): void {
  if (plan.rotated) rotate(plan.query, plan.dim, plan.seed);
}
