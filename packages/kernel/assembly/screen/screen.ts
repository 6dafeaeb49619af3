import { COSINE, L2 } from '../distance/score';
import { gather, offerGroup } from '../scan/group';
import { Plan } from '../scan/plan';
import { heapFloor } from '../topk/heap';
import { dotCodes4 } from './code-dot';

/** Rows whose bound reaches the floor wait here until there are four of them. */
let waitingCount: u32 = 0;

@inline
function waitingPlace(plan: Plan, index: u32): usize {
  return changetype<usize>(plan) + offsetof<Plan>('waiting') + (<usize>index << 2);
}
@inline
function waitingAt(plan: Plan, index: u32): u32 {
  return load<u32>(waitingPlace(plan, index));
}

/**
 * Upper bounds of the computed scores of four rows (proof: `encode.ts`). Division by the norm is monotonic, also after rounding, so COSINE
 * needs no margin of its own.
 */
@inline
function bound4(plan: Plan, a: u32, b: u32, c: u32, d: u32, adjacent: bool): v128 {
  const codes = plan.codes, bytes = plan.codeBytes;
  const dots = dotCodes4(
    plan.queryCodes, codes + <usize>a * bytes, codes + <usize>b * bytes, codes + <usize>c * bytes, codes + <usize>d * bytes, bytes,
  );
  const estimate = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), gather(plan.scales, a, b, c, d, adjacent)), f32x4.splat(plan.queryScale));
  const bound = f32x4.add(estimate, f32x4.mul(f32x4.splat(plan.queryNorm), gather(plan.margins, a, b, c, d, adjacent)));
  if (plan.metric == COSINE) return f32x4.div(bound, gather(plan.norms, a, b, c, d, adjacent));
  if (plan.metric == L2) return f32x4.sub(f32x4.sub(f32x4.add(bound, bound), gather(plan.squares, a, b, c, d, adjacent)), f32x4.splat(plan.querySquare));
  return bound;
}

/** Scores the row when four of them have come together; `screenFlush` scores the last ones. */
export function wait(plan: Plan, offset: u32): void {
  store<u32>(waitingPlace(plan, waitingCount), offset);
  if (++waitingCount < 4) return;
  waitingCount = 0;
  offerGroup(plan, waitingAt(plan, 0), waitingAt(plan, 1), waitingAt(plan, 2), waitingAt(plan, 3), 4);
}

/** Lets through those of up to four rows whose bound is not below the floor; a NaN is not below anything. */
@inline
export function screenGroup(plan: Plan, a: u32, b: u32, c: u32, d: u32, lanes: u32, adjacent: bool): void {
  const below = i32x4.bitmask(f32x4.lt(bound4(plan, a, b, c, d, adjacent), f32x4.splat(heapFloor())));
  if (below == 15) return;
  if (!(below & 1)) wait(plan, a);
  if (lanes > 1 && !(below & 2)) wait(plan, b);
  if (lanes > 2 && !(below & 4)) wait(plan, c);
  if (lanes > 3 && !(below & 8)) wait(plan, d);
}

/** Scores the last ones. */
export function screenFlush(plan: Plan): void {
  const count = waitingCount;
  waitingCount = 0;
  if (count) offerGroup(plan, waitingAt(plan, 0), waitingAt(plan, min<u32>(1, count - 1)), waitingAt(plan, min<u32>(2, count - 1)), waitingAt(plan, 0), count);
}
