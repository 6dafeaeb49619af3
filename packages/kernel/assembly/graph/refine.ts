/** Re-ranking: better scores for the first candidates of the pool. */
import { offerGroup } from '../scan/group';
import { Plan } from '../scan/plan';
import { heapFinish, heapReset } from '../topk/heap';
import { attach, batch, coded, keys, rowBytes, rowAddress } from './index';
import { codedScores, dotCodes4, keysOf, padIds, queryAddressNow, queryScaleNow, querySquareNow } from './distance';
import { FINER } from './encode';
import { GraphPlan } from './plan';
import { entryOf, poolAt, poolCount, poolRow, poolSetCount, sortEntries } from './pool';

let touched: u32 = 0;

@inline
function fineRow(plan: GraphPlan, at: usize): usize {
  return plan.residuals + <usize>load<u32>(at) * rowBytes;
}

/** Keys from codes and residual codes of the four rows at `ids`. */
function fineKeys4(plan: GraphPlan, ids: usize): v128 {
  const query = queryAddressNow();
  const coarse = dotCodes4(query, rowAddress(load<u32>(ids)), rowAddress(load<u32>(ids, 4)), rowAddress(load<u32>(ids, 8)), rowAddress(load<u32>(ids, 12)));
  const fine = dotCodes4(query, fineRow(plan, ids), fineRow(plan, ids + 4), fineRow(plan, ids + 8), fineRow(plan, ids + 12));
  const dots = f32x4.add(f32x4.convert_i32x4_s(coarse), f32x4.div(f32x4.convert_i32x4_s(fine), f32x4.splat(FINER)));
  return keysOf(codedScores(dots, ids, queryScaleNow(), querySquareNow(), plan.fineSquares));
}

/** Re-ranks the first `count` candidates by the residual codes and drops the others. The query is still the walk's. */
export function graphRefine(plan: GraphPlan, count: u32): u32 {
  attach(plan);
  assert(coded && plan.residuals != 0);
  const kept = min(count, poolCount());
  let sum: u32 = 0;
  for (let index: u32 = 0; index < kept; index++) {
    const row = plan.residuals + <usize>poolRow(index) * rowBytes;
    for (let line: usize = 0; line < rowBytes; line += 64) sum += load<u32>(row + line);
  }
  touched = sum;
  for (let from: u32 = 0; from < kept; from += 4) {
    const lanes = min<u32>(4, kept - from);
    for (let lane: u32 = 0; lane < lanes; lane++) store<u32>(batch + (<usize>lane << 2), poolRow(from + lane));
    padIds(batch, lanes);
    v128.store(keys, fineKeys4(plan, batch));
    for (let lane: u32 = 0; lane < lanes; lane++) {
      store<u64>(poolAt(from + lane), entryOf(load<u32>(keys + (<usize>lane << 2)), load<u32>(batch + (<usize>lane << 2))));
    }
  }
  poolSetCount(kept);
  sortEntries(poolAt(0), kept);
  return kept;
}

/**
 * Scores the first `count` candidates as an exact scan would, from the float32 rows of `scan`, and writes the best of them to its hits.
 * Lines 0, 1, 8 and 16 of every row are touched first: the hardware fetches those between.
 */
export function graphRerank(scan: Plan, count: u32): u32 {
  const kept = min(count, poolCount());
  heapReset(scan.hits, scan.k, scan.minScore, scan.maxScore);
  if (kept == 0) return heapFinish();
  let sum: u32 = 0;
  const bytes = scan.rowBytes;
  for (let index: u32 = 0; index < kept; index++) {
    assert(poolRow(index) < scan.rows);
    const row = scan.vectors + <usize>poolRow(index) * bytes;
    sum += load<u32>(row);
    if (bytes > 64) sum += load<u32>(row, 64);
    if (bytes > 512) sum += load<u32>(row, 512);
    if (bytes > 1024) sum += load<u32>(row, 1024);
  }
  touched = sum;
  const last = kept - 1;
  for (let from: u32 = 0; from < kept; from += 4) {
    offerGroup(scan, poolRow(from), poolRow(min(from + 1, last)), poolRow(min(from + 2, last)), poolRow(min(from + 3, last)), min<u32>(4, kept - from));
  }
  return heapFinish();
}
