/**
 * The rows' side of one-bit codes (RaBitQ, Gao & Long 2024): what estimates u·r for a row's r, which was rotated at random, from the signs of r.
 * With r = ‖r‖ o and ō = signs / √D:
 *
 *   u·r ≈ ‖r‖ (u·ō) / (o·ō) = (u·signs) · scale,  scale = ‖r‖² / ‖r‖₁
 *
 * and with x = o·ō the error is below ‖u‖ · ‖r‖ √((1 − x²)/x²) ε / √(D − 1) but for chances that fall with e^(−c ε²); ε = 1.9 as in the paper.
 */
const EPSILON: f64 = 1.9;

/** Bit i is set where component i is negative; −0 is not, so padding sets no bits. `bytes` of floats, a multiple of 32. */
export function storeSigns(rest: usize, bytes: usize, codes: usize): void {
  const zero = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 32) {
    const low = i32x4.bitmask(f32x4.lt(v128.load(rest + at), zero)), high = i32x4.bitmask(f32x4.lt(v128.load(rest + at, 16), zero));
    store<u8>(codes + (at >> 5), <u8>(low | (high << 4)));
  }
}

/** `square` = ‖r‖², `sum` = ‖r‖₁ > 0. */
@inline
export function signScale(square: f64, sum: f64): f64 {
  return square / sum;
}

/** The bound of the error, less ‖u‖. */
@inline
export function signError(square: f64, sum: f64, dim: u32): f64 {
  const cosine = min<f64>(1, sum / Math.sqrt(<f64>dim * square));
  return Math.sqrt(square) * Math.sqrt((1 - cosine * cosine) / (cosine * cosine)) * EPSILON / Math.sqrt(max<f64>(1, <f64>dim - 1));
}
