import { sumLanes } from './sum';

@inline
function addSquare(sum: v128, x: v128, row: usize): v128 {
  const difference = f32x4.sub(x, v128.load(row));
  return f32x4.add(sum, f32x4.mul(difference, difference));
}

/** Squared Euclidean distances from `query` to four rows; shape and order of additions as `dot4`. */
@inline
export function squaredL2x4(query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = f32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  let a1 = a0, b1 = a0, c1 = a0, d1 = a0;
  let at: usize = 0;
  const pairs = bytes & ~31;
  while (at < pairs) {
    const x = v128.load(query + at), y = v128.load(query + at, 16);
    a0 = addSquare(a0, x, a + at);
    b0 = addSquare(b0, x, b + at);
    c0 = addSquare(c0, x, c + at);
    d0 = addSquare(d0, x, d + at);
    a1 = addSquare(a1, y, a + at + 16);
    b1 = addSquare(b1, y, b + at + 16);
    c1 = addSquare(c1, y, c + at + 16);
    d1 = addSquare(d1, y, d + at + 16);
    at += 32;
  }
  if (at < bytes) {
    const x = v128.load(query + at);
    a0 = addSquare(a0, x, a + at);
    b0 = addSquare(b0, x, b + at);
    c0 = addSquare(c0, x, c + at);
    d0 = addSquare(d0, x, d + at);
  }
  return sumLanes(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1));
}
