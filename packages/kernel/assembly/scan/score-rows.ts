import { score4 } from '../distance/score';

/** Writes to `scores` the scores of the `count` rows listed at `offsets` (u32 each), in their order. Other arguments as in `scan`. */
export function scoreRows(
  metric: u32, query: usize, vectors: usize, bytes: usize, norms: usize, offsets: usize, count: u32, scores: usize,
): void {
  for (let index: u32 = 0; index < count; index += 4) {
    const a = offsetAt(offsets, index, count), b = offsetAt(offsets, index + 1, count);
    const c = offsetAt(offsets, index + 2, count), d = offsetAt(offsets, index + 3, count);
    const divisors = norms
      ? f32x4(load<f32>(norms + (a << 2)), load<f32>(norms + (b << 2)), load<f32>(norms + (c << 2)), load<f32>(norms + (d << 2)))
      : f32x4.splat(1);
    const result = score4(metric, query, vectors + a * bytes, vectors + b * bytes, vectors + c * bytes, vectors + d * bytes, bytes, divisors);
    const at = scores + (<usize>index << 2);
    store<f32>(at, f32x4.extract_lane(result, 0));
    if (index + 1 < count) store<f32>(at, f32x4.extract_lane(result, 1), 4);
    if (index + 2 < count) store<f32>(at, f32x4.extract_lane(result, 2), 8);
    if (index + 3 < count) store<f32>(at, f32x4.extract_lane(result, 3), 12);
  }
}

/** Past the end the last one is repeated: four rows are always scored together. */
@inline
function offsetAt(offsets: usize, index: u32, count: u32): usize {
  return <usize>load<u32>(offsets + (<usize>min(index, count - 1) << 2));
}
