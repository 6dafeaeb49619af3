/** The query's side of a list's codes; the names are those of `encode.ts`. */
import { IP, L2 } from '../distance/score';
import { CODING_BITS, CODING_NONE, ListPlan } from './plan';

/** A query has 4 bits per dimension, as in the paper: with more the estimates get hardly better. */
const HALF_STEPS: f32 = 7.5;
/** Standard deviations of the sum of the query's rounding errors, each even in half a step either way: 1.9 / √12. */
const REST_FACTOR: f32 = 0.5484828;

/** base(query, list), what a product of codes is multiplied by, ‖u‖, and a bound of what the query's own codes leave out. */
export let base: f32 = 0;
export let scale: f32 = 0;
export let norm: f32 = 0;
export let queryRest: f32 = 0;

@inline
function sumOf(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/**
 * Four planes of bits of k = round(7.5 − 7.5 u / largest |u|), so that 15 − 2k is u in steps of largest/7.5/2. Plane j of the first 64 components
 * lies at word j, of the next 64 at word 4 + j.
 */
function storePlanes(plan: ListPlan, most: f32): void {
  const planes = plan.queryCodes, rest = plan.rest, bytes = plan.floatBytes;
  memory.fill(planes, 0, plan.codeBytes << 2);
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
  clearPadding(planes, plan.dim);
}

/** Padding has no bits in rows: it must have none here. */
function clearPadding(planes: usize, dim: u32): void {
  const rest = dim & 63;
  if (rest == 0) return;
  const mask: u64 = (<u64>1 << rest) - 1, word = planes + (<usize>(dim >> 6) << 5);
  for (let plane: usize = 0; plane < 32; plane += 8) store<u64>(word + plane, load<u64>(word + plane) & mask);
}

function storeWords(plan: ListPlan, most: f32, largest: f32): void {
  const codes = plan.queryCodes, rest = plan.rest, bytes = plan.floatBytes, inverse = f32x4.splat(largest / most);
  memory.fill(codes, 0, plan.codeBytes << 1);
  for (let at: usize = 0; at < bytes; at += 16) {
    const code = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(rest + at), inverse)));
    store<u64>(codes + (at >> 1), i64x2.extract_lane(i16x8.narrow_i32x4_s(code, code), 0));
  }
}

/** Makes the list's view of the query the one that rows are compared with. */
export function enterList(plan: ListPlan, list: u32): void {
  const bytes = plan.floatBytes, query = plan.query, rest = plan.rest, centroid = plan.centroids + <usize>list * bytes;
  assert(list < plan.lists && plan.coding != CODING_NONE);
  const centred = plan.metric != IP;
  let squares = f32x4.splat(0), products = f32x4.splat(0), largest = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const q = v128.load(query + at), c = v128.load(centroid + at), u = centred ? f32x4.sub(q, c) : q;
    v128.store(rest + at, u);
    squares = f32x4.add(squares, f32x4.mul(u, u));
    products = f32x4.add(products, f32x4.mul(q, c));
    largest = f32x4.pmax(largest, f32x4.abs(u));
  }
  const square = sumOf(squares);
  base = plan.metric == L2 ? -square : sumOf(products);
  norm = Mathf.sqrt(square);
  const most = max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  scale = 0;
  queryRest = 0;
  if (plan.coding == CODING_BITS) {
    const usable = most > 0 && HALF_STEPS / most < Infinity;
    if (usable) {
      storePlanes(plan, most);
      scale = most / HALF_STEPS * 0.5;
      queryRest = REST_FACTOR * (most / HALF_STEPS) * Mathf.sqrt(<f32>plan.dim);
    } else memory.fill(plan.queryCodes, 0, plan.codeBytes << 2);
    return;
  }
  // No sum of products may leave 32 bits.
  const most16 = <f32>min<usize>(32767, 0x7fffffff / (127 * plan.codeBytes));
  const usable = most > 0 && most16 / most < Infinity;
  if (usable) {
    storeWords(plan, most, most16);
    scale = most / most16;
  } else memory.fill(plan.queryCodes, 0, plan.codeBytes << 1);
}
