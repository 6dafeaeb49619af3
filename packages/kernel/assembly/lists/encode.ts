/**
 * Codes of rows relative to the centroid of their list. With c the centroid, r = v − c, and u what the query is compared with r as:
 *
 *   L2      −‖q − v‖² = −‖u‖² − ‖r‖² + 2 u·r      u = q − c       base −‖u‖²   bias −‖r‖²   factor 2
 *   COSINE       q·v  = q·c + c·r + u·r           u = q − c       base q·c     bias c·r     factor 1   (rows and queries of length 1)
 *   IP           q·v  = q·c + u·r                 u = q           base q·c     bias 0       factor 1
 *
 * so every score is base(query, list) + bias(row) + factor · u·r, and only u·r is estimated from codes:
 *
 *   int8   r̂ = s · code, s = largest |r| / 127                                      scale = factor · s
 *   bits   the signs of r, and with the names of `one-bit/rows.ts`                   scale = factor · its scale, error = factor · its error
 *
 * Values that are no finite number make all of a row's numbers 0: such a row is as good as its centroid.
 */
import { COSINE, L2 } from '../distance/score';
import { signError, signScale, storeSigns } from '../one-bit/rows';
import { CODING_BITS, ListPlan } from './plan';

const LARGEST_CODE: f32 = 127;

@inline
function sumOf(x: v128): f64 {
  return <f64>f32x4.extract_lane(x, 0) + <f64>f32x4.extract_lane(x, 1) + <f64>f32x4.extract_lane(x, 2) + <f64>f32x4.extract_lane(x, 3);
}

@inline
function isFinite64(value: f64): bool {
  return value - value == 0;
}

function storeInt8(plan: ListPlan, rest: usize, codes: usize, scale: f32): void {
  const inverse = f32x4.splat(<f32>1 / scale);
  for (let at: usize = 0, end = plan.floatBytes; at < end; at += 16) {
    const code = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(rest + at), inverse)));
    const words = i16x8.narrow_i32x4_s(code, code);
    store<u32>(codes + (at >> 2), i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
  }
}

function encode(plan: ListPlan, row: usize, list: u32, slot: u32): void {
  const bytes = plan.floatBytes, rest = plan.rest, centroid = plan.centroids + <usize>list * bytes;
  let square: f64 = 0, sum: f64 = 0, product: f64 = 0, largest = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const c = v128.load(centroid + at), r = f32x4.sub(v128.load(row + at), c), magnitude = f32x4.abs(r);
    v128.store(rest + at, r);
    square += sumOf(f32x4.mul(r, r));
    sum += sumOf(magnitude);
    product += sumOf(f32x4.mul(c, r));
    largest = f32x4.pmax(largest, magnitude);
  }
  const at = <usize>slot << 2, codes = plan.codes + <usize>slot * plan.codeBytes;
  const metric = plan.metric, factor: f64 = metric == L2 ? 2 : 1;
  let scale: f64 = 0, error: f64 = 0, bias: f64 = metric == L2 ? -square : metric == COSINE ? product : 0;
  memory.fill(codes, 0, plan.codeBytes);
  if (plan.coding == CODING_BITS) {
    if (sum > 0) {
      scale = factor * signScale(square, sum);
      error = factor * signError(square, sum, plan.dim);
    }
    storeSigns(rest, bytes, codes);
  } else {
    const most = max<f32>(
      max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
      max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    const step = most / LARGEST_CODE;
    if (step > 0 && <f32>1 / step < Infinity) {
      scale = factor * <f64>step;
      storeInt8(plan, rest, codes, step);
    }
  }
  if (!isFinite64(<f64><f32>scale) || !isFinite64(<f64><f32>bias) || !isFinite64(<f64><f32>error)) scale = bias = error = 0;
  store<f32>(plan.scales + at, <f32>scale);
  store<f32>(plan.biases + at, <f32>bias);
  if (plan.errors) store<f32>(plan.errors + at, <f32>error);
}

/** Encodes `count` loaded rows (`listsLoad`) at `rows`: row i belongs to the list `lists[i]` and goes to `slots[i]`, u32 each. */
export function listsEncode(plan: ListPlan, rows: usize, count: u32, lists: usize, slots: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    const at = <usize>row << 2, list = load<u32>(lists + at), slot = load<u32>(slots + at);
    assert(list < plan.lists && slot < plan.rows);
    encode(plan, rows + <usize>row * plan.floatBytes, list, slot);
  }
}
