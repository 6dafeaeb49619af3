import { DbError, type Frame, type PrimaryKey, type Timestamp } from '@terndb/core';
import type { Catalog } from '../catalog/catalog.ts';
import { checkPartitionName } from '../catalog/channels.ts';
import { fromKernel } from '../database/from-kernel.ts';
import type { Change, EnginePorts } from '../database/types.ts';
import { OwnPuts, toBatches } from '../leader/records.ts';
import type { PartitionOps } from '../leader/resolve.ts';
import type { Manifest } from '../manifest/types.ts';
import { damagedSegments, emptyReplica, openPreview, openReplica } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { FollowedChannel } from './followed-channel.ts';
import { openFollowed } from './open-followed.ts';
import { StagedReplicas } from './staged-replicas.ts';
import type {
  Conflict,
  FollowedPlace,
  FollowedState,
  OutboxPort,
  OverlayEntry,
  ReplicaChange,
  Replication,
  StagedReplica,
} from './types.ts';

/** As in database/open-channels.ts. */
const PARALLEL_OPENS = 8;

type StoredPlace = Parameters<Replication['open']>[0][number];

export interface FollowedChannelsOptions {
  readonly ports: EnginePorts;
  readonly pool: SegmentPool;
  readonly catalog: Catalog;
  /** Told once per call, after everything is visible. */
  readonly notify: (changes: readonly Change[]) => void;
  /** R10. */
  readonly observe: (timestamp: Timestamp) => void;
}

