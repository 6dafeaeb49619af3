import { sumLanes32 } from '../distance/sum';

@inline
function addDot(sum: v128, x: v128, codes: usize): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, v128.load_ext<i8>(codes)));
}

/**
 * Exact integer inner products of a query's i16 codes `x` with the i8 codes of four rows: lane i belongs to row i. `bytes` is a multiple of 16.
 * Whoever makes the query's codes keeps them so small that no sum can leave 32 bits.
 */
export function dotCodes4(x: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = i32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  const end = x + (bytes << 1), turns = x + ((bytes & ~31) << 1);
  while (x < turns) {
    let u = v128.load(x), v = v128.load(x, 16);
    a0 = addDot(a0, u, a); b0 = addDot(b0, u, b); c0 = addDot(c0, u, c); d0 = addDot(d0, u, d);
    a0 = addDot(a0, v, a + 8); b0 = addDot(b0, v, b + 8); c0 = addDot(c0, v, c + 8); d0 = addDot(d0, v, d + 8);
    u = v128.load(x, 32); v = v128.load(x, 48);
    a0 = addDot(a0, u, a + 16); b0 = addDot(b0, u, b + 16); c0 = addDot(c0, u, c + 16); d0 = addDot(d0, u, d + 16);
    a0 = addDot(a0, v, a + 24); b0 = addDot(b0, v, b + 24); c0 = addDot(c0, v, c + 24); d0 = addDot(d0, v, d + 24);
    x += 64; a += 32; b += 32; c += 32; d += 32;
  }
  if (x < end) {
    const u = v128.load(x), v = v128.load(x, 16);
    a0 = addDot(a0, u, a); b0 = addDot(b0, u, b); c0 = addDot(c0, u, c); d0 = addDot(d0, u, d);
    a0 = addDot(a0, v, a + 8); b0 = addDot(b0, v, b + 8); c0 = addDot(c0, v, c + 8); d0 = addDot(d0, v, d + 8);
  }
  return sumLanes32(a0, b0, c0, d0);
}

/** The same with i8 codes on both sides: rows among themselves, where widening one first would cost as much as it saves. */
export function dotCodePairs4(x: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = i32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  const end = x + bytes, turns = x + (bytes & ~31);
  while (x < turns) {
    let u = v128.load_ext<i8>(x), v = v128.load_ext<i8>(x, 8);
    a0 = addDot(a0, u, a); b0 = addDot(b0, u, b); c0 = addDot(c0, u, c); d0 = addDot(d0, u, d);
    a0 = addDot(a0, v, a + 8); b0 = addDot(b0, v, b + 8); c0 = addDot(c0, v, c + 8); d0 = addDot(d0, v, d + 8);
    u = v128.load_ext<i8>(x, 16); v = v128.load_ext<i8>(x, 24);
    a0 = addDot(a0, u, a + 16); b0 = addDot(b0, u, b + 16); c0 = addDot(c0, u, c + 16); d0 = addDot(d0, u, d + 16);
    a0 = addDot(a0, v, a + 24); b0 = addDot(b0, v, b + 24); c0 = addDot(c0, v, c + 24); d0 = addDot(d0, v, d + 24);
    x += 32; a += 32; b += 32; c += 32; d += 32;
  }
  if (x < end) {
    const u = v128.load_ext<i8>(x), v = v128.load_ext<i8>(x, 8);
    a0 = addDot(a0, u, a); b0 = addDot(b0, u, b); c0 = addDot(c0, u, c); d0 = addDot(d0, u, d);
    a0 = addDot(a0, v, a + 8); b0 = addDot(b0, v, b + 8); c0 = addDot(c0, v, c + 8); d0 = addDot(d0, v, d + 8);
  }
  return sumLanes32(a0, b0, c0, d0);
}
