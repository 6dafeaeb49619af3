/**
 * Keys of four rows at a time. A key is the score in ordered bits, complemented: the best score has the smallest key, so that pools ascend.
 * With float32 rows the scores are those of an exact scan (`distance/score.ts`), bit for bit: same order of additions, same divisors.
 */
import { COSINE, L2 } from '../distance/score';
import { sumLanes } from '../distance/sum';
import { dotCodePairs4, dotCodes4 } from '../screen/code-dot';
import { bitScore } from './bits';
import { batch, bits, coded, countDistances, keys, metric, rowAddress, rowBytes, scales, squares } from './index';

/** What four rows are compared with: a query or a row. */
let query: usize = 0;
let queryScale: f32 = 1;
let querySquare: f32 = 0;

/** `address`: float32 (scale 1; or 1 / norm of a row for COSINE), or i16 codes with their scale; `square`: its squared norm, for coded L2. */
export function setQuery(address: usize, scale: f32, square: f32): void {
  query = address;
  queryScale = scale;
  querySquare = square;
}

@inline
export function queryScaleNow(): f32 {
  return queryScale;
}
@inline
export function querySquareNow(): f32 {
  return querySquare;
}
@inline
export function queryAddressNow(): usize {
  return query;
}

/** −0 becomes +0 and NaN −∞ as in every score, then ordered bits, complemented. */
@inline
export function keysOf(scores: v128): v128 {
  const canonical = f32x4.pmax(f32x4.splat(-Infinity), f32x4.add(scores, f32x4.splat(0)));
  return v128.not(v128.xor(canonical, v128.or(i32x4.shr_s(canonical, 31), i32x4.splat(0x80000000))));
}

@inline
export function scoreOfKey(key: u32): f32 {
  const bits = ~key;
  return reinterpret<f32>(bits ^ (<u32>(~(<i32>bits) >> 31) | 0x80000000));
}

@inline
export function gather4(values: usize, ids: usize): v128 {
  return f32x4(
    load<f32>(values + (<usize>load<u32>(ids) << 2)),
    load<f32>(values + (<usize>load<u32>(ids, 4) << 2)),
    load<f32>(values + (<usize>load<u32>(ids, 8) << 2)),
    load<f32>(values + (<usize>load<u32>(ids, 12) << 2)),
  );
}

@inline
function times(sum: v128, x: v128, row: usize): v128 {
  return f32x4.add(sum, f32x4.mul(x, v128.load(row)));
}

/** As `dot4` of exact scans, four registers a turn: the sum is the same. */
function dotRows4(x: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let a0 = f32x4.splat(0), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0;
  const end = x + rowBytes, turns = x + (rowBytes & ~63);
  while (x < turns) {
    let u = v128.load(x), v = v128.load(x, 16);
    a0 = times(a0, u, a); b0 = times(b0, u, b); c0 = times(c0, u, c); d0 = times(d0, u, d);
    a1 = times(a1, v, a + 16); b1 = times(b1, v, b + 16); c1 = times(c1, v, c + 16); d1 = times(d1, v, d + 16);
    u = v128.load(x, 32); v = v128.load(x, 48);
    a0 = times(a0, u, a + 32); b0 = times(b0, u, b + 32); c0 = times(c0, u, c + 32); d0 = times(d0, u, d + 32);
    a1 = times(a1, v, a + 48); b1 = times(b1, v, b + 48); c1 = times(c1, v, c + 48); d1 = times(d1, v, d + 48);
    x += 64; a += 64; b += 64; c += 64; d += 64;
  }
  while (x < end) {
    const u = v128.load(x);
    a0 = times(a0, u, a); b0 = times(b0, u, b); c0 = times(c0, u, c); d0 = times(d0, u, d);
    x += 16; a += 16; b += 16; c += 16; d += 16;
    if (x >= end) break;
    const v = v128.load(x);
    a1 = times(a1, v, a); b1 = times(b1, v, b); c1 = times(c1, v, c); d1 = times(d1, v, d);
    x += 16; a += 16; b += 16; c += 16; d += 16;
  }
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}

@inline
function square(sum: v128, x: v128, row: usize): v128 {
  const difference = f32x4.sub(x, v128.load(row));
  return f32x4.add(sum, f32x4.mul(difference, difference));
}

