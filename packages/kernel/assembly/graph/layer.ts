/** SEARCH-LAYER of Malkov & Yashunin 2018 (algorithm 2), on the sorted pool; and its greedy form for the levels above. */
import {
  batch, coded, countDistances, keys, linksOf, NONE, rowBytes, scales, screenBytes, screenCodes, screenMargins, screenScales, squares, vectors,
  visited, width,
} from './index';
import { batchKeys } from './distance';
import { entryOf, FOLLOWED, poolAt, poolCount, poolInsert, poolWorst, ROW_BITS } from './pool';
import { screenBatch, screening } from './screened';
import { epoch } from './visited';

/** Codes of a row longer than this many bytes are left to the hardware's own prefetching. */
const TOUCHED_BYTES: usize = 384;
const LINE: usize = 64;
/** Of float32 rows every fourth line: the hardware fetches those between. */
const ROW_STEP: usize = 256;
let touched: u32 = 0;
let touchedLinks: u32 = 0;

/** Reads, of every row in the batch, a word every `step` bytes and its words of up to two arrays beside: all at once, so that misses overlap. */
function touch(end: usize, base: usize, stride: usize, reach: usize, step: usize, beside: usize, besides: usize): void {
  let sum: u32 = 0;
  for (let at = batch; at < end; at += 4) {
    const row = <usize>load<u32>(at), start = base + row * stride;
    if (beside) sum += load<u32>(beside + (row << 2));
    if (besides) sum += load<u32>(besides + (row << 2));
    for (let line: usize = 0; line < reach; line += step) sum += load<u32>(start + line);
  }
  touched = sum;
}

/** Every cache line of the codes that come next, and their scales: 1.4 × and 1.2 × at 100,000 × 384. */
@inline
export function touchBatch(end: usize): void {
  touch(end, vectors, rowBytes, min<usize>(rowBytes, TOUCHED_BYTES), LINE, scales, squares);
}

/**
 * Keys of the `count` rows in the batch; drops before those of float32 rows that cannot have one below `worst`, where there are codes to
 * tell. Returns how many are left.
 */
function batchKeysBelow(count: u32, worst: u32): u32 {
  const end = batch + (<usize>count << 2);
  let left = count;
  if (coded) touchBatch(end);
  else if (screening && worst != 0xffffffff && count > 0) {
    touch(end, screenCodes, screenBytes, min<usize>(screenBytes, TOUCHED_BYTES), LINE, screenScales, screenMargins);
    left = screenBatch(count, worst);
    countDistances(count - left);
    touch(batch + (<usize>left << 2), vectors, rowBytes, rowBytes, ROW_STEP, 0, 0);
  }
  batchKeys(left);
  return left;
}

/**
 * Puts the unseen neighbours of a row into the batch, marks them seen, computes their keys; returns their number. Those that are known to
 * have a key above `worst` may be left out.
 */
export function expand(row: u32, level: u32, worst: u32): u32 {
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
  return batchKeysBelow(<u32>((end - batch) >> 2), worst);
}

/** The links that are likely to be read next: both ends of the list. */
@inline
function touchLinks(row: u32, level: u32): void {
  const list = linksOf(row, level);
  touchedLinks = load<u32>(list) + load<u32>(list + (<usize>width(level) << 2) - 4);
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
    touchLinks(<u32>(load<u64>(poolAt(min(next + 1, poolCount() - 1))) & ROW_BITS), level);
    let worst = poolWorst();
    const count = expand(<u32>(entry & ROW_BITS), level, worst);
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
      count = batchKeysBelow(count, <u32>(best >> 32));
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
