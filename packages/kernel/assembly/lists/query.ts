/** The query's side of a list's codes; the names are those of `encode.ts`. */
import { IP, L2 } from '../distance/score';
import { isUsable, planeRest, planeScale, storePlanes } from '../one-bit/query';
import { CODING_BITS, CODING_NONE, ListPlan } from './plan';

/** base(query, list), what a product of codes is multiplied by, ‖u‖, and a bound of what the query's own codes leave out. */
export let base: f32 = 0;
export let scale: f32 = 0;
export let norm: f32 = 0;
export let queryRest: f32 = 0;

@inline
function sumOf(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
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
    if (isUsable(most)) {
      storePlanes(rest, bytes, plan.dim, plan.queryCodes, plan.codeBytes, most);
      scale = planeScale(most);
      queryRest = planeRest(most, plan.dim);
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
