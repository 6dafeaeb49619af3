/** float32 values of stored elements, exactly: every float16, bfloat16 and int8 is a float32. `elements` is known when compiling. */
import { BFLOAT16, FLOAT16 } from './types';

/**
 * float16 bits in four 32-bit lanes. The exponent is moved from base 15 to 127; a subnormal first gets the exponent above it, and then that
 * power of two is taken away again: all its digits stay, and no float32 subnormal (slow) comes about. ∞ and NaN keep their meaning.
 */
@inline
function ofHalf(bits: v128): v128 {
  const magnitude = v128.and(bits, i32x4.splat(0x7fff));
  const subnormal = i32x4.lt_s(magnitude, i32x4.splat(0x400));
  const special = i32x4.gt_s(magnitude, i32x4.splat(0x7bff));
  let float = i32x4.add(i32x4.shl(magnitude, 13), i32x4.splat(112 << 23));
  float = i32x4.add(float, v128.and(special, i32x4.splat(112 << 23)));
  float = i32x4.add(float, v128.and(subnormal, i32x4.splat(1 << 23)));
  float = f32x4.sub(float, v128.and(subnormal, f32x4.splat(0.00006103515625))); // 2^-14
  return v128.or(float, i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16));
}

/** Bytes of eight elements. */
@inline
export function eightBytes(elements: u32): usize {
  return elements == FLOAT16 || elements == BFLOAT16 ? 16 : 8;
}

/** The first four of the eight elements at `address`. */
@inline
export function widenLow(elements: u32, address: usize): v128 {
  if (elements == FLOAT16) return ofHalf(v128.load_ext<u16>(address));
  if (elements == BFLOAT16) return i32x4.shl(v128.load_ext<u16>(address), 16);
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(v128.load_ext<i8>(address)));
}

/** The other four. */
@inline
export function widenHigh(elements: u32, address: usize): v128 {
  if (elements == FLOAT16) return ofHalf(v128.load_ext<u16>(address, 8));
  if (elements == BFLOAT16) return i32x4.shl(v128.load_ext<u16>(address, 8), 16);
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(v128.load_ext<i8>(address)));
}
