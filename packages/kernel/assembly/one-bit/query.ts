/** The query's side of one-bit codes: 4 bits per dimension, as in the paper; with more the estimates get hardly better. */
const HALF_STEPS: f32 = 7.5;
/** Standard deviations of the sum of the query's rounding errors, each even in half a step either way: 1.9 / √12. */
const REST_FACTOR: f32 = 0.5484828;

/** Whether planes can be made for a query whose largest magnitude this is. */
@inline
export function isUsable(most: f32): bool {
  return most > 0 && HALF_STEPS / most < Infinity;
}

/** What sums of signs are multiplied by. */
@inline
export function planeScale(most: f32): f32 {
  return most / HALF_STEPS * 0.5;
}

/** A bound (as sure as the paper's) of what rounding the query changes in u·signs. */
@inline
export function planeRest(most: f32, dim: u32): f32 {
  return REST_FACTOR * (most / HALF_STEPS) * Mathf.sqrt(<f32>dim);
}

/**
 * Writes four planes of bits of k = round(7.5 − 7.5 u / largest |u|), so that 15 − 2k is u in units of `planeScale`. Plane j of the first 64
 * components lies at word j, of the next 64 at word 4 + j: `codeBytes` · 4 in all. `bytes` of floats at `rest`, a multiple of 32.
 */
export function storePlanes(rest: usize, bytes: usize, dim: u32, planes: usize, codeBytes: usize, most: f32): void {
  memory.fill(planes, 0, codeBytes << 2);
  const factor = f32x4.splat(-HALF_STEPS / most), middle = f32x4.splat(8);
  for (let at: usize = 0; at < bytes; at += 32) {
    const low = i32x4.trunc_sat_f32x4_u(f32x4.add(f32x4.mul(v128.load(rest + at), factor), middle));
    const high = i32x4.trunc_sat_f32x4_u(f32x4.add(f32x4.mul(v128.load(rest + at, 16), factor), middle));
    const words = i16x8.narrow_i32x4_s(low, high), place = planes + ((at >> 8) << 5) + ((at >> 5) & 7);
    store<u8>(place, <u8>i16x8.bitmask(i16x8.shl(words, 15)));
    store<u8>(place + 8, <u8>i16x8.bitmask(i16x8.shl(words, 14)));
    store<u8>(place + 16, <u8>i16x8.bitmask(i16x8.shl(words, 13)));
    store<u8>(place + 24, <u8>i16x8.bitmask(i16x8.shl(words, 12)));
  }
  clearPadding(planes, dim);
}

/** Padding has no bits in rows: it must have none here. */
function clearPadding(planes: usize, dim: u32): void {
  const rest = dim & 63;
  if (rest == 0) return;
  const mask: u64 = (<u64>1 << rest) - 1, word = planes + (<usize>(dim >> 6) << 5);
  for (let plane: usize = 0; plane < 32; plane += 8) store<u64>(word + plane, load<u64>(word + plane) & mask);
}

/** (15 − 2k)·signs: agreeing bits less differing ones, plane j with weight 2^j. `bytes` is a multiple of 8. */
@inline
export function signedSum(codes: usize, planes: usize, bytes: usize, dim: u32): i32 {
  let first: u64 = 0, second: u64 = 0, third: u64 = 0, fourth: u64 = 0;
  for (const end = codes + bytes; codes < end; codes += 8, planes += 32) {
    const word = load<u64>(codes);
    first += popcnt<u64>(word ^ load<u64>(planes));
    second += popcnt<u64>(word ^ load<u64>(planes, 8));
    third += popcnt<u64>(word ^ load<u64>(planes, 16));
    fourth += popcnt<u64>(word ^ load<u64>(planes, 24));
  }
  return <i32>(15 * dim) - <i32>(2 * <u32>(first + 2 * second + 4 * third + 8 * fourth));
}