/** The channels that a server leads. Everything but opening and staging is synchronous: what a call changes is visible when it returns. */
export class FollowedChannels implements Replication {
  readonly #options: FollowedChannelsOptions;
  readonly #channels = new Map<string, FollowedChannel>();
  /** Collection name → partition name → channel. */
  readonly #places = new Map<string, Map<string, FollowedChannel>>();
  readonly #staged = new StagedReplicas();
  readonly #conflictListeners = new Set<(conflict: Conflict) => void>();
  /** Writes that the outbox has not stored yet. */
  readonly #storing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: FollowedChannelsOptions) {
    this.#options = options;
  }

  all(): Iterable<FollowedChannel> {
    return this.#channels.values();
  }

  find(collection: string, partition: string): FollowedChannel | undefined {
    return this.#places.get(collection)?.get(partition);
  }

  partitionsOf(collection: string): Iterable<string> {
    return this.#places.get(collection)?.keys() ?? [];
  }

  async open(places: readonly StoredPlace[]): Promise<void> {
    const opened: FollowedChannel[] = [];
    try {
      for (let at = 0; at < places.length; at += PARALLEL_OPENS) {
        const results = await Promise.allSettled(places.slice(at, at + PARALLEL_OPENS).map((place) => this.#openOne(place)));
        for (const result of results) if (result.status === 'fulfilled') opened.push(result.value);
        for (const result of results) if (result.status === 'rejected') throw fromKernel(result.reason);
      }
      this.#checkOpen();
    } catch (error) {
      for (const channel of opened) channel.retire();
      throw error;
    }
    for (const channel of opened) this.#show(channel);
    this.#options.notify(opened.map(wholeChange));
  }

  leave(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    this.#hide(channel);
    this.#options.notify([wholeChange(channel)]);
  }

  setTimeToLive(name: string, ttlSeconds: number | null): void {
    const channel = this.#channels.get(name);
    if (channel?.setTimeToLive(ttlSeconds) === true) this.#options.notify([wholeChange(channel)]);
  }

  state(name: string): FollowedState | undefined {
    return this.#channels.get(name)?.state();
  }

  /** MEMORY_LIMIT before anything is applied: the replica stays as it was, and the batch has to be applied after a reopen. */
  apply(changes: readonly ReplicaChange[]): { readonly diverged: readonly string[] } {
    const byChannel = new Map<FollowedChannel, ReplicaChange[]>();
    for (const change of changes) {
      const channel = this.#channels.get(change.channel);
      // One that is left already: its batch was on its way.
      if (channel === undefined) {
        if (change.type === 'swap') this.#staged.drop(change.fetch);
        continue;
      }
      const list = byChannel.get(channel);
      if (list === undefined) byChannel.set(channel, [change]);
      else list.push(change);
    }
    for (const [channel, list] of byChannel) this.#reserve(channel, list);
    const conflicts: Conflict[] = [];
    const diverged: string[] = [];
    const told: Change[] = [];
    for (const [channel, list] of byChannel) {
      const applied = this.#applyTo(channel, list, conflicts);
      if (applied.isDiverged) diverged.push(channel.name);
      if (applied.change !== undefined) told.push(applied.change);
    }
    this.#options.notify(told);
    for (const conflict of conflicts) for (const listener of [...this.#conflictListeners]) listener(conflict);
    return { diverged };
  }

  async stage(name: string, fetch: number, source: Parameters<Replication['stage']>[2]): Promise<StagedReplica> {
    const channel = this.#channels.get(name);
    if (channel === undefined) throw notFollowed(name);
    const { definition } = channel.collection;
    const { ports, pool } = this.#options;
    const options = { channel: name, logEpoch: null, definition, kernel: ports.kernel };
    const open = async (): Promise<Replica> => {
      if (source === 'empty') return emptyReplica(options);
      const { manifest, leftOut } = source;
      return openWhole(
        await openReplica({ ...options, objects: ports.objects, pool, manifest: checkChannel(name, manifest), leftOut }),
        manifest,
      );
    };
    try {
      const { position, maxHlc } = await this.#staged.stage(name, fetch, open);
      return { position, maxHlc };
    } catch (error) {
      throw fromKernel(error);
    }
  }

  async preview(name: string, manifest: Manifest, segments: readonly string[]): Promise<void> {
    const channel = this.#channels.get(name);
    if (channel === undefined || channel.logEpoch !== null) return;
    const { ports, pool } = this.#options;
    const { definition } = channel.collection;
    const options = { channel: name, logEpoch: null, definition, kernel: ports.kernel, objects: ports.objects, pool };
    let replica: Replica | undefined;
    try {
      replica = await openPreview({ ...options, manifest: checkChannel(name, manifest), segments });
      // Meanwhile it may have been left, or be whole.
      if (this.#channels.get(name) !== channel || !channel.previews(replica)) {
        replica.retire();
        return;
      }
      channel.reserveSwap(replica);
    } catch (error) {
      replica?.retire();
      throw fromKernel(error);
    }
    channel.preview(replica);
    this.#options.observe(replica.maxHlc);
    this.#options.notify([wholeChange(channel)]);
  }

  stageFrame(fetch: number, frame: Frame): void {
    try {
      this.#staged.applyFrame(fetch, frame);
    } catch (error) {
      throw fromKernel(error);
    }
  }

  dropStaged(fetch: number): void {
    this.#staged.drop(fetch);
  }

  onConflict(listener: (conflict: Conflict) => void): () => void {
    this.#conflictListeners.add(listener);
    return () => this.#conflictListeners.delete(listener);
  }

  /**
   * Validated ops of one partition into the outbox, visible at once. The caller has reserved room.
   * @returns what settles when all of it is stored. A refusal takes it out of sight again.
   */
  write(
    channel: FollowedChannel,
    outbox: OutboxPort,
    { ops, hlc }: PartitionOps,
  ): { readonly durable: Promise<void>; readonly change: Change } {
    const puts = new OwnPuts(ops);
    const added = toBatches(ops).map(({ op }) => {
      const { entry, durable } = outbox.add(channel.name, puts.bind(op), hlc === undefined ? {} : { hlc });
      puts.note(op, { clientId: entry.clientId, seq: entry.seq ?? 0 });
      channel.setEntry(entry);
      return durable.catch((error: unknown) => {
        this.#takeBack(channel, entry);
        throw error;
      });
    });
    channel.settle();
    const change = { collection: channel.collection.name, partition: channel.partition, keys: ops.map((op) => op.pk) };
    const durable = Promise.all(added).then(() => {});
    this.#storing.add(durable);
    const done = (): boolean => this.#storing.delete(durable);
    durable.then(done, done);
    return { durable, change };
  }

  /** When the outbox has stored everything written so far; rejects when some of it was refused. */
  async flush(): Promise<void> {
    await Promise.all(this.#storing);
  }

  close(): void {
    this.#isClosed = true;
    this.#staged.dropAll();
    this.#conflictListeners.clear();
    for (const channel of this.#channels.values()) channel.retire();
    this.#channels.clear();
    this.#places.clear();
  }

  async #openOne(place: StoredPlace): Promise<FollowedChannel> {
    const { ports, pool, catalog } = this.#options;
    const collection = catalog.mustGetCollection(place.collection);
    const partition = checkPartitionName(collection.name, place.partition);
    const name = place.channel;
    const stored = await openFollowed({ ports, pool, channel: name, collection });
    const { definition } = collection;
    const { kernel } = ports;
    const replica = stored ?? emptyReplica({ channel: name, logEpoch: null, definition, kernel });
    // Without its replica nobody knows what the channel holds, whatever the universe.
    const logEpoch = stored === undefined ? null : place.logEpoch;
    const { ttlSeconds } = place;
    const channel = new FollowedChannel({ name, collection, partition, kernel, replica, logEpoch, ttlSeconds });
    try {
      channel.reserve([], place.overlay);
      for (const entry of place.overlay) channel.setEntry(entry);
      channel.settle();
    } catch (error) {
      channel.retire();
      throw error;
    }
    return channel;
  }

  #show(channel: FollowedChannel): void {
    const { name, collection, partition } = channel;
    const before = new Set([this.#channels.get(name), this.find(collection.name, partition)]);
    for (const other of before) if (other !== undefined) this.#hide(other);
    this.#channels.set(name, channel);
    const partitions = this.#places.get(collection.name) ?? new Map<string, FollowedChannel>();
    this.#places.set(collection.name, partitions.set(partition, channel));
    this.#options.observe(channel.state().maxHlc);
  }

  /** MEMORY_LIMIT, and nothing that shows has changed. */
  #reserve(channel: FollowedChannel, changes: readonly ReplicaChange[]): void {
    const frames = changes.flatMap((change) => (change.type === 'frame' ? [change.frame] : []));
    const entries = changes.flatMap((change) => (change.type === 'entry' ? [change.entry] : []));
    try {
      channel.reserve(frames, entries);
      for (const change of changes) if (change.type === 'swap') channel.reserveSwap(this.#staged.mustGet(channel.name, change.fetch));
    } catch (error) {
      throw fromKernel(error);
    }
  }

  #hide(channel: FollowedChannel): void {
    this.#channels.delete(channel.name);
    this.#places.get(channel.collection.name)!.delete(channel.partition);
    channel.retire();
  }

  #applyTo(
    channel: FollowedChannel,
    changes: readonly ReplicaChange[],
    conflicts: Conflict[],
  ): { readonly change: Change | undefined; readonly isDiverged: boolean } {
    const keys = new Set<PrimaryKey>();
    const add = (changed: readonly PrimaryKey[]): void => {
      for (const key of changed) keys.add(key);
    };
    let isWhole = false;
    let isDiverged = false;
    // The base first: an entry that goes because a frame covers it must be known while the frame is folded.
    for (const change of changes) {
      if (change.type === 'frame') {
        const applied = channel.applyFrame(change.frame, (conflict) => conflicts.push(conflict));
        add(applied.keys);
        isDiverged ||= !applied.isSame;
      } else if (change.type === 'swap') {
        channel.swap(this.#staged.take(channel.name, change.fetch), change.logEpoch);
        isWhole = true;
        isDiverged = false;
      }
    }
    for (const change of changes) {
      if (change.type === 'entry') add(channel.setEntry(change.entry));
      else if (change.type === 'entry-gone') add(channel.removeEntry(change.id));
    }
    channel.settle();
    this.#options.observe(channel.state().maxHlc);
    if (!isWhole && keys.size === 0) return { change: undefined, isDiverged };
    const change = { collection: channel.collection.name, partition: channel.partition, keys: [...keys] };
    return { change: isWhole ? { ...change, all: true } : change, isDiverged };
  }

  /** The write could not be stored: it has no effect, unless it was stamped anew and stored after all. */
  #takeBack(channel: FollowedChannel, entry: OverlayEntry): void {
    if (channel.getEntry(entry.id) !== entry || this.#channels.get(channel.name) !== channel) return;
    const keys = channel.removeEntry(entry.id);
    channel.settle();
    this.#options.notify([{ collection: channel.collection.name, partition: channel.partition, keys }]);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new DbError('DATABASE_CLOSED', 'database: an open one expected, got one closed while channels were opened');
  }
}

function wholeChange({ collection, partition }: FollowedPlace | FollowedChannel): Change {
  return { collection: typeof collection === 'string' ? collection : collection.name, partition, keys: [], all: true };
}

function checkChannel<M extends { readonly channel: string }>(name: string, manifest: M): M {
  if (manifest.channel === name) return manifest;
  throw new DbError('FORMAT_INVALID', `manifest: one of channel ${name} expected, got one of ${manifest.channel}`, {
    details: { channel: name, got: manifest.channel },
  });
}

/** A whole bootstrap is whole: what could not be read is downloaded again. CHECKSUM_MISMATCH. */
function openWhole(replica: Replica, { segments }: Manifest): Replica {
  const { quarantined, channel } = replica;
  if (quarantined.length === 0) return replica;
  replica.retire();
  throw damagedSegments(
    channel,
    segments.filter(({ id }) => quarantined.includes(id)),
  );
}

function notFollowed(channel: string): DbError {
  return new DbError('PARTITION_UNKNOWN', `channel ${channel}: a followed one expected, got one that is not`, { details: { channel } });
}
