import type { Int64 } from './value.ts';

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * The one form of a 64-bit integer: a number when it is a safe integer, else a bigint, so that equal values are `===`. Undefined for anything
 * else, numbers beyond 2^53 included: those have lost digits before they came here.
 */
export function normalizeInt64(value: unknown): Int64 | undefined {
  // `+ 0` makes -0 the same value as 0.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined;
  if (typeof value !== 'bigint' || value < MIN_INT64 || value > MAX_INT64) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Length in UTF-8 bytes; -1 when the string has a lone surrogate and so no UTF-8 form. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2;
    else {
      // A pair is two units and four bytes.
      const next = text.charCodeAt(i + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      bytes += 2;
      i++;
    }
  }
  return bytes;
}
