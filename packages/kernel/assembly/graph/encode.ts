/**
 * Stores rows: as they are, or as int8 codes with a scale of their own (no training, so a row's codes depend on the row alone):
 *
 *   code = round(v / scale), scale = largest |v| / 127;  residual code = round((v − scale·code) / (scale / 254)), when they are kept
 *
 * For COSINE the scale is divided by the norm, so that products are cosines. A row whose scale is no finite positive number (a zero vector,
 * overflow, NaN) gets scale 0 and codes 0: it scores as a zero vector.
 */
import { COSINE, L2 } from '../distance/score';
import { divisor, sumOfSquares } from '../rows/norms';
import { attach, levelOf, m, metric, rowBytes, scales, seed, upper, upperStart, links, vectors, width } from './index';
import { encodeBits, prepareBits } from './bits';
import { setQuery } from './distance';
import { GraphPlan } from './plan';
import { encodeQuery, largestMagnitude } from './query-codes';
import { rotate } from './rotate';
import { screenQuery } from './screened';

const LARGEST: f32 = 127;
/** Residual codes are this much finer: they fill half a step with 127 of theirs. */
export const FINER: f32 = 254;
/** Outside of these float32 products lose digits or overflow. */
const SMALLEST_NORM: f64 = 8.881784197001252e-16; // 2^-50
const LARGEST_NORM: f64 = 1152921504606846976; // 2^60

@inline
function storeCodes(codes: usize, code: v128): void {
  const words = i16x8.narrow_i32x4_s(code, code);
  store<u32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_s(words, words), 0));
}

/** Copies `dim` floats to the workspace, rotated if the index wants it, with zeros up to a whole register. */
export function prepare(plan: GraphPlan, source: usize): usize {
  const target = plan.query, floats = <usize>plan.dim << 2, padded = (floats + 31) & ~31;
  if (target != source) memory.copy(target, source, floats);
  memory.fill(target + floats, 0, padded - floats);
  if (plan.rotated) rotate(target, plan.dim, plan.seed);
  return target;
}

/** Writes the codes of one row and what goes with them. */
function encode(plan: GraphPlan, row: u32, source: usize): void {
  const vector = prepare(plan, source), bytes = (<usize>plan.dim * 4 + 15) & ~15;
  const codes = vectors + <usize>row * rowBytes, fine = plan.residuals ? plan.residuals + <usize>row * rowBytes : 0;
  memory.fill(codes, 0, rowBytes);
  if (fine) memory.fill(fine, 0, rowBytes);
  const norm = Math.sqrt(sumOfSquares(vector, bytes));
  const at = <usize>row << 2;
  let scale: f32 = norm >= SMALLEST_NORM && norm <= LARGEST_NORM ? largestMagnitude(vector, bytes) / LARGEST : 0;
  if (!(scale > 0)) scale = 0;
  let coarseSquare: f64 = 0, fineSquare: f64 = 0;
  if (scale > 0) {
    const inverse = f32x4.splat(1 / scale), finer = f32x4.splat(FINER / scale), step = f32x4.splat(scale), fineStep = f32x4.splat(scale / FINER);
    for (let from: usize = 0; from < bytes; from += 16) {
      const x = v128.load(vector + from), to = from >> 2;
      const code = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse)));
      storeCodes(codes + to, code);
      const coarse = f32x4.mul(f32x4.convert_i32x4_s(code), step);
      coarseSquare += squareSum(coarse);
      if (!fine) continue;
      const rest = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(f32x4.sub(x, coarse), finer)));
      storeCodes(fine + to, rest);
      fineSquare += squareSum(f32x4.add(coarse, f32x4.mul(f32x4.convert_i32x4_s(rest), fineStep)));
    }
  }
  store<f32>(scales + at, metric == COSINE && scale > 0 ? <f32>(<f64>scale / norm) : scale);
  if (metric != L2) return;
  store<f32>(plan.squares + at, <f32>coarseSquare);
  if (fine) store<f32>(plan.fineSquares + at, <f32>fineSquare);
}

@inline
function squareSum(x: v128): f64 {
  const squares = f32x4.mul(x, x);
  return <f64>f32x4.extract_lane(squares, 0) + <f64>f32x4.extract_lane(squares, 1) + <f64>f32x4.extract_lane(squares, 2) + <f64>f32x4.extract_lane(squares, 3);
}

