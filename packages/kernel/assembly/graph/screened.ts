/**
 * Walks over float32 rows that have int8 codes beside them (those of a screened block of the same rows): a bound of the score, read from a
 * quarter of the bytes, tells most neighbours that cannot enter the pool. Proof of the bound: `screen/encode.ts`. What is computed is what
 * would have been computed, so pools, hits and built links are the same to the last bit.
 */
import { COSINE, L2 } from '../distance/score';
import { sumOfSquares } from '../rows/norms';
import { dotCodePairs4, dotCodes4 } from '../screen/code-dot';
import { batch, metric, rowBytes, scales, screenBytes, screenCodes, screenMargins, screenScales, screenSquares } from './index';
import { gather4, padIds, queryScaleNow, rowScale, scoreOfKey } from './distance';
import { encodeQuery } from './query-codes';
import { GraphPlan } from './plan';

/** Outside of these the bound does not hold: as in `screen/encode.ts`. */
const SMALLEST_NORM: f64 = 8.881784197001252e-16; // 2^-50
const LARGEST_NORM: f64 = 1152921504606846976; // 2^60
const UNIT_ROUNDOFF: f64 = 5.960464477539063e-8; // 2^-24

/** Whether the query has codes. */
export let screening: bool = false;
let codes: usize = 0;
let scale: f32 = 0;
/** Rounded up. */
let norm: f32 = 0;
/** Rounded down. */
let square: f32 = 0;

/** Codes of the query, whose padded floats lie at `vector`: after `setQuery`. */
export function screenQuery(plan: GraphPlan, vector: usize): void {
  screening = false;
  if (!screenCodes) return;
  const stride = rowBytes >> 2, exactSquare = sumOfSquares(vector, rowBytes), exactNorm = Math.sqrt(exactSquare);
  if (!(exactNorm >= SMALLEST_NORM && exactNorm <= LARGEST_NORM)) return;
  codes = plan.queryCodes;
  scale = encodeQuery(vector, rowBytes, codes, screenBytes << 1, <f32>min<usize>(32767, 0x7fffffff / (127 * stride)));
  norm = <f32>(exactNorm * (1.0 + 1.0 / 1048576.0));
  // 1 − 4 δ; δ as `roundingOf` of `src/block/screening.ts` has it, or a little more.
  square = <f32>(exactSquare * (1.0 - 4.5 * <f64>((stride >> 3) + 65) * UNIT_ROUNDOFF));
  screening = scale > 0;
}

/** Upper bounds of the scores that `queryKeys4` would compute. */
@inline
function bounds4(ids: usize): v128 {
  const base = screenCodes, bytes = screenBytes;
  const dots = dotCodes4(
    codes,
    base + <usize>load<u32>(ids) * bytes, base + <usize>load<u32>(ids, 4) * bytes,
    base + <usize>load<u32>(ids, 8) * bytes, base + <usize>load<u32>(ids, 12) * bytes,
    bytes,
  );
  const estimate = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), gather4(screenScales, ids)), f32x4.splat(scale));
  const bound = f32x4.add(estimate, f32x4.mul(f32x4.splat(norm), gather4(screenMargins, ids)));
  if (metric == COSINE) return f32x4.div(f32x4.mul(bound, f32x4.splat(queryScaleNow())), gather4(scales, ids));
  if (metric == L2) return f32x4.sub(f32x4.sub(f32x4.add(bound, bound), gather4(screenSquares, ids)), f32x4.splat(square));
  return bound;
}

/** What codes know of rows that may be nearer. */
export const NO_ROW: u32 = 0, SOME_ROW: u32 = 1, UNKNOWN: u32 = 2;
/** More than the rounding of norms and squares (4 δ and some). */
const LARGER: f32 = 1.001;

@inline
function normsOf(squares: v128): v128 {
  return f32x4.mul(f32x4.sqrt(squares), f32x4.splat(LARGER));
}

/**
 * Whether one of the rows at `ids` has a key below `key` against the stored row. Both sides are codes of 8 bits: with q = q̂ + r and v = v̂ + s
 *
 *   |q·v − q̂·v̂| = |q·s + r·v − r·s| ≤ ‖q‖‖s‖ + ‖r‖‖v‖ + ‖r‖‖s‖,  ‖r‖ and ‖s‖ at most the margins, which cover float32 arithmetic too
 */
export function nearerByCodes(row: u32, key: u32, ids: usize): u32 {
  const base = screenCodes, bytes = screenBytes, at = <usize>row << 2, limit = f32x4.splat(scoreOfKey(key));
  const dots = dotCodePairs4(
    base + <usize>row * bytes,
    base + <usize>load<u32>(ids) * bytes, base + <usize>load<u32>(ids, 4) * bytes,
    base + <usize>load<u32>(ids, 8) * bytes, base + <usize>load<u32>(ids, 12) * bytes,
    bytes,
  );
  const margin = v128.load32_splat(screenMargins + at), square = v128.load32_splat(screenSquares + at);
  const margins = gather4(screenMargins, ids), squares = gather4(screenSquares, ids);
  const estimate = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), gather4(screenScales, ids)), v128.load32_splat(screenScales + at));
  const doubt = f32x4.mul(
    f32x4.add(f32x4.add(f32x4.mul(normsOf(square), margins), f32x4.mul(normsOf(squares), margin)), f32x4.mul(margin, margins)),
    f32x4.splat(LARGER),
  );
  let low = f32x4.sub(estimate, doubt), high = f32x4.add(estimate, doubt);
  if (metric == COSINE) {
    const factor = f32x4.splat(rowScale(row)), divisors = gather4(scales, ids);
    low = f32x4.div(f32x4.mul(low, factor), divisors);
    high = f32x4.div(f32x4.mul(high, factor), divisors);
  } else if (metric == L2) {
    const both = f32x4.add(square, squares);
    low = f32x4.sub(f32x4.add(low, low), f32x4.mul(both, f32x4.splat(LARGER)));
    high = f32x4.sub(f32x4.add(high, high), both);
  }
  if (v128.any_true(f32x4.gt(low, limit))) return SOME_ROW;
  return i32x4.all_true(f32x4.lt(high, limit)) ? NO_ROW : UNKNOWN;
}

/** Keeps those of the `count` > 0 rows in the batch whose key may be `worst` or less; a NaN may be anything. Returns their number. */
export function screenBatch(count: u32, worst: u32): u32 {
  padIds(batch, count);
  const floor = f32x4.splat(scoreOfKey(worst));
  let kept = batch;
  for (let at: u32 = 0; at < count; at += 4) {
    const ids = batch + (<usize>at << 2);
    let keeps = ~(i32x4.bitmask(f32x4.lt(bounds4(ids), floor)));
    if (count - at < 4) keeps &= (1 << (count - at)) - 1;
    const a = load<u32>(ids), b = load<u32>(ids, 4), c = load<u32>(ids, 8), d = load<u32>(ids, 12);
    store<u32>(kept, a); kept += (keeps & 1) << 2;
    store<u32>(kept, b); kept += (keeps & 2) << 1;
    store<u32>(kept, c); kept += keeps & 4;
    store<u32>(kept, d); kept += (keeps & 8) >> 1;
  }
  return <u32>((kept - batch) >> 2);
}
