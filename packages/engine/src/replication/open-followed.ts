import { DbError, decodeFrame, type LogBroker } from '@terndb/core';
import type { CatalogCollection } from '../catalog/catalog.ts';
import type { EnginePorts } from '../database/types.ts';
import { emptyReplica, loadManifest, openReplica } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { type FollowedPointer, followedStream, readFollowedPointer } from './stored.ts';

/** As in replica/replay.ts. */
const READ_BYTES = 4 * 1024 * 1024;

export interface OpenFollowedOptions {
  readonly ports: Pick<EnginePorts, 'log' | 'meta' | 'objects' | 'kernel'>;
  readonly pool: SegmentPool;
  readonly channel: string;
  readonly collection: CatalogCollection;
}

/**
 * A followed channel as it is stored: the adopted manifest, then the frames since. What cannot be read is left out, and asked for again by the
 * position that the replica then has; a manifest that cannot be read leaves nothing.
 * @returns undefined when nothing is stored, or its manifest is damaged. STORAGE_UNAVAILABLE, MEMORY_LIMIT.
 */
export async function openFollowed(options: OpenFollowedOptions): Promise<Replica | undefined> {
  const { ports, channel } = options;
  try {
    const pointer = await readFollowedPointer(ports.meta, channel);
    if (pointer === undefined) return undefined;
    const replica = await openAdopted(options, pointer);
    try {
      await replayTail(ports.log, channel, pointer.firstSequence, replica);
    } catch (error) {
      replica.retire();
      throw error;
    }
    return replica;
  } catch (error) {
    if (error instanceof DbError && error.kind === 'data') return undefined;
    throw error;
  }
}

async function openAdopted({ ports, pool, channel, collection }: OpenFollowedOptions, pointer: FollowedPointer): Promise<Replica> {
  const { objects, kernel } = ports;
  const { definition } = collection;
  const replicaOptions = { channel, logEpoch: null, definition, kernel };
  if (pointer.object === null) return emptyReplica(replicaOptions);
  const { object, leftOut } = pointer;
  return openReplica({ ...replicaOptions, objects, pool, manifest: await loadManifest(objects, object), leftOut });
}

async function replayTail(log: LogBroker, channel: string, firstSequence: number, replica: Replica): Promise<void> {
  const stream = followedStream(channel);
  const bounds = await log.bounds(stream);
  for (let sequence = Math.max(bounds.first, firstSequence); sequence <= bounds.last; ) {
    const entries = await log.read(stream, sequence, { maxBytes: READ_BYTES });
    if (entries.length === 0) break;
    for (const entry of entries) {
      applyIfItFits(replica, entry.bytes);
      sequence = entry.sequence + 1;
    }
  }
}

/** A damaged entry leaves a hole; what was received again later fills it. */
function applyIfItFits(replica: Replica, bytes: Uint8Array): void {
  try {
    const frame = decodeFrame(bytes);
    if (frame.channel === replica.channel && frame.base <= replica.position + 1) replica.applyFrame(frame);
  } catch (error) {
    if (error instanceof DbError && error.kind === 'data') return;
    throw error;
  }
}
