import { score4 } from '../distance/score';
import { heapFinish, heapFloor, heapOffer, heapReset } from '../topk/heap';
import { nextBit } from './bits';

/** Offers the first `lanes` of four scores; most groups of a long scan have nothing above the floor and end at the first test. */
@inline
function offer4(scores: v128, a: u32, b: u32, c: u32, d: u32, lanes: u32): void {
  if (!v128.any_true(f32x4.ge(scores, f32x4.splat(heapFloor())))) return;
  heapOffer(f32x4.extract_lane(scores, 0), a);
  if (lanes > 1) heapOffer(f32x4.extract_lane(scores, 1), b);
  if (lanes > 2) heapOffer(f32x4.extract_lane(scores, 2), c);
  if (lanes > 3) heapOffer(f32x4.extract_lane(scores, 3), d);
}

/** Scores up to four rows (missing ones repeat the first and are not offered). */
@inline
function scoreGroup(metric: u32, query: usize, vectors: usize, bytes: usize, norms: usize, a: u32, b: u32, c: u32, d: u32, lanes: u32): void {
  let divisors = f32x4.splat(1);
  if (norms) {
    divisors = f32x4(
      load<f32>(norms + (<usize>a << 2)),
      load<f32>(norms + (<usize>b << 2)),
      load<f32>(norms + (<usize>c << 2)),
      load<f32>(norms + (<usize>d << 2)),
    );
  }
  const scores = score4(
    metric, query, vectors + <usize>a * bytes, vectors + <usize>b * bytes, vectors + <usize>c * bytes, vectors + <usize>d * bytes, bytes, divisors,
  );
  offer4(scores, a, b, c, d, lanes);
}

function scanAll(metric: u32, query: usize, vectors: usize, bytes: usize, norms: usize, rows: u32): void {
  const whole = rows & ~3;
  let row: u32 = 0;
  for (; row < whole; row += 4) scoreGroup(metric, query, vectors, bytes, norms, row, row + 1, row + 2, row + 3, 4);
  const rest = rows - whole;
  if (rest) scoreGroup(metric, query, vectors, bytes, norms, row, rest > 1 ? row + 1 : row, rest > 2 ? row + 2 : row, row, rest);
}

function scanBits(metric: u32, query: usize, vectors: usize, bytes: usize, norms: usize, rows: u32, bitmap: usize): void {
  let a = nextBit(bitmap, 0, rows);
  while (a < rows) {
    let b = nextBit(bitmap, a + 1, rows), c = rows, d = rows, lanes: u32 = 1;
    if (b < rows) c = nextBit(bitmap, b + 1, rows), lanes = 2;
    if (c < rows) d = nextBit(bitmap, c + 1, rows), lanes = 3;
    if (d < rows) lanes = 4;
    const next = d < rows ? nextBit(bitmap, d + 1, rows) : rows;
    if (lanes < 4) {
      d = a;
      if (lanes < 3) c = a;
      if (lanes < 2) b = a;
    }
    scoreGroup(metric, query, vectors, bytes, norms, a, b, c, d, lanes);
    a = next;
  }
}

/**
 * The best `k` of the first `rows` rows (of those set in `bitmap`, when it is not 0), as (offset u32, score f32) pairs at `hits`, best
 * first. `bytes` is the padded row length, `norms` 0 unless the metric is COSINE, `hits` has room for `k` pairs, `k` > 0.
 */
export function scan(
  metric: u32, query: usize, vectors: usize, bytes: usize, norms: usize, rows: u32, bitmap: usize, minScore: f32, maxScore: f32, hits: usize, k: u32,
): u32 {
  assert(k > 0 && bytes % 16 == 0);
  heapReset(hits, k, minScore, maxScore);
  if (bitmap) scanBits(metric, query, vectors, bytes, norms, rows, bitmap);
  else scanAll(metric, query, vectors, bytes, norms, rows);
  return heapFinish();
}
