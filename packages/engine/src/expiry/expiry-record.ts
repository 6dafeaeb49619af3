import type { GcRecord, Timestamp } from '@terndb/core';
import { forEachSet } from '../bitmap/bitmap.ts';
import type { BlockState } from '../replica/block-state.ts';
import type { Replica } from '../replica/replica.ts';
import { expiryCutoff } from './cutoff.ts';

/**
 * Expired rows are not shown anyway: they may stay for this share of the time to live, within these bounds, so that they go many at a time. The
 * lower one is a record a minute on a busy channel; the upper one is what a collection keeps beyond its time at most while somebody leads it.
 */
const GRACE_SHARE = 1 / 16;
const MIN_GRACE_MS = 60_000;
const MAX_GRACE_MS = 60 * 60 * 1000;
/** Rows that one record takes away, about: each costs a hash on every replica, so some 50 ms. The rest goes with the next record. */
const MAX_EXPIRED_ROWS = 16_384;

/**
 * The record that makes every replica of this channel drop its expired rows at the same position (R7); undefined while none has been expired for
 * longer than the grace. Tombstones stay: the floor is the replica's own. Cost: none without a time to live, a comparison per block while all rows
 * are young, else a pass over the older blocks.
 */
export function expiryRecord(
  replica: Pick<Replica, 'definition' | 'entities' | 'floor'>,
  nowMs: number,
  maxRows: number = MAX_EXPIRED_ROWS,
): GcRecord | undefined {
  const { definition, entities, floor } = replica;
  const { ttlSeconds } = definition;
  if (ttlSeconds === undefined) return undefined;
  const graceMs = Math.min(MAX_GRACE_MS, Math.max(MIN_GRACE_MS, ttlSeconds * 1000 * GRACE_SHARE));
  if (!entities.blocks.some((block) => hasPutBefore(block, expiryCutoff(definition, nowMs - graceMs)))) return undefined;
  const cutoff = expiryCutoff(definition, nowMs);
  return { type: 'gc', floor, expiredBefore: boundedCutoff(entities.blocks, cutoff, maxRows) };
}

function hasPutBefore({ source, live }: BlockState, cutoff: Timestamp): boolean {
  if (source.oldestPut >= cutoff) return false;
  for (let offset = 0; offset < source.rows; offset++) if (live.has(offset) && source.putTimeAt(offset) < cutoff) return true;
  return false;
}

/** At most `cutoff`; less when more than `maxRows` were put before it. Rows of one stamp go together, however many they are. */
function boundedCutoff(blocks: readonly BlockState[], cutoff: Timestamp, maxRows: number): Timestamp {
  const puts: number[] = [];
  for (const { source, live } of blocks) {
    if (source.oldestPut >= cutoff) continue;
    forEachSet(live.share(), (offset) => {
      const put = source.putTimeAt(offset);
      if (put < cutoff) puts.push(put);
    });
  }
  if (puts.length <= maxRows) return cutoff;
  const sorted = Float64Array.from(puts).sort();
  const bound = sorted[maxRows]!;
  return (bound > sorted[0]! ? bound : bound + 1) as Timestamp;
}
