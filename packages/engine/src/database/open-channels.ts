import { DbError, type Timestamp } from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { type ManifestPointer, readManifestPointer, readManifestPointers } from '../catalog/manifest-pointer.ts';
import type { LogTail } from '../leader/log-tail.ts';
import { emptyReplica, loadManifest, openReplica } from '../replica/open-replica.ts';
import { replayLog } from '../replica/replay.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import type { Channel, Published } from './channel.ts';
import type { EnginePorts } from './types.ts';

/** One stream carries one slot (design 10); a device has one. */
export const STREAM = '0';

/** Hides the latency of the store without holding many segments' bytes at once. */
const PARALLEL_OPENS = 8;

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
  const { ports } = options;
  const channels = await openAll(options);
  try {
    const tail = await replay(ports, channels);
    const maxHlc = [...channels.values()].reduce((max, { replica }) => Math.max(max, replica.maxHlc), 0) as Timestamp;
    return { channels, tail, maxHlc };
  } catch (error) {
    for (const { replica } of channels.values()) replica.retire();
    throw error;
  }
}

async function openAll(options: OpenChannelsOptions): Promise<Map<string, Channel>> {
  const { catalog, ports } = options;
  const pointers = await readManifestPointers(ports.meta);
  const places = [...catalog.collections()].flatMap((collection) =>
    [...catalog.partitionsOf(collection.name)].map(
      ([partition, name]): ChannelPlace => ({ collection, partition, name, pointer: pointers.get(name) }),
    ),
  );
  const channels = new Map<string, Channel>();
  for (let at = 0; at < places.length; at += PARALLEL_OPENS) {
    const opened = await Promise.allSettled(places.slice(at, at + PARALLEL_OPENS).map((place) => openChannel(options, place)));
    for (const result of opened) if (result.status === 'fulfilled') channels.set(result.value.name, result.value);
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed === undefined) continue;
    for (const { replica } of channels.values()) replica.retire();
    throw failed.reason;
  }
  return channels;
}

interface ChannelPlace {
  readonly collection: CatalogCollection;
  readonly partition: string;
  readonly name: string;
  readonly pointer: ManifestPointer | undefined;
}

async function openChannel({ ports, catalog, pool }: OpenChannelsOptions, { pointer, ...place }: ChannelPlace): Promise<Channel> {
  const { objects, kernel } = ports;
  const { definition } = place.collection;
  const replicaOptions = { channel: place.name, logEpoch: catalog.database.logEpoch, definition, kernel };
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
