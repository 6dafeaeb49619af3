import type { StoredValue } from '@terndb/core';

/** What one value of a row costs besides its contents: a slot in an array and an object header, roughly. */
const VALUE_OVERHEAD_BYTES = 16;

/** About what a value takes in memory and in a segment; steers sealing, is never stored. Strings count as one byte per code unit. */
export function approximateBytes(value: StoredValue): number {
  if (typeof value === 'string') return VALUE_OVERHEAD_BYTES + value.length;
  if (value === null || typeof value !== 'object') return VALUE_OVERHEAD_BYTES;
  if (ArrayBuffer.isView(value)) return VALUE_OVERHEAD_BYTES + value.byteLength;
  if ('indices' in value) return VALUE_OVERHEAD_BYTES + value.indices.byteLength + value.values.byteLength;
  let bytes = VALUE_OVERHEAD_BYTES;
  for (const item of value) bytes += approximateBytes(item);
  return bytes;
}
