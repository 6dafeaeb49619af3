import { type Hash64, hash64, type PrimaryKey, type Stamp } from '@terndb/core';
import { encodeUtf8Into, utf8Bound } from '../bytes/utf8.ts';
import type { EntityStamps, Exceptions } from './registers.ts';

/** Reused between calls; grows to the longest row seen. */
let scratch: Uint8Array = new Uint8Array(256);
let view = new DataView(scratch.buffer);

/**
 * The R13 hash of one live row or tombstone: hash64 of
 *   u8 key type (0 int64, 1 utf-8); key: i64, or u32 length + utf-8
 *   u8 1 put | 2 delete; put?; delete?      a stamp: f64 timestamp, u32 length + utf-8 client id
 *   u32 fields; fields * { u32 length + utf-8 name; stamp }, ascending by name
 * all little-endian. Values are not covered: equal stamps name equal ops. It is part of the log's format: a change needs a new log epoch.
 * A live row keeps no delete stamp, here as in the fold; otherwise sealing, which does not store it, would change the hash.
 */
export function rowHash(pk: PrimaryKey, stamps: EntityStamps): Hash64 {
  let at = putKey(pk);
  scratch[at++] = (stamps.put === undefined ? 0 : 1) | (stamps.live ? 0 : 2);
  if (stamps.put !== undefined) at = putStamp(at, stamps.put);
  if (!stamps.live) at = putStamp(at, stamps.delete);
  at = putExceptions(at, stamps.live ? stamps.exceptions : null);
  return hash64(scratch.subarray(0, at));
}

function putExceptions(start: number, exceptions: Exceptions | null): number {
  reserve(start + 4);
  view.setUint32(start, exceptions?.size ?? 0, true);
  let at = start + 4;
  if (exceptions === null) return at;
  for (const field of [...exceptions.keys()].sort()) at = putStamp(putString(at, field), exceptions.get(field)!);
  return at;
}

function reserve(bytes: number): void {
  if (bytes <= scratch.length) return;
  const larger = new Uint8Array(Math.max(bytes, scratch.length * 2));
  larger.set(scratch);
  scratch = larger;
  view = new DataView(scratch.buffer);
}

/** Leaves room for the flags byte. */
function putKey(pk: PrimaryKey): number {
  if (typeof pk === 'string') {
    scratch[0] = 1;
    const end = putString(1, pk);
    reserve(end + 1);
    return end;
  }
  scratch[0] = 0;
  view.setBigInt64(1, BigInt(pk), true);
  return 9;
}

function putString(at: number, text: string): number {
  reserve(at + 4 + utf8Bound(text));
  const length = encodeUtf8Into(text, scratch, at + 4);
  view.setUint32(at, length, true);
  return at + 4 + length;
}

function putStamp(at: number, stamp: Stamp): number {
  reserve(at + 8);
  view.setFloat64(at, stamp.hlc, true);
  return putString(at + 8, stamp.clientId);
}