/** As `squaredL2x4` of exact scans. */
function squareRows4(x: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  let a0 = f32x4.splat(0), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0;
  const end = x + rowBytes, turns = x + (rowBytes & ~31);
  while (x < turns) {
    const u = v128.load(x), v = v128.load(x, 16);
    a0 = square(a0, u, a); b0 = square(b0, u, b); c0 = square(c0, u, c); d0 = square(d0, u, d);
    a1 = square(a1, v, a + 16); b1 = square(b1, v, b + 16); c1 = square(c1, v, c + 16); d1 = square(d1, v, d + 16);
    x += 32; a += 32; b += 32; c += 32; d += 32;
  }
  if (x < end) {
    const u = v128.load(x);
    a0 = square(a0, u, a); b0 = square(b0, u, b); c0 = square(c0, u, c); d0 = square(d0, u, d);
  }
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}

/** Scores from products of codes. `norms`: f32 per row for L2, where ‖q − v‖² = ‖q‖² + ‖v‖² − 2 q·v. */
@inline
export function codedScores(dots: v128, ids: usize, scale: f32, square: f32, norms: usize): v128 {
  const products = f32x4.mul(f32x4.mul(dots, gather4(scales, ids)), f32x4.splat(scale));
  if (metric != L2) return products;
  const negated = f32x4.sub(f32x4.sub(f32x4.add(products, products), gather4(norms, ids)), f32x4.splat(square));
  return f32x4.pmin(f32x4.splat(0), negated);
}

@inline
function rowScores(x: usize, scale: f32, ids: usize, a: usize, b: usize, c: usize, d: usize): v128 {
  if (metric == L2) return f32x4.neg(squareRows4(x, a, b, c, d));
  const dots = dotRows4(x, a, b, c, d);
  if (metric == COSINE) return f32x4.div(f32x4.mul(dots, f32x4.splat(scale)), gather4(scales, ids));
  return dots;
}

/** Keys of the query (`setQuery`) against the four rows listed at `ids`. */
export function queryKeys4(ids: usize): v128 {
  if (bits) return keysOf(f32x4(bitScore(load<u32>(ids)), bitScore(load<u32>(ids, 4)), bitScore(load<u32>(ids, 8)), bitScore(load<u32>(ids, 12))));
  const a = rowAddress(load<u32>(ids)), b = rowAddress(load<u32>(ids, 4)), c = rowAddress(load<u32>(ids, 8)), d = rowAddress(load<u32>(ids, 12));
  if (!coded) return keysOf(rowScores(query, queryScale, ids, a, b, c, d));
  return keysOf(codedScores(f32x4.convert_i32x4_s(dotCodes4(query, a, b, c, d, rowBytes)), ids, queryScale, querySquare, squares));
}

/** Keys of a stored row against four others. */
export function rowKeys4(row: u32, ids: usize): v128 {
  assert(!bits); // bits against bits are too coarse: such an index is linked by its float32 rows
  countDistances(4);
  const x = rowAddress(row);
  const a = rowAddress(load<u32>(ids)), b = rowAddress(load<u32>(ids, 4)), c = rowAddress(load<u32>(ids, 8)), d = rowAddress(load<u32>(ids, 12));
  if (!coded) return keysOf(rowScores(x, rowScale(row), ids, a, b, c, d));
  return keysOf(codedScores(f32x4.convert_i32x4_s(dotCodePairs4(x, a, b, c, d, rowBytes)), ids, rowScale(row), rowSquare(row), squares));
}

/** The factor of a row that is used as a query. */
@inline
export function rowScale(row: u32): f32 {
  if (coded) return load<f32>(scales + (<usize>row << 2));
  return metric == COSINE ? <f32>1 / load<f32>(scales + (<usize>row << 2)) : 1;
}
@inline
export function rowSquare(row: u32): f32 {
  return coded && metric == L2 ? load<f32>(squares + (<usize>row << 2)) : 0;
}

/** Fills the list of `count` ids up to a multiple of four with its last one. Room for three more is part of every list. */
@inline
export function padIds(ids: usize, count: u32): void {
  const end = ids + (<usize>count << 2), last = load<u32>(end - 4);
  store<u32>(end, last);
  store<u32>(end, last, 4);
  store<u32>(end, last, 8);
}

/** Keys of the query against the `count` ids at `batch`, to `keys`. */
export function batchKeys(count: u32): void {
  if (count == 0) return;
  countDistances(count);
  padIds(batch, count);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 16) v128.store(keys + at, queryKeys4(batch + at));
}
