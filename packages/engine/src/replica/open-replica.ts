import {
  addHash,
  type CollectionDefinition,
  DbError,
  defaultValueOf,
  type Hash64,
  hashEquals,
  type ObjectStore,
  type StoredValue,
  subHash,
  type Timestamp,
  valueFieldsOf,
  ZERO_HASH,
} from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { andNotInto, createFullBitmap, forEachSet } from '../bitmap/bitmap.ts';
import { LiveBitmap } from '../growing/live-bitmap.ts';
import { readManifest } from '../manifest/manifest-file.ts';
import type { Manifest, ManifestSegment } from '../manifest/types.ts';
import { readTombstones } from '../tombstones/tombstone-file.ts';
import { TombstoneSet } from '../tombstones/tombstone-set.ts';
import { BlockState } from './block-state.ts';
import { Entities, tombstoneHash } from './entities.ts';
import { maskSuperseded } from './mask-superseded.ts';
import { Replica } from './replica.ts';
import { SealedRows } from './sealed-rows.ts';
import type { SegmentPool } from './segment-pool.ts';

export interface ReplicaOptions {
  readonly channel: string;
  /** Null: a frame's epoch is not compared. */
  readonly logEpoch: string | null;
  readonly definition: CollectionDefinition;
  readonly kernel: Kernel;
}

/** What a field reads as where a put does not name it. */
export function defaultsOf(definition: CollectionDefinition): ReadonlyMap<string, StoredValue> {
  return new Map(valueFieldsOf(definition).map((field) => [field.name, defaultValueOf(field)]));
}

/** A channel before its first record. */
export function emptyReplica({ channel, logEpoch, definition, kernel }: ReplicaOptions): Replica {
  return new Replica({
    channel,
    logEpoch,
    entities: new Entities({ definition, defaults: defaultsOf(definition), kernel }),
    position: 0,
    maxHlc: 0 as Timestamp,
    floor: 0 as Timestamp,
    lmids: new Map(),
    quarantined: [],
    missingRows: 0,
  });
}

/** @throws STORAGE_LOST when it is gone; FORMAT_INVALID, CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED. */
export async function loadManifest(objects: ObjectStore, name: string): Promise<Manifest> {
  return readManifest(await readWhole(objects, name), name);
}

/**
 * A channel as its manifest says. A segment that is damaged or lost is named in `quarantined`; its rows count as missing. So do those of segments
 * that are left out on purpose (`leftOut`, by id), about which the replica then says nothing rather than something wrong.
 * @throws what is wrong with the tombstones, and STORAGE_UNAVAILABLE, MEMORY_LIMIT. Nothing stays open then.
 */
export async function openReplica(options: ManifestOptions & { readonly leftOut?: readonly string[] | undefined }): Promise<Replica> {
  const { manifest, leftOut = [] } = options;
  const isKept = ({ id }: ManifestSegment): boolean => !leftOut.includes(id);
  const { sealed, tombstones, quarantined } = await openSegments(options, manifest.segments.filter(isKept));
  let divergences = 0;
  // Without a missing segment's rows: so the next manifest's hash tells, once the segment is back, that nobody knew of its rows meanwhile.
  let hash = stateHash(sealed, tombstones);
  if (quarantined.length === 0 && leftOut.length === 0 && !hashEquals(hash, manifest.hash)) {
    maskSuperseded(sealed, tombstones);
    hash = stateHash(sealed, tombstones);
    divergences = 1;
  }
  const missing = [...quarantined, ...manifest.segments.filter((segment) => !isKept(segment))];
  return replicaOf(options, { sealed, tombstones, hash, divergences, missing, quarantined });
}

/**
 * Some segments of a manifest, to be read while the others are on their way; the rows of those count as missing. What it shows is true at the
 * manifest's position, because the manifest itself says which rows of a segment later ones superseded or deleted (`dead`). Not to be folded into:
 * a frame may speak of rows that are not here, so it has no hash.
 * @throws CHECKSUM_MISMATCH when one is damaged or lost; what is wrong with the tombstones; STORAGE_UNAVAILABLE, MEMORY_LIMIT.
 */
export async function openPreview(options: ManifestOptions & { readonly segments: readonly string[] }): Promise<Replica> {
  const { manifest, channel, segments } = options;
  const isReady = ({ id }: ManifestSegment): boolean => segments.includes(id);
  const { sealed, tombstones, quarantined } = await openSegments(options, manifest.segments.filter(isReady));
  if (quarantined.length > 0) {
    for (const block of sealed) block.retire();
    throw damagedSegments(channel, quarantined);
  }
  const missing = manifest.segments.filter((segment) => !isReady(segment));
  return replicaOf(options, { sealed, tombstones, hash: ZERO_HASH, divergences: 0, missing, quarantined });
}

