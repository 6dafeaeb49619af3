import { assert } from '@terndb/core';

/** LMDB's limit with pages of 4 KiB is 1,978 bytes: two per code unit, one for the kind of key. */
const MAX_NAME_UNITS = 900;
const NAME = 1;

/** The key of what the adapter itself keeps, before all names. */
export const OWN_KEY: Buffer = Buffer.from([0]);

/** A name as a key: UTF-16, high byte first, so that the order of the bytes is the order of the code units. Names are ours: too long is a bug. */
export function nameKey(name: string): Buffer {
  assert(name.length <= MAX_NAME_UNITS, () => `key: at most ${MAX_NAME_UNITS} code units expected, got ${name.length}`);
  const key = Buffer.alloc(1 + 2 * name.length);
  key[0] = NAME;
  for (let unit = 0; unit < name.length; unit++) key.writeUInt16BE(name.charCodeAt(unit), 1 + 2 * unit);
  return key;
}

/** The way back. */
export function nameOf(key: Uint8Array): string {
  const units = Buffer.from(key.subarray(1)).swap16();
  return units.toString('utf16le');
}

/** Just behind every key that begins with `key`. Its first byte is NAME, so that there always is one. */
export function afterPrefix(key: Buffer): Buffer {
  let end = key.length;
  while (key[end - 1] === 0xff) end--;
  const after = Buffer.from(key.subarray(0, end));
  after[end - 1]! += 1;
  return after;
}
