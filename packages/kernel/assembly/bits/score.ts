import { HAMMING } from '../distance/score';
import { sumLanes32 } from '../distance/sum';

/** Set bits of each pair of bytes. The host holds rows so short that 16 bits are enough for all of a row's registers. */
@inline
function counts(bits: v128): v128 {
  return i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(bits));
}

@inline
function met(differ: bool, x: v128, row: usize): v128 {
  return counts(differ ? v128.xor(x, v128.load(row)) : v128.and(x, v128.load(row)));
}

/** Bits that differ (or are set in both), of four rows: lane i belongs to row i. `bytes` is a multiple of 16, at most 32 KiB. */
@inline
function count4(differ: bool, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let a0 = i16x8.splat(0), b0 = a0, c0 = a0, d0 = a0;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.load(query + at);
    a0 = i16x8.add(a0, met(differ, x, a + at));
    b0 = i16x8.add(b0, met(differ, x, b + at));
    c0 = i16x8.add(c0, met(differ, x, c + at));
    d0 = i16x8.add(d0, met(differ, x, d + at));
  }
  return sumLanes32(
    i32x4.extadd_pairwise_i16x8_u(a0), i32x4.extadd_pairwise_i16x8_u(b0), i32x4.extadd_pairwise_i16x8_u(c0), i32x4.extadd_pairwise_i16x8_u(d0),
  );
}

/**
 * Negated distances of four rows of bits. HAMMING: bits that differ. JACCARD: of the bits set in either, the share that is not set in both; 0
 * when both are empty. All numbers are whole and below 2^24, so the one division is the one rounding. `rowBits`: set bits of the rows.
 */
export function bitScores4(metric: u32, query: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize, queryBits: f32, rowBits: v128): v128 {
  const zero = f32x4.splat(0);
  if (metric == HAMMING) return f32x4.sub(zero, f32x4.convert_i32x4_s(count4(true, query, a, b, c, d, bytes)));
  const both = f32x4.convert_i32x4_s(count4(false, query, a, b, c, d, bytes));
  const either = f32x4.sub(f32x4.add(f32x4.splat(queryBits), rowBits), both);
  return f32x4.sub(zero, f32x4.div(f32x4.sub(either, both), f32x4.pmax(f32x4.splat(1), either)));
}
