/** Codes of queries: 16 bits, so that only the coding of rows loses anything. */
export function largestMagnitude(row: usize, bytes: usize): f32 {
  let largest = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(row + at)));
  return max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

/**
 * Writes a query's 16-bit codes, padded with zeros to `room` bytes, and returns their scale. They are as large as no sum of products can
 * overflow: only the rows' coding loses anything.
 */
export function encodeQuery(vector: usize, bytes: usize, codes: usize, room: usize, largest: f32): f32 {
  const magnitude = largestMagnitude(vector, bytes), scale = magnitude / largest, inverse = largest / magnitude;
  memory.fill(codes, 0, room);
  if (!(scale > 0) || !(inverse < Infinity)) return 0;
  for (let from: usize = 0; from < bytes; from += 16) {
    const code = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(vector + from), f32x4.splat(inverse))));
    store<u64>(codes + (from >> 1), i64x2.extract_lane(i16x8.narrow_i32x4_s(code, code), 0));
  }
  return scale;
}
