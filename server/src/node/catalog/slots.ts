import { hash64, utf8Encode } from '@terndb/core';

/** The only shard so far: a collection of several needs clients that route keys. */
const SHARD = 0;

/** Channels use immutable ids, never names (design 3). */
export function channelName(collectionId: string, partitionId: string): string {
  return `${collectionId}/${partitionId}/${SHARD}`;
}

/** Where a channel lives: `(hash(partitionId) + shard) mod slots` (design 3). */
export function slotOf(channel: string, slots: number): number {
  const [, partitionId = '', shard = '0'] = channel.split('/');
  return (hash64(utf8Encode(partitionId)).lo + Number(shard)) % slots;
}
