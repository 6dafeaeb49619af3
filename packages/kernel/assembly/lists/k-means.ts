/** The steps of Lloyd's k-means, in one order: the host slices them and chooses the first centroids. */
import { squaredL2x4 } from '../distance/squared-l2';

/** Writes for each of `count` rows the nearest of the centroids (the first of equals), u32 each. Returns how many of them changed. */
export function listsAssign(rows: usize, bytes: usize, count: u32, centroids: usize, lists: u32, out: usize): u32 {
  assert(bytes % 16 == 0 && lists > 0);
  let changed: u32 = 0;
  const last = lists - 1;
  for (let row: u32 = 0; row < count; row++) {
    const x = rows + <usize>row * bytes;
    let best: u32 = 0, least: f32 = Infinity;
    for (let list: u32 = 0; list < lists; list += 4) {
      const b = min(list + 1, last), c = min(list + 2, last), d = min(list + 3, last);
      const distances = squaredL2x4(
        x, centroids + <usize>list * bytes, centroids + <usize>b * bytes, centroids + <usize>c * bytes, centroids + <usize>d * bytes, bytes,
      );
      if (!v128.any_true(f32x4.lt(distances, f32x4.splat(least)))) continue;
      const first = f32x4.extract_lane(distances, 0), second = f32x4.extract_lane(distances, 1);
      const third = f32x4.extract_lane(distances, 2), fourth = f32x4.extract_lane(distances, 3);
      if (first < least) { least = first; best = list; }
      if (second < least) { least = second; best = b; }
      if (third < least) { least = third; best = c; }
      if (fourth < least) { least = fourth; best = d; }
    }
    const at = out + (<usize>row << 2);
    if (load<u32>(at) != best) changed++;
    store<u32>(at, best);
  }
  return changed;
}

/** Adds each of `count` rows to the sum of its list, and counts it. */
export function listsSum(rows: usize, bytes: usize, count: u32, assigned: usize, sums: usize, counts: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    const list = <usize>load<u32>(assigned + (<usize>row << 2)), sum = sums + list * bytes, x = rows + <usize>row * bytes;
    for (let at: usize = 0; at < bytes; at += 16) v128.store(sum + at, f32x4.add(v128.load(sum + at), v128.load(x + at)));
    const counter = counts + (list << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
}

/** Makes the means of lists that have rows their centroids; the others keep theirs. */
export function listsMeans(sums: usize, counts: usize, bytes: usize, lists: u32, centroids: usize): void {
  for (let list: u32 = 0; list < lists; list++) {
    const count = load<u32>(counts + (<usize>list << 2));
    if (count == 0) continue;
    const divisor = f32x4.splat(<f32>count), from = <usize>list * bytes;
    for (let at = from, end = from + bytes; at < end; at += 16) v128.store(centroids + at, f32x4.div(v128.load(sums + at), divisor));
  }
}
