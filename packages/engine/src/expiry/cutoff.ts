import { type CollectionDefinition, TICKS_PER_MS, type Timestamp } from '@terndb/core';

/**
 * Time to live: an entity is expired when the wall clock's milliseconds of its newest put, plus the collection's time to live, are not after the
 * reader's. So the expired ones are those put before this stamp; 0 where nothing expires.
 */
export function expiryCutoff({ ttlSeconds }: CollectionDefinition, nowMs: number): Timestamp {
  if (ttlSeconds === undefined) return 0 as Timestamp;
  return (Math.max(0, Math.floor(nowMs) - ttlSeconds * 1000 + 1) * TICKS_PER_MS) as Timestamp;
}

/** The collection with another time to live; null: its entities live for ever. */
export function withTimeToLive({ ttlSeconds: _, ...rest }: CollectionDefinition, ttlSeconds: number | null): CollectionDefinition {
  return ttlSeconds === null ? rest : { ...rest, ttlSeconds };
}

/** When an entity put at this stamp expires, wall clock in ms; Infinity: never. */
export function expiryMs({ ttlSeconds }: CollectionDefinition, put: number): number {
  return ttlSeconds === undefined ? Number.POSITIVE_INFINITY : Math.floor(put / TICKS_PER_MS) + ttlSeconds * 1000;
}
