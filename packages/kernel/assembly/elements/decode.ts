import { BFLOAT16, FLOAT16, FLOAT32, INT8 } from './types';
import { eightBytes, widenHigh, widenLow } from './widen';

@inline
function decodeAs(elements: u32, source: usize, bytes: usize, target: usize): void {
  for (let at: usize = 0; at < bytes; at += eightBytes(elements), target += 32) {
    v128.store(target, widenLow(elements, source + at));
    v128.store(target, widenHigh(elements, source + at), 16);
  }
}

/** Writes the float32 values of one padded row of `bytes`. */
export function decodeRow(elements: u32, source: usize, bytes: usize, target: usize): void {
  if (elements == FLOAT32) memory.copy(target, source, bytes);
  else if (elements == FLOAT16) decodeAs(FLOAT16, source, bytes, target);
  else if (elements == BFLOAT16) decodeAs(BFLOAT16, source, bytes, target);
  else decodeAs(INT8, source, bytes, target);
}

/** The float32 values of `rows` rows of `bytes` each, one after the other, to rows that are `stride` bytes apart. */
export function decodeRows(elements: u32, source: usize, bytes: usize, target: usize, stride: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) decodeRow(elements, source + <usize>row * bytes, bytes, target + <usize>row * stride);
}
