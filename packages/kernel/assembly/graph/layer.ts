/** SEARCH-LAYER of Malkov & Yashunin 2018 (algorithm 2), on the sorted pool; and its greedy form for the levels above. */
import { batch, coded, keys, linksOf, NONE, rowAddress, rowBytes, visited, width } from './index';
import { batchKeys } from './distance';
import { entryOf, FOLLOWED, poolAt, poolCount, poolInsert, poolWorst, ROW_BITS } from './pool';
import { epoch } from './visited';

/** Codes of a row longer than this many bytes are left to the hardware's own prefetching. */
const TOUCHED_BYTES: usize = 384;
let touched: u32 = 0;

/**
 * Reads a word of every cache line of the codes that come next, all at once, so that their misses overlap: 1.4 × at 100,000 × 384.
 * float32 rows gain nothing: four rows at a time keep enough misses in flight.
 */
@inline
export function touchBatch(end: usize): void {
  const bytes = min<usize>(rowBytes, TOUCHED_BYTES);
  let sum: u32 = 0;
  for (let at = batch; at < end; at += 4) {
    const row = rowAddress(load<u32>(at));
    for (let line: usize = 0; line < bytes; line += 64) sum += load<u32>(row + line);
  }
  touched = sum;
}

/** Puts the unseen neighbours of a row into the batch, marks them seen, computes their keys; returns their number. */
@inline
export function expand(row: u32, level: u32): u32 {
  const seen = visited, now = epoch;
  let link = linksOf(row, level), end = batch;
  const last = link + (<usize>width(level) << 2);
  for (; link < last; link += 4) {
    const id = load<u32>(link);
    if (id == NONE) break;
    const mark = seen + id;
    const fresh: usize = load<u8>(mark) != now ? 4 : 0;
    store<u8>(mark, <u8>now);
    store<u32>(end, id);
    end += fresh;
  }
  if (coded) touchBatch(end);
  const count = <u32>((end - batch) >> 2);
  batchKeys(count);
  return count;
}

/** From the entries of the pool on; afterwards it holds the best that were found, all followed. Its capacity is `ef`. */
export function searchLayer(level: u32): void {
  let next: u32 = 0;
  while (next < poolCount()) {
    const at = poolAt(next), entry = load<u64>(at);
    if (entry & FOLLOWED) {
      next++;
      continue;
    }
    store<u64>(at, entry | FOLLOWED);
    const count = expand(<u32>(entry & ROW_BITS), level);
    let worst = poolWorst();
    for (let index: u32 = 0; index < count; index++) {
      const key = load<u32>(keys + (<usize>index << 2));
      // A key equal to the worst one does not enter: with many equal rows that saves going through all of them.
      if (key >= worst) continue;
      const place = poolInsert(entryOf(key, load<u32>(batch + (<usize>index << 2))));
      if (place < next) next = place;
      worst = poolWorst();
    }
  }
}

/** The best row reachable from `start` by steps that get better, on the levels from `from` down to `to`. */
export function descend(start: u64, from: i32, to: i32): u64 {
  let best = start;
  for (let level = from; level >= to; level--) {
    let better = true;
    while (better) {
      better = false;
      const list = linksOf(<u32>best, level), size = width(level);
      let count: u32 = 0;
      for (; count < size; count++) {
        const id = load<u32>(list + (<usize>count << 2));
        if (id == NONE) break;
        store<u32>(batch + (<usize>count << 2), id);
      }
      batchKeys(count);
      for (let index: u32 = 0; index < count; index++) {
        const entry = entryOf(load<u32>(keys + (<usize>index << 2)), load<u32>(batch + (<usize>index << 2)));
        if (entry < best) {
          best = entry;
          better = true;
        }
      }
    }
  }
  return best;
}

/** The entry of one row against the query. */
export function entryFor(row: u32): u64 {
  store<u32>(batch, row);
  batchKeys(1);
  return entryOf(load<u32>(keys), row);
}
