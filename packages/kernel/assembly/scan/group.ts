import { bitScores4 } from '../bits/score';
import { score4 } from '../distance/score';
import { elementScores4 } from '../elements/score';
import { BIT, FLOAT32 } from '../elements/types';
import { heapFloor, heapOffer } from '../topk/heap';
import { Plan } from './plan';

/** The float32 of four rows. `adjacent` (known when compiling) says that they follow each other. */
@inline
export function gather(values: usize, a: u32, b: u32, c: u32, d: u32, adjacent: bool): v128 {
  if (adjacent) return v128.load(values + (<usize>a << 2));
  return f32x4(
    load<f32>(values + (<usize>a << 2)),
    load<f32>(values + (<usize>b << 2)),
    load<f32>(values + (<usize>c << 2)),
    load<f32>(values + (<usize>d << 2)),
  );
}

/** Scores of four rows of the plan: the one way by which any score comes about. Not inlined: that costs no time, and two copies are 3 % of the module. */
export function scoreOf4(plan: Plan, a: u32, b: u32, c: u32, d: u32): v128 {
  assert(a < plan.rows && b < plan.rows && c < plan.rows && d < plan.rows);
  if (plan.elements != FLOAT32) return otherScoreOf4(plan, a, b, c, d);
  const vectors = plan.vectors, bytes = plan.rowBytes;
  return score4(
    plan.metric, plan.query,
    vectors + <usize>a * bytes, vectors + <usize>b * bytes, vectors + <usize>c * bytes, vectors + <usize>d * bytes,
    bytes, plan.norms ? gather(plan.norms, a, b, c, d, false) : f32x4.splat(1),
  );
}

function otherScoreOf4(plan: Plan, a: u32, b: u32, c: u32, d: u32): v128 {
  const bytes = plan.rowBytes, vectors = plan.vectors;
  const rowA = vectors + <usize>a * bytes, rowB = vectors + <usize>b * bytes, rowC = vectors + <usize>c * bytes, rowD = vectors + <usize>d * bytes;
  const norms = plan.norms ? gather(plan.norms, a, b, c, d, false) : f32x4.splat(1);
  if (plan.elements == BIT) return bitScores4(plan.metric, plan.query, rowA, rowB, rowC, rowD, bytes, plan.queryBits, norms);
  return elementScores4(plan.elements, plan.metric, plan.query, rowA, rowB, rowC, rowD, bytes, norms);
}

/**
 * Scores up to four rows and offers the first `lanes` to the heap; the others only fill the registers. Most groups of a long scan have
 * nothing above the floor and end at the first test.
 */
export function offerGroup(plan: Plan, a: u32, b: u32, c: u32, d: u32, lanes: u32): void {
  const scores = scoreOf4(plan, a, b, c, d);
  if (!v128.any_true(f32x4.ge(scores, f32x4.splat(heapFloor())))) return;
  heapOffer(f32x4.extract_lane(scores, 0), a);
  if (lanes > 1) heapOffer(f32x4.extract_lane(scores, 1), b);
  if (lanes > 2) heapOffer(f32x4.extract_lane(scores, 2), c);
  if (lanes > 3) heapOffer(f32x4.extract_lane(scores, 3), d);
}
