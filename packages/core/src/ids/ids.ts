import type { Rng } from '../ports/clock.ts';
import { randomBase32 } from './base32.ts';
import { formatUuid } from './uuid.ts';

/** 130 bits: two devices never draw the same one. */
const CLIENT_ID_CHARACTERS = 26;
/** 80 bits: unique within one database's catalog for ever. Short, because every frame and object name carries it. */
const CATALOG_ID_CHARACTERS = 16;

/** Names one device database and one subject (design 4): 26 base32 characters. */
export function newClientId(rng: Rng): string {
  return randomBase32(rng, CLIENT_ID_CHARACTERS);
}

/** Names a collection, a partition or a segment, immutably: 16 base32 characters. */
export function newCatalogId(rng: Rng): string {
  return randomBase32(rng, CATALOG_ID_CHARACTERS);
}

/** Names a universe (R14): a random UUID (version 4, RFC 9562). */
export function newLogEpoch(rng: Rng): string {
  const [a, b, c, d] = [rng.nextUint32(), rng.nextUint32(), rng.nextUint32(), rng.nextUint32()];
  return formatUuid(a, ((b & 0xffff0fff) | 0x4000) >>> 0, ((c & 0x3fffffff) | 0x80000000) >>> 0, d);
}
