/** INSERT and SELECT-NEIGHBORS-HEURISTIC of Malkov & Yashunin 2018 (algorithms 1 and 4). */
import { L2 } from '../distance/score';
import {
  attach, batch, coded, countDistances, entryRow, kept, keys, levelOf, linkedRows, linksOf, m, maxLevel, metric, NONE, rowAddress, rowBytes,
  screenCodes, seed, selected, setEntry, setLinked, sorted, width,
} from './index';
import { padIds, rowKeys4, rowScale, rowSquare, setQuery } from './distance';
import { descend, entryFor, searchLayer } from './layer';
import { GraphPlan } from './plan';
import { entryOf, FOLLOWED, poolAt, poolCount, poolInsert, poolReset, ROW_BITS, sortEntries } from './pool';
import { nearerByCodes, screenQuery, SOME_ROW, UNKNOWN } from './screened';
import { markSeen, newEpoch } from './visited';

/**
 * Of the ascending `candidates`, those that are nearer to the base than to any selected before, at most `most`; writes their rows to `out`
 * (room for three more) and their entries to `entries`. Fewer candidates than places are all taken.
 */
function selectNeighborsHeuristic(candidates: usize, count: u32, most: u32, out: usize, entries: usize): u32 {
  let taken: u32 = 0;
  const all = count < most;
  for (let index: u32 = 0; index < count && taken < most; index++) {
    const entry = load<u64>(candidates + (<usize>index << 3)) & ~FOLLOWED;
    const row = <u32>(entry & ROW_BITS);
    if (!all && isCovered(row, <u32>(entry >> 32), out, taken)) continue;
    const at = out + (<usize>taken << 2);
    // Four times, so that the next comparison of four has no strangers in it.
    v128.store(at, i32x4.splat(row));
    store<u64>(entries + (<usize>taken << 3), entry);
    taken++;
  }
  return taken;
}

/** Whether a selected row is nearer to `row` than the base is. */
@inline
function isCovered(row: u32, key: u32, selected: usize, count: u32): bool {
  const limit = i32x4.splat(key);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) {
    const known = !coded && screenCodes ? nearerByCodes(row, key, selected + at) : UNKNOWN;
    if (known == SOME_ROW) return true;
    if (known == UNKNOWN && v128.any_true(i32x4.lt_u(rowKeys4(row, selected + at), limit))) return true;
  }
  return false;
}

/** Adds `row` to the links of `base`; when they are full, selects anew among them and `row`. */
function connect(base: u32, row: u32, key: u32, level: u32): void {
  const size = width(level), list = linksOf(base, level);
  // Links are filled from the front: a full list shows at its end.
  if (load<u32>(list + (<usize>(size - 1) << 2)) == NONE) {
    let place = list;
    while (load<u32>(place) != NONE) place += 4;
    store<u32>(place, row);
    return;
  }
  memory.copy(batch, list, <usize>size << 2);
  padIds(batch, size);
  store<u64>(sorted, entryOf(key, row));
  for (let at: u32 = 0; at < size; at += 4) {
    const four = rowKeys4(base, batch + (<usize>at << 2));
    v128.store(keys + (<usize>at << 2), four);
  }
  for (let index: u32 = 0; index < size; index++) {
    const at = <usize>index << 2;
    store<u64>(sorted + (<usize>(index + 1) << 3), entryOf(load<u32>(keys + at), load<u32>(batch + at)));
  }
  sortEntries(sorted, size + 1);
  const taken = selectNeighborsHeuristic(sorted, size + 1, size, batch, kept);
  memory.copy(list, batch, <usize>taken << 2);
  memory.fill(list + (<usize>taken << 2), 0xff, <usize>(size - taken) << 2);
}

/** Widens the codes of a row to the i16 of a query. */
function widen(codes: usize, out: usize): void {
  for (let at: usize = 0; at < rowBytes; at += 8) v128.store(out + (at << 1), v128.load_ext<i8>(codes + at));
}

function insert(plan: GraphPlan, row: u32): void {
  const level = <i32>levelOf(seed, m, row), entry = entryRow(), top = maxLevel();
  if (entry == NONE) {
    setEntry(row, level);
    setLinked(row + 1);
    return;
  }
  let query = rowAddress(row);
  if (coded) {
    widen(query, plan.queryCodes);
    query = plan.queryCodes;
  }
  setQuery(query, rowScale(row), rowSquare(row));
  if (!coded) screenQuery(plan, query);
  let best = descend(entryFor(entry), top, level + 1);
  for (let on = min(level, top); on >= 0; on--) {
    newEpoch(plan.visitedBytes);
    poolReset(plan.pool, plan.efConstruction);
    poolInsert(best);
    markSeen(<u32>best);
    searchLayer(on);
    best = load<u64>(poolAt(0)) & ~FOLLOWED;
    const taken = selectNeighborsHeuristic(poolAt(0), poolCount(), m, selected, sorted);
    memory.copy(linksOf(row, on), selected, <usize>taken << 2);
    // `connect` uses `sorted` itself: the entries wait behind the pool's, which are no longer needed.
    const entries = poolAt(0);
    memory.copy(entries, sorted, <usize>taken << 3);
    for (let index: u32 = 0; index < taken; index++) {
      const neighbour = load<u64>(entries + (<usize>index << 3));
      connect(<u32>(neighbour & ROW_BITS), row, <u32>(neighbour >> 32), on);
    }
  }
  // Only now: nobody finds a row before all its links are there.
  setLinked(row + 1);
  if (level > top) setEntry(row, level);
}

/** Links up to `count` more of the stored rows; returns the distances that took. */
export function graphLink(plan: GraphPlan, count: u32): void {
  attach(plan);
  const first = linkedRows(), end = min<u32>(plan.rows, first + count);
  for (let row = first; row < end; row++) insert(plan, row);
}