function storeRow(plan: GraphPlan, row: u32, source: usize): void {
  const target = vectors + <usize>row * rowBytes, floats = <usize>plan.dim << 2;
  memory.copy(target, source, floats);
  memory.fill(target + floats, 0, rowBytes - floats);
  if (metric == COSINE) store<f32>(scales + (<usize>row << 2), divisor(Math.sqrt(sumOfSquares(target, rowBytes))));
}

/**
 * Stores `count` rows of `dim` floats, `stride` bytes apart, from row `first` on: codes or floats, and empty lists of links.
 * The host has made room and counts them in the header.
 */
export function graphStore(plan: GraphPlan, source: usize, stride: usize, first: u32, count: u32): void {
  attach(plan);
  assert(first + count <= plan.rows);
  let start = first == 0 ? 0 : load<u32>(upperStart + (<usize>(first - 1) << 2)) + levelOf(seed, m, first - 1);
  for (let row = first, end = first + count; row < end; row++) {
    if (plan.coded == 2) encodeBits(plan, vectors + <usize>row * rowBytes, rowBytes, prepare(plan, source));
    else if (plan.coded) encode(plan, row, source);
    else storeRow(plan, row, source);
    const lists = levelOf(seed, m, row);
    store<u32>(upperStart + (<usize>row << 2), start);
    memory.fill(links + (<usize>row * m << 3), 0xff, <usize>m << 3);
    memory.fill(upper + (<usize>start * m << 2), 0xff, <usize>lists * m << 2);
    start += lists;
    source += stride;
  }
}

/**
 * By how much, times a row's scale, its exact score may lie above the one by its codes; ∞: nothing is known. With v̂ = scale·c and q̂ as coded
 *
 *   q·v = q̂·v̂ + (q − q̂)·v̂ + q·(v − v̂) ≤ q̂·v̂ + scale (127 √dim ‖q − q̂‖ + ‖q‖₁ (½ + rounding))
 *
 * where ‖q − q̂‖ ≤ ε‖q‖; `SPARE` covers what float32 arithmetic and rotating add, as δ does in `screen/encode.ts`. For COSINE the scale is
 * divided by the row's norm, and so is everything here. L2 has no such bound: there the error grows with the distance.
 */
export let spread: f32 = Infinity;
/** Roundings beside the chain of additions; those of the two rotations are 27 each. */
const SPARE: f64 = 256;
const UNIT_ROUNDOFF: f64 = 5.960464477539063e-8; // 2^-24

function sumOfMagnitudes(vector: usize, bytes: usize): f64 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) sum = f32x4.add(sum, f32x4.abs(v128.load(vector + at)));
  return <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1) + <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
}

function spreadOf(vector: usize, bytes: usize, largest: f32, norm: f64): f32 {
  if (metric == L2 || !(norm >= SMALLEST_NORM && norm <= LARGEST_NORM)) return Infinity;
  const dim = <f64>(bytes >> 2), root = Math.sqrt(dim);
  const relative = (0.52 * root) / largest + (dim / 4 + SPARE) * UNIT_ROUNDOFF;
  return <f32>(sumOfMagnitudes(vector, bytes) * 0.51 + 127.5 * root * relative * norm);
}

/** Makes the `dim` floats at `plan.query` (of length 1 for COSINE) the query of what follows. */
export function prepareQuery(plan: GraphPlan): void {
  const vector = prepare(plan, plan.query);
  spread = Infinity;
  if (plan.coded == 2) return prepareBits(plan, vector);
  if (!plan.coded) {
    memory.fill(vector + (<usize>plan.dim << 2), 0, rowBytes - (<usize>plan.dim << 2));
    setQuery(vector, 1, 0);
    screenQuery(plan, vector);
    return;
  }
  const bytes = (<usize>plan.dim * 4 + 15) & ~15, square = sumOfSquares(vector, bytes);
  const largest = <f32>min<usize>(32767, 0x7fffffff / (127 * rowBytes));
  const scale = encodeQuery(vector, bytes, plan.queryCodes, rowBytes << 1, largest);
  if (scale > 0) spread = spreadOf(vector, bytes, largest, Math.sqrt(square));
  setQuery(plan.queryCodes, scale, metric == L2 ? <f32>square : 0);
}
