/** Search of some lists: estimates for the best rows, or exact scores of those rows that may be among the best. */
import { L2 } from '../distance/score';
import { offerGroup } from '../scan/group';
import { signedSum } from '../one-bit/query';
import { Plan } from '../scan/plan';
import { dotCodes4 } from '../screen/code-dot';
import { screenFlush, wait } from '../screen/screen';
import { heapFinish, heapFloor, heapOffer, heapReset } from '../topk/heap';
import { CODING_BITS, CODING_NONE, ListPlan } from './plan';
import { base, enterList, norm, queryRest, scale } from './query';

/** Slots whose row passes the bitmap wait in the plan until there are four of them. */
let slotCount: u32 = 0;

@inline
function slotPlace(plan: ListPlan, index: u32): usize {
  return changetype<usize>(plan) + offsetof<ListPlan>('waiting') + (<usize>index << 2);
}
@inline
function slotAt(plan: ListPlan, index: u32): u32 {
  return load<u32>(slotPlace(plan, index));
}

@inline
function isSet(bitmap: usize, row: u32): bool {
  return ((load<u32>(bitmap + (<usize>(row >> 5) << 2)) >> (row & 31)) & 1) != 0;
}

@inline
function floatAt(values: usize, slot: u32): f32 {
  return load<f32>(values + (<usize>slot << 2));
}

@inline
function sumAt(plan: ListPlan, slot: u32): f32 {
  return <f32>signedSum(plan.codes + <usize>slot * plan.codeBytes, plan.queryCodes, plan.codeBytes, plan.dim);
}

/** base + bias + (product · row's scale) · query's scale, in this order. NaN becomes −∞; no squared distance is below 0. */
@inline
function estimate(plan: ListPlan, product: f32, slot: u32): f32 {
  const score = (base + floatAt(plan.biases, slot)) + product * floatAt(plan.scales, slot) * scale;
  if (score != score) return -Infinity;
  return plan.metric == L2 ? min<f32>(score, 0) : score + 0;
}

@inline
function idAt(plan: ListPlan, slot: u32): u32 {
  return load<u32>(plan.ids + (<usize>slot << 2));
}

/** Offers the estimates of the waiting slots. */
function offerWaiting(plan: ListPlan): void {
  const count = slotCount;
  slotCount = 0;
  if (count == 0) return;
  const codes = plan.codes, bytes = plan.codeBytes;
  const a = slotAt(plan, 0), b = slotAt(plan, min<u32>(1, count - 1)), c = slotAt(plan, min<u32>(2, count - 1)), d = slotAt(plan, min<u32>(3, count - 1));
  const dots = f32x4.convert_i32x4_s(dotCodes4(
    plan.queryCodes, codes + <usize>a * bytes, codes + <usize>b * bytes, codes + <usize>c * bytes, codes + <usize>d * bytes, bytes,
  ));
  heapOffer(estimate(plan, f32x4.extract_lane(dots, 0), a), idAt(plan, a));
  if (count > 1) heapOffer(estimate(plan, f32x4.extract_lane(dots, 1), b), idAt(plan, b));
  if (count > 2) heapOffer(estimate(plan, f32x4.extract_lane(dots, 2), c), idAt(plan, c));
  if (count > 3) heapOffer(estimate(plan, f32x4.extract_lane(dots, 3), d), idAt(plan, d));
}

@inline
function listAt(probes: usize, index: u32): u32 {
  return load<u32>(probes + (<usize>index << 3));
}

/**
 * The best `k` rows of the lists at `probes` (hits of a scan of the centroids: (list u32, score) each) by their estimates, to `hits` as of any
 * scan. Bounds are inclusive. Returns their number.
 */
export function listsEstimate(plan: ListPlan, probes: usize, count: u32, bitmap: usize, hits: usize, k: u32, low: f32, high: f32): u32 {
  heapReset(hits, k, low, high);
  const bits = plan.coding == CODING_BITS;
  for (let probe: u32 = 0; probe < count; probe++) {
    const list = listAt(probes, probe), from = load<u32>(plan.starts + (<usize>list << 2)), end = load<u32>(plan.starts + (<usize>list << 2), 4);
    if (from == end) continue;
    enterList(plan, list);
    for (let slot = from; slot < end; slot++) {
      if (bitmap && !isSet(bitmap, idAt(plan, slot))) continue;
      if (bits) {
        const score = estimate(plan, sumAt(plan, slot), slot);
        if (score >= heapFloor()) heapOffer(score, idAt(plan, slot));
        continue;
      }
      store<u32>(slotPlace(plan, slotCount), slot);
      if (++slotCount == 4) offerWaiting(plan);
    }
    offerWaiting(plan);
  }
  return heapFinish();
}

/**
 * The same by exact scores from the block's rows of `scan`: of all rows (without codes), or of those whose estimate and its bound of error
 * reach the worst of the best so far (bits).
 */
export function listsExact(plan: ListPlan, scan: Plan, probes: usize, count: u32, bitmap: usize): u32 {
  heapReset(scan.hits, scan.k, scan.minScore, scan.maxScore);
  assert(plan.coding == CODING_NONE || plan.coding == CODING_BITS);
  const bits = plan.coding == CODING_BITS;
  for (let probe: u32 = 0; probe < count; probe++) {
    const list = listAt(probes, probe), from = load<u32>(plan.starts + (<usize>list << 2)), end = load<u32>(plan.starts + (<usize>list << 2), 4);
    if (from == end) continue;
    if (bits) enterList(plan, list);
    for (let slot = from; slot < end; slot++) {
      const id = idAt(plan, slot);
      if (bitmap && !isSet(bitmap, id)) continue;
      if (bits) {
        const score = (base + floatAt(plan.biases, slot)) + sumAt(plan, slot) * floatAt(plan.scales, slot) * scale;
        const bound = score + (floatAt(plan.errors, slot) * norm + floatAt(plan.scales, slot) * queryRest);
        if (bound < heapFloor()) continue;
      }
      wait(scan, id);
    }
  }
  screenFlush(scan);
  return heapFinish();
}

/** Exact scores of the `count` candidates at `candidates` ((row u32, score) each), the best of them to the hits of `scan`. */
export function rerankHits(scan: Plan, candidates: usize, count: u32): u32 {
  heapReset(scan.hits, scan.k, scan.minScore, scan.maxScore);
  for (let index: u32 = 0; index < count; index++) wait(scan, load<u32>(candidates + (<usize>index << 3)));
  screenFlush(scan);
  return heapFinish();
}
