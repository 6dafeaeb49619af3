import { sumLanes } from './sum';

/**
 * Inner products of `query` with four rows: lane i belongs to row i. `bytes` is the padded row length, a multiple of 16.
 *
 * Two accumulators per row, so that the additions of one row do not wait for each other. The order of a row's additions depends on
 * `bytes` alone: that is why a row scores the same in every place and on every path.
 */
@inline
export function dot4(query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = f32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  let a1 = a0, b1 = a0, c1 = a0, d1 = a0;
  let at: usize = 0;
  const pairs = bytes & ~31;
  while (at < pairs) {
    const x = v128.load(query + at), y = v128.load(query + at, 16);
    a0 = f32x4.add(a0, f32x4.mul(x, v128.load(a + at)));
    b0 = f32x4.add(b0, f32x4.mul(x, v128.load(b + at)));
    c0 = f32x4.add(c0, f32x4.mul(x, v128.load(c + at)));
    d0 = f32x4.add(d0, f32x4.mul(x, v128.load(d + at)));
    a1 = f32x4.add(a1, f32x4.mul(y, v128.load(a + at, 16)));
    b1 = f32x4.add(b1, f32x4.mul(y, v128.load(b + at, 16)));
    c1 = f32x4.add(c1, f32x4.mul(y, v128.load(c + at, 16)));
    d1 = f32x4.add(d1, f32x4.mul(y, v128.load(d + at, 16)));
    at += 32;
  }
  if (at < bytes) {
    const x = v128.load(query + at);
    a0 = f32x4.add(a0, f32x4.mul(x, v128.load(a + at)));
    b0 = f32x4.add(b0, f32x4.mul(x, v128.load(b + at)));
    c0 = f32x4.add(c0, f32x4.mul(x, v128.load(c + at)));
    d0 = f32x4.add(d0, f32x4.mul(x, v128.load(d + at)));
  }
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}
