import { sumLanes32 } from '../distance/sum';

/**
 * Exact integer inner products of a query's i16 codes with the i8 codes of four rows: lane i belongs to row i. `bytes` is a multiple of 16.
 * The host keeps the query's codes so small that no sum can leave 32 bits.
 */
@inline
export function codeDot4(query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = i32x4.splat(0), b0 = a0, c0 = a0, d0 = a0;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(query + (at << 1)), y = v128.load(query + (at << 1), 16);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, v128.load_ext<i8>(a + at)));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(x, v128.load_ext<i8>(b + at)));
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load_ext<i8>(c + at)));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(x, v128.load_ext<i8>(d + at)));
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(y, v128.load_ext<i8>(a + at, 8)));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(y, v128.load_ext<i8>(b + at, 8)));
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(y, v128.load_ext<i8>(c + at, 8)));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(y, v128.load_ext<i8>(d + at, 8)));
  }
  return sumLanes32(a0, b0, c0, d0);
}
