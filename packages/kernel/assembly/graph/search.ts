/**
 * The steps of a search, called by the host one after the other: walk or scan fills the pool with candidates, re-ranking replaces their
 * keys by better ones, `graphHits` writes out the best. Between the steps nothing else may run on the same workspace.
 */
import { nextBit } from '../scan/bits';
import { prepareQuery } from './encode';
import { attach, batch, coded, distances, entryRow, keys, maxLevel, NONE } from './index';
import { batchKeys, scoreOfKey } from './distance';
import { frontierCount, frontierPop, frontierPush, frontierReset } from './heap';
import { descend, entryFor, expand, searchLayer, touchBatch } from './layer';
import { GraphPlan } from './plan';
import { entryOf, poolAt, poolCount, poolInsert, poolReset, poolRow, poolSetCount, poolSettle, poolWorstEntry } from './pool';
import { markSeen, newEpoch } from './visited';

/** Said by a walk that stopped because it costs more than it may; the pool is then of no use. */
const GAVE_UP: u32 = 0xffffffff;
/** Rows scored at a time by a scan: the batch has room for them. */
const SCAN_BATCH: u32 = 64;

@inline
function isSet(bitmap: usize, row: u32): bool {
  return ((load<u32>(bitmap + (<usize>(row >> 5) << 2)) >> (row & 31)) & 1) != 0;
}

/** Set bits among the first `rows`; later bits of the last word are zero. */
export function countBits(bitmap: usize, rows: u32): u32 {
  let sum: u32 = 0;
  for (let word: u32 = 0, words = (rows + 31) >> 5; word < words; word++) sum += popcnt(load<u32>(bitmap + (<usize>word << 2)));
  return sum;
}

/** Distances computed by the last call. */
export function graphDistances(): u32 {
  return distances;
}

/** Takes over the query that the host has written: first step of every search. */
export function graphQuery(plan: GraphPlan): void {
  attach(plan);
  prepareQuery(plan);
}

/** Finds the best linked rows, `ef` at most. Returns their number. */
export function graphWalk(plan: GraphPlan, ef: u32): u32 {
  attach(plan);
  assert(ef <= plan.poolCapacity);
  poolReset(plan.pool, ef);
  if (entryRow() == NONE) return 0;
  const best = descend(entryFor(entryRow()), maxLevel(), 1);
  newEpoch(plan.visitedBytes);
  poolInsert(best);
  markSeen(<u32>best);
  searchLayer(0);
  poolSettle();
  return poolCount();
}

/** Keeps only candidates whose bit is set. */
export function graphCheck(bitmap: usize): u32 {
  let taken: u32 = 0;
  for (let index: u32 = 0, count = poolCount(); index < count; index++) {
    if (isSet(bitmap, poolRow(index))) store<u64>(poolAt(taken++), load<u64>(poolAt(index)));
  }
  poolSetCount(taken);
  return taken;
}

/**
 * The same walk, but only rows whose bit is set become candidates; the others are only passed through. Gives up after `limit` distances:
 * then scanning the set bits is cheaper.
 */
export function graphWalkFiltered(plan: GraphPlan, ef: u32, bitmap: usize, limit: u32): u32 {
  attach(plan);
  assert(ef <= plan.poolCapacity);
  poolReset(plan.pool, ef);
  frontierReset(plan.heap, plan.heapCapacity);
  if (entryRow() == NONE) return 0;
  const best = descend(entryFor(entryRow()), maxLevel(), 1);
  newEpoch(plan.visitedBytes);
  markSeen(<u32>best);
  frontierPush(best);
  if (isSet(bitmap, <u32>best)) poolInsert(best);
  let worst = poolWorstEntry();
  while (frontierCount() > 0) {
    const entry = frontierPop();
    if (entry > worst) break;
    const count = expand(<u32>entry, 0, <u32>(worst >> 32));
    if (distances > limit) return GAVE_UP;
    for (let index: u32 = 0; index < count; index++) {
      const at = <usize>index << 2, row = load<u32>(batch + at), next = entryOf(load<u32>(keys + at), row);
      if (next >= worst) continue;
      if (!frontierPush(next)) return GAVE_UP;
      if (!isSet(bitmap, row)) continue;
      poolInsert(next);
      worst = poolWorstEntry();
    }
  }
  return poolCount();
}

function offerBatch(count: u32): void {
  if (coded) touchBatch(batch + (<usize>count << 2));
  batchKeys(count);
  for (let index: u32 = 0; index < count; index++) {
    const at = <usize>index << 2, entry = entryOf(load<u32>(keys + at), load<u32>(batch + at));
    if (entry < poolWorstEntry()) poolInsert(entry);
  }
}

/**
 * Scores every row from `from` on (whose bit is set, where there is a bitmap) for a new pool of `size`; 0: adds to the candidates of the
 * walk before.
 */
export function graphScan(plan: GraphPlan, size: u32, bitmap: usize, from: u32): u32 {
  attach(plan);
  assert(size <= plan.poolCapacity);
  if (size) poolReset(plan.pool, size);
  const end = plan.rows;
  let count: u32 = 0;
  for (let row = bitmap ? nextBit(bitmap, from, end) : from; row < end; row = bitmap ? nextBit(bitmap, row + 1, end) : row + 1) {
    store<u32>(batch + (<usize>count << 2), row);
    if (++count < SCAN_BATCH) continue;
    offerBatch(count);
    count = 0;
  }
  offerBatch(count);
  return poolCount();
}


/** Writes the best `k` candidates to `hits`: (row u32, score f32) each. */
export function graphHits(k: u32, hits: usize): u32 {
  const count = min(k, poolCount());
  for (let index: u32 = 0; index < count; index++) {
    const at = hits + (<usize>index << 3);
    store<u32>(at, poolRow(index));
    store<f32>(at, scoreOfKey(<u32>(load<u64>(poolAt(index)) >> 32)), 4);
  }
  return count;
}
