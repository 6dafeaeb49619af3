import { DbError } from '@terndb/core';

/** Shard count is fixed at creation; on a device there is one. */
const SHARD = 0;
/** ':' keeps room for names such as `user:42`. */
const PARTITION_NAME = /^[A-Za-z0-9_:.-]{1,255}$/;
export const DEFAULT_PARTITION = '_default';

/** Channels, paths and keys use immutable catalog ids, never names (design 3). */
export function channelOf(collectionId: string, partitionId: string): string {
  return `${collectionId}/${partitionId}/${SHARD}`;
}

/** OPTION_INVALID. */
export function checkPartitionName(collection: string, name: unknown): string {
  if (typeof name === 'string' && PARTITION_NAME.test(name)) return name;
  const got = typeof name === 'string' ? name.slice(0, 300) : typeof name;
  throw new DbError('OPTION_INVALID', `${collection}: partition: 1 to 255 of A-Z a-z 0-9 _ : . - expected, got ${JSON.stringify(got)}`, {
    details: { collection, option: 'partition', expected: '[A-Za-z0-9_:.-]{1,255}', got },
  });
}
