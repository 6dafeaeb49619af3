/**
 * Every value begins with the checksum of the rest: u32 crc32, little-endian. LMDB itself has none, so that a flipped bit would be served.
 */
import { crc32 } from 'node:zlib';
import { DbError } from '@terndb/core';

export const CHECKSUM_BYTES = 4;

/** Fills in the first four bytes. */
export function seal(value: Buffer): Buffer {
  value.writeUInt32LE(crc32(value.subarray(CHECKSUM_BYTES)), 0);
  return value;
}

/** @returns the value behind its checksum, not copied. @throws CHECKSUM_MISMATCH when it is wrong or shorter than `minBytes`. */
export function checked(value: Uint8Array, minBytes: number, what: () => string): Buffer {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const good = bytes.length >= CHECKSUM_BYTES + minBytes && bytes.readUInt32LE(0) === crc32(bytes.subarray(CHECKSUM_BYTES));
  if (!good) throw new DbError('CHECKSUM_MISMATCH', `${what()}: damaged, ${bytes.length} bytes`, { details: { bytes: bytes.length } });
  return bytes.subarray(CHECKSUM_BYTES);
}
