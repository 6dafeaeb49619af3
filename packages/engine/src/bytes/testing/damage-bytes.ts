import { DbError } from '@terndb/core';
import { expect } from 'vitest';

/** Ways to damage stored bytes, and what every decoder owes: an error of kind `data`, never another one. */
const DATA_CODES = ['FORMAT_INVALID', 'CHECKSUM_MISMATCH', 'FORMAT_VERSION_UNSUPPORTED'];

export function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** `length` bytes at `to` replaced by those at `from`, all modulo the length of the bytes. */
export function withSplice(bytes: Uint8Array, splice: { from: number; to: number; length: number }): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (let index = 0; index < splice.length; index++)
    copy[(splice.to + index) % bytes.length] = bytes[(splice.from + index) % bytes.length]!;
  return copy;
}

/** Code of the data error that the call ends in; undefined when it succeeds. Fails the test on any other error. */
export async function damageCode(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    expect(DATA_CODES).toContain(error.code);
    expect(error.message).not.toBe('');
    return error.code;
  }
}
