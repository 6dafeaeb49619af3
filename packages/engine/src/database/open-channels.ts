import { DbError, type Timestamp } from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { readManifestPointer } from '../catalog/manifest-pointer.ts';
import type { LogTail } from '../leader/log-tail.ts';
import { emptyReplica, loadManifest, openReplica } from '../replica/open-replica.ts';
import { replayLog } from '../replica/replay.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import type { Channel, Published } from './channel.ts';
import type { EnginePorts } from './types.ts';

/** One stream carries one slot (design 10); a device has one. */
export const STREAM = '0';

export interface OpenChannels {
  /** By channel name. */
  readonly channels: Map<string, Channel>;
  readonly tail: LogTail;
  /** Newest timestamp in any of them: the clock goes on from there, whatever the wall clock says (R10). */
  readonly maxHlc: Timestamp;
}

export interface OpenChannelsOptions {
  readonly ports: EnginePorts;
  readonly catalog: Catalog;
  readonly pool: SegmentPool;
}

/** Every partition of every wanted collection at the log's end: manifest, then tail. STORAGE_UNAVAILABLE, MEMORY_LIMIT. */
export async function openChannels(options: OpenChannelsOptions): Promise<OpenChannels> {
  const { ports, catalog } = options;
  const channels = new Map<string, Channel>();
  try {
    for (const collection of catalog.collections()) {
      for (const [partition, name] of catalog.partitionsOf(collection.name)) {
        channels.set(name, await openChannel(options, { collection, partition, name }));
      }
    }
    const tail = await replay(ports, channels);
    const maxHlc = [...channels.values()].reduce((max, { replica }) => Math.max(max, replica.maxHlc), 0) as Timestamp;
    return { channels, tail, maxHlc };
  } catch (error) {
    for (const { replica } of channels.values()) replica.retire();
    throw error;
  }
}

interface ChannelPlace {
  readonly collection: CatalogCollection;
  readonly partition: string;
  readonly name: string;
}

async function openChannel({ ports, catalog, pool }: OpenChannelsOptions, place: ChannelPlace): Promise<Channel> {
  const { objects, meta, kernel } = ports;
  const { definition } = place.collection;
  const replicaOptions = { channel: place.name, logEpoch: catalog.database.logEpoch, definition, kernel };
  const pointer = await readManifestPointer(meta, place.name);
  if (pointer === undefined) return { ...place, replica: emptyReplica(replicaOptions), published: undefined, damage: undefined };
  let published: Published | undefined;
  try {
    published = { pointer, manifest: await loadManifest(objects, pointer.object) };
    const replica = await openReplica({ ...replicaOptions, objects, pool, manifest: published.manifest });
    return { ...place, replica, published, damage: undefined };
  } catch (error) {
    if (!(error instanceof DbError) || error.kind !== 'data') throw error;
    return { ...place, replica: emptyReplica(replicaOptions), published, damage: manifestDamage(place.name, error) };
  }
}

async function replay(ports: EnginePorts, channels: ReadonlyMap<string, Channel>): Promise<LogTail> {
  const others = new Set<string>();
  const tail = await replayLog(ports.log, STREAM, {
    apply: (frame) => {
      const channel = channels.get(frame.channel);
      if (channel === undefined) others.add(frame.channel);
      else if (channel.damage === undefined) channel.replica.applyFrame(frame);
    },
    damaged: (name, error) => {
      const channel = channels.get(name);
      if (channel !== undefined) channel.damage ??= error;
    },
  });
  for (const { name, published, damage } of channels.values())
    if (published !== undefined && damage === undefined) tail.seal(name, published.manifest.upTo);
  for (const name of others) await sealOther(ports, tail, name);
  return tail;
}

/** A channel of a collection that is not wanted now still decides how far the log may be truncated. */
async function sealOther({ meta, objects }: EnginePorts, tail: LogTail, name: string): Promise<void> {
  const pointer = await readManifestPointer(meta, name);
  if (pointer === undefined) return;
  try {
    tail.seal(name, (await loadManifest(objects, pointer.object)).upTo);
  } catch (error) {
    if (!(error instanceof DbError) || error.kind !== 'data') throw error;
  }
}

function manifestDamage(channel: string, cause: DbError): DbError {
  const code = cause.code === 'FORMAT_VERSION_UNSUPPORTED' ? cause.code : 'CHECKSUM_MISMATCH';
  return new DbError(code, `channel ${channel}: its manifest cannot be read: ${cause.message}; the channel is read-only`, {
    details: { channel, reason: cause.code },
    cause,
  });
}
