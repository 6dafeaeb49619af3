import type { MetaStore } from '@terndb/core';
import { decodeRecord, encodeRecord, invalidRecord } from '../catalog/meta-record.ts';

/**
 * Where a followed channel is stored. The sync host writes it, in the transaction that makes a batch durable; the engine reads it when the
 * channel is opened.
 *   log stream `followed/<channel>`    its frames since the last swap, in order, as the server sent them
 *   meta key   `followed/<channel>`    JSON { format, object, firstSequence, leftOut? }: the adopted manifest, written with each swap
 * `firstSequence` tells the frames of the shown replica from those of the one before, so that truncating may come later.
 */
const PREFIX = 'followed/';

export interface FollowedPointer {
  /** The manifest's object; null: the replica started empty. */
  readonly object: string | null;
  /** The first entry of the stream that belongs to this replica. */
  readonly firstSequence: number;
  /** Segments of the manifest (by id) that this device does not keep; missing: it keeps all. */
  readonly leftOut?: readonly string[];
}

export function followedStream(channel: string): string {
  return `${PREFIX}${channel}`;
}

export function followedPointerKey(channel: string): string {
  return `${PREFIX}${channel}`;
}

export function encodeFollowedPointer({ object, firstSequence, leftOut = [] }: FollowedPointer): Uint8Array {
  return encodeRecord({ object, firstSequence, ...(leftOut.length === 0 ? {} : { leftOut }) });
}

/** Undefined before the first swap. FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
export async function readFollowedPointer(meta: Pick<MetaStore, 'get'>, channel: string): Promise<FollowedPointer | undefined> {
  const entry = await meta.get(followedPointerKey(channel));
  if (entry === undefined) return undefined;
  const { object, firstSequence, leftOut = [] } = decodeRecord(entry);
  const isObject = object === null || (typeof object === 'string' && object !== '');
  if (!isObject) throw invalidRecord(entry, 'object: a name or null expected');
  if (!Number.isSafeInteger(firstSequence) || (firstSequence as number) < 1)
    throw invalidRecord(entry, 'firstSequence: an integer from 1 expected');
  if (!Array.isArray(leftOut) || !leftOut.every((id) => typeof id === 'string'))
    throw invalidRecord(entry, 'leftOut: segment ids expected');
  return { object: object as string | null, firstSequence: firstSequence as number, leftOut: leftOut as readonly string[] };
}
