import { type Clock, DbError, type ObjectStore } from '@terndb/core';
import { writeManifestPointer } from '../catalog/manifest-pointer.ts';
import type { Channel } from '../database/channel.ts';
import type { EnginePorts } from '../database/types.ts';
import { writeManifest } from '../manifest/manifest-file.ts';
import type { Manifest, ManifestSegment, ManifestTombstones } from '../manifest/types.ts';
import { BlockState } from '../replica/block-state.ts';
import type { Replica } from '../replica/replica.ts';
import { SealedRows } from '../replica/sealed-rows.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { buildSegmentInSteps } from '../segment/build-segment.ts';
import { runInSlices } from '../segment/steps.ts';
import { writeTombstones } from '../tombstones/tombstone-file.ts';
import { manifestName, segmentName, tombstonesName } from './object-names.ts';
import { SealRows } from './seal-rows.ts';
import { ClockSlices } from './slices.ts';
import { isSealed, keptSegments, type SealSnapshot, type SnapshotOptions, takeSnapshot } from './snapshot.ts';

/** Tombstone files up to this size are part of the manifest: one object less to read at open. */
const MAX_INLINE_TOMBSTONE_BYTES = 16 * 1024;

export interface SealContext {
  readonly ports: Pick<EnginePorts, 'objects' | 'meta'>;
  readonly pool: SegmentPool;
  /** Segments are written in slices of a few milliseconds by it, beside reads and writes. */
  readonly clock: Clock;
  readonly logEpoch: string;
  /** Resolves when everything folded so far is durable; rejects when it will never be. */
  readonly flush: () => Promise<void>;
  /** Sequence of the last log entry that reaches no further than the position. */
  readonly cursorAt: (channel: string, position: number) => number;
  /** Whether reads still go to this replica: not when the engine was closed meanwhile. */
  readonly isShown: (replica: Replica) => boolean;
}

/**
 * Growing rows and deaths at a position become a segment, a tombstone file and, last, a manifest; small and half-dead segments are
 * rewritten with them. The objects are written before the pointer moves, so a crash at any point leaves the state before or after.
 * @returns whether a manifest was published: not when there is nothing to do, or the channel is no longer shown while the segment is written. On
 * an error the channel is as it was; what was written is collected at the next open.
 */
export async function sealChannel(context: SealContext, channel: Channel, options: SnapshotOptions): Promise<boolean> {
  const snapshot = takeSnapshot(channel.replica, channel.published?.manifest.upTo ?? 0, options);
  if (snapshot === undefined) return false;
  // The rows must outlive the replica: it may be given up while they are written.
  for (const { block } of snapshot.inputs) block.pin();
  try {
    await sealSnapshot(context, channel, snapshot);
    return true;
  } catch (error) {
    if (error instanceof DbError && error.code === 'ABORTED' && !context.isShown(channel.replica)) return false;
    throw error;
  } finally {
    for (const { block } of snapshot.inputs) block.unpin();
  }
}

async function sealSnapshot(context: SealContext, channel: Channel, snapshot: SealSnapshot): Promise<void> {
  // A manifest never covers what the log may still lose.
  await context.flush();
  const { replica } = channel;
  const slices = new ClockSlices(context.clock, () => {
    if (!context.isShown(replica)) throw new DbError('ABORTED', `seal of ${channel.name}: a channel that is shown expected`);
  });
  const rows = await runInSlices(SealRows.of(snapshot.inputs), slices);
  const added = rows.count === 0 ? undefined : await writeSegment({ ...context, slices }, channel, snapshot, rows);
  const before = channel.published?.manifest.segments ?? [];
  let isInstalled = false;
  try {
    await publish(context, channel, snapshot, added?.listed);
    if (!context.isShown(replica)) return;
    install({ objects: context.ports.objects, channel, snapshot, before }, added && new BlockState(added.source, rows.liveNow()));
    isInstalled = true;
  } finally {
    if (!isInstalled) added?.source.free();
  }
}

interface AddedSegment {
  readonly source: SealedRows;
  readonly listed: ManifestSegment;
}