/** For who needs all of them. */
export function damagedSegments(channel: string, segments: readonly ManifestSegment[]): DbError {
  const names = segments.map(({ id }) => id);
  return new DbError('CHECKSUM_MISMATCH', `channel ${channel}: readable segments expected, got damaged or missing ${names.join(', ')}`, {
    details: { channel, segments: names, objects: segments.map(({ name }) => name) },
  });
}

interface ManifestOptions extends ReplicaOptions {
  readonly objects: ObjectStore;
  readonly pool: SegmentPool;
  readonly manifest: Manifest;
}

interface OpenedSegments {
  readonly sealed: readonly BlockState<SealedRows>[];
  readonly tombstones: TombstoneSet;
  readonly quarantined: readonly ManifestSegment[];
}

async function openSegments(options: ManifestOptions, segments: readonly ManifestSegment[]): Promise<OpenedSegments> {
  const { objects, pool, manifest } = options;
  const tombstones = await loadTombstones(objects, manifest);
  const sealed: BlockState<SealedRows>[] = [];
  const quarantined: ManifestSegment[] = [];
  try {
    for (const listed of segments) {
      const block = await openBlock(options, listed, pool);
      if (block === undefined) quarantined.push(listed);
      else sealed.push(block);
    }
  } catch (error) {
    for (const block of sealed) block.retire();
    throw error;
  }
  return { sealed, tombstones, quarantined };
}

function replicaOf(
  { channel, logEpoch, definition, kernel, manifest }: ManifestOptions,
  state: OpenedSegments & { readonly hash: Hash64; readonly divergences: number; readonly missing: readonly ManifestSegment[] },
): Replica {
  const { sealed, tombstones, hash, divergences, missing, quarantined } = state;
  return new Replica({
    channel,
    logEpoch,
    entities: new Entities({ definition, defaults: defaultsOf(definition), kernel, sealed, tombstones, hash }),
    position: manifest.upTo,
    maxHlc: manifest.maxHlc,
    floor: manifest.floor,
    lmids: new Map(manifest.lmids.map((entry) => [entry.clientId, entry])),
    divergences,
    quarantined: quarantined.map((segment) => segment.id),
    leftOut: missing.flatMap((segment) => (quarantined.includes(segment) ? [] : [segment.id])),
    missingRows: missing.reduce((rows, segment) => rows + liveRowsOf(segment), 0),
  });
}

async function openBlock(
  options: { readonly channel: string; readonly definition: CollectionDefinition },
  listed: ManifestSegment,
  pool: SegmentPool,
): Promise<BlockState<SealedRows> | undefined> {
  const { id, rows, bytes, name, dead } = listed;
  try {
    const segment = await pool.open(name, options.definition, { id, channel: options.channel, rows, bytes });
    segment.indexes.list(listed.indexes);
    await pool.indexFiles.loadWithSegment(segment, options.definition.fields, listed.indexes);
    const live = createFullBitmap(rows);
    if (dead !== null) andNotInto(live, dead);
    return new BlockState(new SealedRows(segment, pool), new LiveBitmap(live));
  } catch (error) {
    if (error instanceof DbError && error.kind === 'data') return undefined;
    throw error;
  }
}

async function loadTombstones(objects: ObjectStore, { tombstones }: Manifest): Promise<TombstoneSet> {
  if (tombstones.type === 'none') return new TombstoneSet();
  if (tombstones.type === 'inline') return new TombstoneSet(readTombstones(tombstones.bytes, 'tombstones in the manifest'));
  return new TombstoneSet(readTombstones(await readWhole(objects, tombstones.name), tombstones.name));
}

async function readWhole(objects: ObjectStore, name: string): Promise<Uint8Array> {
  const info = await objects.head(name);
  const bytes = info && (await objects.read(name, 0, info.bytes));
  if (bytes !== undefined) return bytes;
  throw new DbError('STORAGE_LOST', `object ${name}: expected in the store, got nothing`, { details: { name } });
}

/** Segments' sums, without their dead rows, and the tombstones (R13). Cost: one hash per dead row and tombstone. */
function stateHash(sealed: readonly BlockState<SealedRows>[], tombstones: TombstoneSet): Hash64 {
  let hash = ZERO_HASH;
  for (const { source, live } of sealed) {
    hash = addHash(hash, source.segment.info.hash);
    const dead = createFullBitmap(source.rows);
    andNotInto(dead, live.share());
    forEachSet(dead, (offset) => {
      hash = subHash(hash, source.hashAt(offset));
    });
  }
  for (const entry of tombstones) hash = addHash(hash, tombstoneHash(entry));
  return hash;
}

function liveRowsOf({ rows, dead }: ManifestSegment): number {
  let live = rows;
  if (dead !== null) forEachSet(dead, () => live--);
  return live;
}
