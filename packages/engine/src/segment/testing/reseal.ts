import { crc32c } from '@terndb/core';
import { FIXED_HEAD_BYTES } from '../format.ts';

/**
 * The same bytes with checksums that are right, so that tests reach what is behind them. Sections that the table places outside the file stay as
 * they are.
 */
export function resealed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const headBytes = Math.min(view.getUint32(8, true), copy.length);
  const count = Math.min(view.getUint32(16, true), Math.floor((headBytes - FIXED_HEAD_BYTES) / 24));
  for (let index = 0; index < count; index++) {
    const at = FIXED_HEAD_BYTES + index * 24;
    const offset = view.getFloat64(at + 8, true);
    const end = offset + Math.ceil(view.getFloat64(at + 16, true) / 64) * 64;
    if (offset >= headBytes && end <= copy.length) view.setUint32(at + 4, crc32c(copy.subarray(offset, end)), true);
  }
  view.setUint32(12, 0, true);
  view.setUint32(12, crc32c(copy.subarray(0, headBytes)), true);
  return copy;
}
