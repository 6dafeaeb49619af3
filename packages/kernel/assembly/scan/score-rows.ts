import { scoreOf4 } from './group';
import { Plan } from './plan';

/** Past the end the last one is repeated: four rows are always scored together. */
@inline
function offsetAt(offsets: usize, index: u32, count: u32): u32 {
  return load<u32>(offsets + (<usize>min(index, count - 1) << 2));
}

/** Writes to `scores` the scores of the `count` rows listed at `offsets` (u32 each), in their order. */
export function scoreRows(plan: Plan, offsets: usize, count: u32, scores: usize): void {
  for (let index: u32 = 0; index < count; index += 4) {
    const result = scoreOf4(
      plan,
      offsetAt(offsets, index, count), offsetAt(offsets, index + 1, count),
      offsetAt(offsets, index + 2, count), offsetAt(offsets, index + 3, count),
    );
    const at = scores + (<usize>index << 2);
    store<f32>(at, f32x4.extract_lane(result, 0));
    if (index + 1 < count) store<f32>(at, f32x4.extract_lane(result, 1), 4);
    if (index + 2 < count) store<f32>(at, f32x4.extract_lane(result, 2), 8);
    if (index + 3 < count) store<f32>(at, f32x4.extract_lane(result, 3), 12);
  }
}
