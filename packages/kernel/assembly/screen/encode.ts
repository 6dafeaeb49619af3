/**
 * Codes: int8 copies of float32 rows, from which a scan bounds a row's score before (mostly: instead of) computing it.
 *
 * A row v becomes v̂ = scale · c with integers c in −127..127, and r = v − v̂. The query q becomes q̂ likewise with 16-bit codes, so its own
 * rest is small: ‖q − q̂‖ ≤ ε‖q‖, ε known from the dimension alone. Then (Cauchy–Schwarz)
 *
 *   q·v = q̂·v̂ + (q − q̂)·v̂ + q·r  ≤  q̂·v̂ + ‖q‖ (ε‖v̂‖ + ‖r‖)
 *
 * and what float32 arithmetic adds is at most δ‖q‖(‖v‖ + ‖r‖) for the inner product and 2δ(‖q‖² + ‖v‖²) for the squared distance, with
 * δ = (length of the longest chain of additions + spare) · 2⁻²⁴; the spare also covers the rounding of the bound itself. Per row we keep
 *
 *   scale                               margin = ‖r‖ + (ε + δ)(‖v‖ + ‖r‖)         square = ‖v‖²(1 − 4δ)
 *
 * norms in float64, margins rounded up, squares down. Then a computed score is never above `screen.ts`'s bound. This holds while nothing
 * overflows or falls below the normal floats: rows outside of norms 2⁻⁵⁰..2⁶⁰ get the margin ∞ (always computed), such queries are not screened.
 */
import { sumOfSquares } from '../rows/norms';

const LARGEST_CODE: f32 = 127;
const SMALLEST_NORM: f64 = 8.881784197001252e-16; // 2^-50
const LARGEST_NORM: f64 = 1152921504606846976; // 2^60
/** More than the float32 rounding of a stored value. */
const ROUNDING: f64 = 1.0 / 1048576.0;

function largestMagnitude(row: usize, bytes: usize): f32 {
  let largest = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(row + at)));
  return max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

/** Writes the codes of one row and returns the sum of squares of what they leave out. */
function encodeRow(row: usize, bytes: usize, codes: usize, scale: f32): f64 {
  const inverse = f32x4.splat(1.0 / scale), exactScale = f64x2.splat(<f64>scale);
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(row + at);
    const code = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse)));
    const words = i16x8.narrow_i32x4_s(code, code);
    store<u32>(codes + (at >> 2), i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
    const x1 = v128.shuffle<i32>(x, x, 2, 3, 2, 3), code1 = v128.shuffle<i32>(code, code, 2, 3, 2, 3);
    const rest0 = f64x2.sub(f64x2.promote_low_f32x4(x), f64x2.mul(exactScale, f64x2.convert_low_i32x4_s(code)));
    const rest1 = f64x2.sub(f64x2.promote_low_f32x4(x1), f64x2.mul(exactScale, f64x2.convert_low_i32x4_s(code1)));
    low = f64x2.add(low, f64x2.mul(rest0, rest0));
    high = f64x2.add(high, f64x2.mul(rest1, rest1));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Encodes `rows` rows from `first` on. `rounding` is δ, `queryRest` ε; the other arguments as in the plan of a scan. */
export function writeCodes(
  vectors: usize, rowBytes: usize, codes: usize, codeBytes: usize, scales: usize, margins: usize, squares: usize,
  first: u32, rows: u32, rounding: f64, queryRest: f64,
): void {
  assert(codeBytes >= rowBytes >> 2);
  memory.fill(codes + <usize>first * codeBytes, 0, <usize>rows * codeBytes);
  for (let row = first, end = first + rows; row < end; row++) {
    const vector = vectors + <usize>row * rowBytes, at = <usize>row << 2;
    const square = sumOfSquares(vector, rowBytes), norm = Math.sqrt(square);
    const inRange = norm >= SMALLEST_NORM && norm <= LARGEST_NORM;
    let scale: f32 = 0, margin: f32 = norm == 0 ? 0 : Infinity;
    if (inRange) {
      scale = largestMagnitude(vector, rowBytes) / LARGEST_CODE;
      const rest = Math.sqrt(encodeRow(vector, rowBytes, codes + <usize>row * codeBytes, scale));
      margin = <f32>((rest + (queryRest + rounding) * (norm + rest)) * (1.0 + ROUNDING));
    }
    store<f32>(scales + at, scale);
    store<f32>(margins + at, margin);
    store<f32>(squares + at, inRange ? <f32>(square * (1.0 - 4.0 * rounding)) : 0);
  }
}
