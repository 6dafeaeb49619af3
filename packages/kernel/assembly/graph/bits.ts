/**
 * One-bit codes in the graph: as those of lists (`lists/encode.ts` has the formulas), with one centroid for all rows, which the host gives. A row
 * is one record: its bits, then scale and bias (f32 each), so that a visit of a row of 384 dimensions reads one cache line.
 */
import { COSINE, IP, L2 } from '../distance/score';
import { isUsable, planeScale, signedSum, storePlanes } from '../one-bit/query';
import { signScale, storeSigns } from '../one-bit/rows';
import { sumOfSquares } from '../rows/norms';
import { metric, rowAddress } from './index';
import { GraphPlan } from './plan';
import { rotate } from './rotate';

/** Below, a row has no direction to speak of: it counts as zero. */
const SMALLEST_NORM: f64 = 1.1754943508222875e-38;

let planes: usize = 0;
let codeBytes: usize = 0;
let dim: u32 = 0;
let base: f32 = 0;
let scale: f32 = 0;

@inline
function sumOf(x: v128): f64 {
  return <f64>f32x4.extract_lane(x, 0) + <f64>f32x4.extract_lane(x, 1) + <f64>f32x4.extract_lane(x, 2) + <f64>f32x4.extract_lane(x, 3);
}

@inline
function largestOf(x: v128): f32 {
  return max<f32>(max<f32>(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)), max<f32>(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)));
}

@inline
function isFinite64(value: f64): bool {
  return value - value == 0;
}

/** Bytes of a padded float32 row: eights, so that signs fill bytes. */
@inline
function floatBytes(plan: GraphPlan): usize {
  return ((<usize>plan.dim + 7) & ~7) << 2;
}

/** Makes the `dim` floats at `vector`, which were rotated, a row of length 1. */
function normalise(vector: usize, bytes: usize): void {
  const norm = Math.sqrt(sumOfSquares(vector, bytes));
  if (norm < SMALLEST_NORM) {
    memory.fill(vector, 0, bytes);
    return;
  }
  const divisor = f32x4.splat(<f32>min<f64>(norm, <f64>f32.MAX_VALUE));
  for (let at = vector, end = vector + bytes; at < end; at += 16) v128.store(at, f32x4.div(v128.load(at), divisor));
}

/** Writes the record of the row whose rotated floats are at `vector`. */
export function encodeBits(plan: GraphPlan, record: usize, rowBytes: usize, vector: usize): void {
  const bytes = floatBytes(plan), rest = plan.rest, centroid = plan.centroid;
  if (plan.metric == COSINE) normalise(vector, bytes);
  let square: f64 = 0, sum: f64 = 0, product: f64 = 0;
  for (let at: usize = 0; at < bytes; at += 16) {
    const c = v128.load(centroid + at), r = f32x4.sub(v128.load(vector + at), c);
    v128.store(rest + at, r);
    square += sumOf(f32x4.mul(r, r));
    sum += sumOf(f32x4.abs(r));
    product += sumOf(f32x4.mul(c, r));
  }
  memory.fill(record, 0, rowBytes);
  storeSigns(rest, bytes, record);
  let factor: f64 = sum > 0 ? signScale(square, sum) * (plan.metric == L2 ? 2 : 1) : 0;
  let bias: f64 = plan.metric == L2 ? -square : plan.metric == COSINE ? product : 0;
  if (!isFinite64(<f64><f32>factor) || !isFinite64(<f64><f32>bias)) factor = bias = 0;
  store<f32>(record + plan.codeBytes, <f32>factor);
  store<f32>(record + plan.codeBytes, <f32>bias, 4);
}

/** Makes the rotated floats at `vector` the query. */
export function prepareBits(plan: GraphPlan, vector: usize): void {
  const bytes = floatBytes(plan), rest = plan.rest, centroid = plan.centroid, centred = plan.metric != IP;
  let squares: f64 = 0, products: f64 = 0, largest = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const q = v128.load(vector + at), c = v128.load(centroid + at), u = centred ? f32x4.sub(q, c) : q;
    v128.store(rest + at, u);
    squares += sumOf(f32x4.mul(u, u));
    products += sumOf(f32x4.mul(q, c));
    largest = f32x4.pmax(largest, f32x4.abs(u));
  }
  planes = plan.queryCodes;
  codeBytes = plan.codeBytes;
  dim = plan.dim;
  base = <f32>(plan.metric == L2 ? -squares : products);
  const most = largestOf(largest);
  scale = isUsable(most) ? planeScale(most) : 0;
  if (isUsable(most)) storePlanes(rest, bytes, dim, planes, codeBytes, most);
  else memory.fill(planes, 0, codeBytes << 2);
}

/** The estimate of a row's score; a NaN is the caller's to order. */
@inline
export function bitScore(row: u32): f32 {
  const record = rowAddress(row), sum = <f32>signedSum(record, planes, codeBytes, dim);
  const score = (base + load<f32>(record + codeBytes, 4)) + sum * load<f32>(record + codeBytes) * scale;
  return metric == L2 ? min<f32>(score, 0) : score;
}

/** Rotates the centroid that the host has written to the index. */
export function graphCentroid(plan: GraphPlan): void {
  rotate(plan.centroid, plan.dim, plan.seed);
}
