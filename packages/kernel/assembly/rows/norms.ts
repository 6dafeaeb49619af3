/** Smallest normal float32: below it a reciprocal or a quotient has no digits left to trust. */
const SMALLEST_NORMAL: f64 = 1.1754943508222875e-38;

/** Sum of squares in float64, where the square of any float32 fits. `bytes` is a multiple of 16. */
@inline
export function sumOfSquares(row: usize, bytes: usize): f64 {
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(row + at);
    const x0 = f64x2.promote_low_f32x4(x);
    const x1 = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(x0, x0));
    high = f64x2.add(high, f64x2.mul(x1, x1));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/**
 * What COSINE divides a row's inner product by. A zero vector (or one below the smallest normal float32) gets ∞, so that it scores 0;
 * a norm beyond float32 is held at the largest finite one.
 */
@inline
export function divisor(norm: f64): f32 {
  if (norm < SMALLEST_NORMAL) return Infinity;
  return <f32>min<f64>(norm, <f64>f32.MAX_VALUE);
}

/** Writes the divisors of `rows` rows from `first` on. */
export function writeNorms(vectors: usize, bytes: usize, norms: usize, first: u32, rows: u32): void {
  for (let row = first, end = first + rows; row < end; row++) {
    store<f32>(norms + (<usize>row << 2), divisor(Math.sqrt(sumOfSquares(vectors + <usize>row * bytes, bytes))));
  }
}