/** Written and opened again: what is published is known to be readable. */
async function writeSegment(
  { ports, pool, slices }: SealContext & { readonly slices: ClockSlices },
  channel: Channel,
  snapshot: SealSnapshot,
  rows: SealRows,
): Promise<AddedSegment> {
  const { definition, schemaHash, schemaVersion } = channel.collection;
  const { minPosition, maxPosition, upTo, maxHlc } = snapshot;
  const input = { channel: channel.name, definition, schemaHash, schemaVersion, minPosition, maxPosition, upTo, maxHlc, rows };
  const built = await runInSlices(buildSegmentInSteps(input), slices);
  const { id, bytes } = built.info;
  const name = segmentName(channel.name, id);
  await ports.objects.put(name, built.parts);
  const pause = (): Promise<void> => slices.pauseIfOver();
  const segment = await pool.open(name, definition, { id, channel: channel.name, rows: rows.count, bytes }, pause);
  const indexes = await pool.indexFiles.buildWithSegment(segment, { channel: channel.name, definition }, pause).catch((error: unknown) => {
    pool.release(segment);
    throw error;
  });
  return { source: new SealedRows(segment, pool), listed: { id, name, rows: rows.count, bytes, dead: null, indexes } };
}

async function publish(context: SealContext, channel: Channel, snapshot: SealSnapshot, added: ManifestSegment | undefined): Promise<void> {
  const { objects } = context.ports;
  const before = channel.published;
  const kept = keptSegments(before?.manifest.segments ?? [], snapshot, new Set(channel.replica.quarantined));
  const manifest: Manifest = {
    logEpoch: context.logEpoch,
    channel: channel.name,
    version: (before?.manifest.version ?? 0) + 1,
    upTo: snapshot.upTo,
    brokerCursor: context.cursorAt(channel.name, snapshot.upTo),
    floor: snapshot.floor,
    maxHlc: snapshot.maxHlc,
    hash: snapshot.hash,
    schemaVersion: channel.collection.schemaVersion,
    segments: added === undefined ? kept : [...kept, added],
    tombstones: await storeTombstones(objects, channel.name, snapshot),
    lmids: snapshot.lmids,
  };
  await publishManifest(context.ports, channel, manifest);
}

/**
 * Makes this the channel's newest manifest; the one before, and what only that one named of tombstones, is deleted.
 * @throws APPEND_CONFLICT when another writer published first.
 */
export async function publishManifest({ objects, meta }: SealContext['ports'], channel: Channel, manifest: Manifest): Promise<void> {
  const before = channel.published;
  const bytes = writeManifest(manifest);
  const name = manifestName(channel.name, manifest.version, bytes);
  await objects.put(name, [bytes]);
  channel.published = { pointer: await writeManifestPointer(meta, channel.name, before?.pointer, name), manifest };
  if (before !== undefined) forget(objects, channel, [before.pointer.object, ...tombstoneObjects(before.manifest)]);
}

async function storeTombstones(objects: ObjectStore, channel: string, { tombstones }: SealSnapshot): Promise<ManifestTombstones> {
  if (tombstones.length === 0) return { type: 'none' };
  const bytes = writeTombstones(tombstones);
  if (bytes.length <= MAX_INLINE_TOMBSTONE_BYTES) return { type: 'inline', bytes };
  const name = tombstonesName(channel, bytes);
  await objects.put(name, [bytes]);
  return { type: 'object', name, bytes: bytes.length };
}

interface Installation {
  readonly objects: ObjectStore;
  readonly channel: Channel;
  readonly snapshot: SealSnapshot;
  /** Segments of the manifest that was replaced. */
  readonly before: readonly ManifestSegment[];
}

/** Synchronous: no write and no view comes between. Replaced objects go when the last view of them does. */
function install({ objects, channel, snapshot, before }: Installation, added: BlockState | undefined): void {
  const removed = snapshot.inputs.map((input) => input.block);
  for (const block of removed) {
    if (!isSealed(block)) continue;
    const { id, segment } = block.source;
    const indexes = before.find((listed) => listed.id === id)?.indexes ?? [];
    block.whenFreed(() => forget(objects, channel, [segment.name, ...indexes.map((index) => index.name)]));
  }
  channel.replica.entities.exchange(removed, added);
  channel.replica.changed();
}

/** Deletes what the newest manifest does not name. If that fails, or the engine dies first, the next open collects it. */
export function forget(objects: ObjectStore, channel: Channel, names: readonly string[]): void {
  const named = objectsOf(channel);
  for (const name of names) if (!named.has(name)) objects.delete(name).catch(() => {});
}

/** Names of all objects that a channel's newest manifest needs, its own included. */
export function objectsOf({ published }: Pick<Channel, 'published'>): ReadonlySet<string> {
  if (published === undefined) return new Set();
  const { pointer, manifest } = published;
  const indexes = manifest.segments.flatMap((segment) => segment.indexes.map((index) => index.name));
  return new Set([pointer.object, ...tombstoneObjects(manifest), ...manifest.segments.map((segment) => segment.name), ...indexes]);
}

function tombstoneObjects({ tombstones }: Manifest): string[] {
  return tombstones.type === 'object' ? [tombstones.name] : [];
}
