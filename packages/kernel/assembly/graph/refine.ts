/** Re-ranking: better scores for the first candidates of the pool. */
import { offerGroup } from '../scan/group';
import { Plan } from '../scan/plan';
import { dotCodes4 } from '../screen/code-dot';
import { heapFinish, heapFloor, heapReset } from '../topk/heap';
import { attach, batch, coded, countDistances, distances, keys, rowBytes, rowAddress, scales } from './index';
import { codedScores, keysOf, padIds, queryAddressNow, queryScaleNow, querySquareNow, scoreOfKey } from './distance';
import { FINER, spread } from './encode';
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
  const coarse = dotCodes4(query, rowAddress(load<u32>(ids)), rowAddress(load<u32>(ids, 4)), rowAddress(load<u32>(ids, 8)), rowAddress(load<u32>(ids, 12)), rowBytes);
  const fine = dotCodes4(query, fineRow(plan, ids), fineRow(plan, ids + 4), fineRow(plan, ids + 8), fineRow(plan, ids + 12), rowBytes);
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

/** Candidates scored in one go: enough to overlap their cache misses, few enough that the floor rises soon. */
const CHUNK: u32 = 16;

/**
 * Scores the first `count` candidates as an exact scan would, from the float32 rows of `scan`, and writes the best of them to its hits.
 * Those whose score cannot reach the floor (`spread`) are left out: the hits are the same. Lines 0, 1, 8 and 16 of every row are touched
 * first: the hardware fetches those between.
 */
export function graphRerank(plan: GraphPlan, scan: Plan, count: u32): u32 {
  const counted = distances;
  attach(plan);
  countDistances(counted);
  const kept = min(count, poolCount()), bytes = scan.rowBytes, bounded = spread < Infinity;
  heapReset(scan.hits, scan.k, scan.minScore, scan.maxScore);
  let index: u32 = 0, sum: u32 = 0;
  while (index < kept) {
    const floor = heapFloor();
    let end = batch;
    for (const full = batch + (<usize>CHUNK << 2); index < kept && end < full; index++) {
      const row = poolRow(index);
      if (bounded) {
        const scale = load<f32>(scales + (<usize>row << 2));
        // No scale, no code: nothing is known about such a row.
        if (scale > 0 && scoreOfKey(<u32>(load<u64>(poolAt(index)) >> 32)) + spread * scale < floor) continue;
      }
      assert(row < scan.rows);
      const line = scan.vectors + <usize>row * bytes;
      sum += load<u32>(line);
      if (bytes > 64) sum += load<u32>(line, 64);
      if (bytes > 512) sum += load<u32>(line, 512);
      if (bytes > 1024) sum += load<u32>(line, 1024);
      store<u32>(end, row);
      end += 4;
    }
    if (end == batch) break;
    const taken = <u32>((end - batch) >> 2);
    padIds(batch, taken);
    for (let at: u32 = 0; at < taken; at += 4) {
      const ids = batch + (<usize>at << 2);
      offerGroup(scan, load<u32>(ids), load<u32>(ids, 4), load<u32>(ids, 8), load<u32>(ids, 12), min<u32>(4, taken - at));
    }
  }
  touched = sum;
  return heapFinish();
}
