import { DbError, type Hlc, type PrimaryKey } from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { ExpiryCollector } from '../expiry/collector.ts';
import type { IndexedChannel } from '../indexes/index-manager.ts';
import { Committer } from '../leader/committer.ts';
import type { SizedFrame } from '../leader/frames.ts';
import { foldCollection, foldExpiry, foldWrite } from '../leader/leader.ts';
import type { LogTail } from '../leader/log-tail.ts';
import type { PartitionOps } from '../leader/resolve.ts';
import { emptyReplica } from '../replica/open-replica.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { Sealer } from '../seal/sealer.ts';
import type { Channel } from './channel.ts';
import { fromKernel } from './from-kernel.ts';
import { type OpenChannels, openChannels, STREAM } from './open-channels.ts';
import type { Change, EngineLimits, EnginePorts } from './types.ts';

export interface SelfLedOptions {
  readonly ports: EnginePorts;
  readonly limits: EngineLimits;
  readonly catalog: Catalog;
  readonly pool: SegmentPool;
  readonly opened: OpenChannels;
  readonly hlc: Hlc;
  /** Segments are others than before. */
  readonly onSealed: () => void;
  /** Rows were expired for so long that they are gone. */
  readonly onExpired: (changes: readonly Change[]) => void;
  /** Back at the durable state: what was refused is not shown any more. */
  readonly onReopened: (changes: readonly Change[]) => void;
  /** The storage is no longer this engine's, or cannot be read: the engine has to close. */
  readonly onLost: (error: DbError) => void;
}

export interface LocalWrite {
  readonly channel: Channel;
  readonly write: PartitionOps;
}

/**
 * The channels that this engine leads itself: the device is the leader of its own universe (R14). Stamps and folds writes (leader), makes them
 * durable (committer), seals, and goes back to the durable state when an append failed.
 */
export class SelfLed {
  readonly #options: SelfLedOptions;
  readonly #committer: Committer;
  readonly #sealer: Sealer;
  readonly #expiry: ExpiryCollector;
  #channels: Map<string, Channel>;
  #tail: LogTail;
  /** `recovering`: an append failed; channels are read again from storage. Reads show the state before, writes are refused. */
  #state: 'open' | 'recovering' | 'closed' = 'open';
  #recovery: Promise<void> = Promise.resolve();

  constructor(options: SelfLedOptions) {
    const { ports, limits, catalog, pool, opened } = options;
    this.#options = options;
    this.#channels = opened.channels;
    this.#tail = opened.tail;
    this.#committer = new Committer({
      log: ports.log,
      stream: STREAM,
      clock: ports.clock,
      groupCommitMs: limits.groupCommitMs,
      tail: opened.tail,
      onCommitted: (channels) => this.#sealer.sealDue(channels),
      onFailed: (error) => this.#onAppendFailed(error),
    });
    this.#sealer = new Sealer({
      context: { ports, pool, clock: ports.clock, logEpoch: catalog.database.logEpoch, flush: () => this.#committer.flushForJob() },
      log: ports.log,
      stream: STREAM,
      clock: ports.clock,
      limits,
      channels: () => this.#channels,
      tail: () => this.#tail,
      onConflict: (error) => options.onLost(error),
      onSealed: () => options.onSealed(),
    });
    this.#sealer.collect();
    this.#expiry = new ExpiryCollector({ clock: ports.clock, collect: () => this.#collectExpired() });
  }

  /** By channel name. */
  get channels(): ReadonlyMap<string, Channel> {
    return this.#channels;
  }

  /** STORAGE_UNAVAILABLE while the engine goes back to its durable state; RATE_LIMITED when too much waits to be durable. */
  checkWritable(): void {
    if (this.#state !== 'open') {
      throw new DbError(
        'STORAGE_UNAVAILABLE',
        'write: an open database expected, got one that goes back to its durable state after a failed write; try again',
      );
    }
    this.#committer.checkRoom();
  }

  /** The channel, made if the partition is new; `stored` then has what must be durable first. Throws the damage of one that is read-only. */
  channelForWrite(collection: CatalogCollection, partition: string, stored: Promise<void>[]): Channel {
    const { catalog, ports } = this.#options;
    const known = this.#channels.get(catalog.partitionsOf(collection.name).get(partition) ?? '');
    if (known?.damage !== undefined) throw known.damage;
    if (known !== undefined) return known;
    const made = catalog.createPartition(collection.name, partition);
    made.stored.catch(() => {});
    stored.push(made.stored);
    const { definition } = collection;
    const replica = emptyReplica({ channel: made.channel, logEpoch: catalog.database.logEpoch, definition, kernel: ports.kernel });
    const channel: Channel = { name: made.channel, collection, partition, replica, published: undefined, damage: undefined };
    this.#channels.set(channel.name, channel);
    return channel;
  }

  /**
   * Folds writes for which room was reserved: they are visible when it returns. @returns when all of them are durable, in one append, and what
   * changed.
   */
  write(
    writes: readonly LocalWrite[],
    stored: readonly Promise<void>[],
  ): { readonly durable: Promise<void>; readonly changes: readonly Change[] } {
    const frames: SizedFrame[] = [];
    const changes: Change[] = [];
    for (const { channel, write } of writes) {
      const folded = this.#fold(channel, write);
      for (const frame of folded.frames) frames.push(frame);
      if (folded.keys.length > 0) changes.push({ collection: channel.collection.name, partition: write.partition, keys: folded.keys });
    }
    const after = stored.length === 0 ? undefined : Promise.all(stored).then(() => {});
    return { durable: frames.length === 0 ? Promise.resolve() : this.#committer.add(frames, after), changes };
  }

  async flush(): Promise<void> {
    await this.#committer.flush();
  }

  async seal(names: readonly string[]): Promise<void> {
    await this.#recovery;
    await this.#sealer.seal(names);
  }

  async compact(): Promise<void> {
    await this.#recovery;
    await this.#sealer.compact([...this.#channels.keys()]);
  }

  async recovered(): Promise<void> {
    await this.#recovery;
  }

  /** For index files: with the way to publish one, if they are to be built. */
  indexed(builds: boolean): IndexedChannel[] {
    return [...this.#channels.values()].map((channel) => {
      const { name, collection, partition, replica, damage } = channel;
      const publish: IndexedChannel['publish'] = (segment, index) => this.#sealer.publishIndex(channel, segment, index);
      return {
        name,
        collection,
        partition,
        blocks: replica.entities.blocks,
        publish: builds && damage === undefined ? publish : undefined,
      };
    });
  }

  /** When whatever was written is durable or refused. */
  async settled(): Promise<void> {
    await this.#committer.settled();
    await this.#recovery;
  }

  /** When no job runs. */
  async idle(): Promise<void> {
    await this.#sealer.idle();
  }

  /** Refuses what is not durable, and frees the replicas. */
  close(error: DbError): void {
    this.#state = 'closed';
    this.#expiry.close();
    this.#committer.rejectAll(error);
    this.#sealer.close();
    for (const { replica } of this.#channels.values()) replica.retire();
  }

  /** Of one channel; false: none is due, or nothing can be written now. */
  #collectExpired(): boolean {
    const { catalog, hlc, ports } = this.#options;
    if (this.#state !== 'open') return false;
    for (const { replica, damage, collection, partition } of this.#channels.values()) {
      const folded = damage === undefined ? foldExpiry({ ...catalog.database, hlc }, replica, ports.clock.nowMs()) : undefined;
      if (folded === undefined) continue;
      // Refused, they come back with everything else that was not durable.
      void this.#committer.add(folded.frames);
      this.#options.onExpired([{ collection: collection.name, partition, keys: folded.keys }]);
      return true;
    }
    return false;
  }

  #fold(channel: Channel, write: PartitionOps): ReturnType<typeof foldWrite> {
    const { catalog, hlc } = this.#options;
    const leader = { ...catalog.database, hlc };
    try {
      const folded = foldWrite(leader, channel.replica, write, channel.collection.schemaVersion);
      return { ...folded, frames: [...folded.frames, ...foldCollection(leader, channel.replica)] };
    } catch (thrown) {
      const error = fromKernel(thrown);
      // Part of the write may be folded: only the storage knows the state before it.
      this.#recover(error, { flushFirst: true });
      throw error;
    }
  }

  #onAppendFailed(error: DbError): void {
    if (error.code === 'APPEND_CONFLICT') this.#options.onLost(error);
    else this.#recover(error, { flushFirst: false });
  }

  /**
   * Back to the durable state: every channel is read again from storage, then the writes that were not durable are refused with `error`.
   * Readers see the difference as a change. If the storage cannot even be read, the engine closes.
   */
  #recover(error: DbError, options: { readonly flushFirst: boolean }): void {
    if (this.#state !== 'open') return;
    this.#state = 'recovering';
    this.#recovery = this.#reopen(error, options).catch((failed: unknown) => this.#options.onLost(DbError.from(failed)));
  }

  async #reopen(error: DbError, { flushFirst }: { readonly flushFirst: boolean }): Promise<void> {
    const { ports, catalog, pool } = this.#options;
    if (flushFirst) await this.#committer.quiesce();
    await this.#sealer.idle();
    const undone = this.#committer.waiting();
    const before = this.#channels;
    await catalog.reload();
    const opened = await openChannels({ ports, catalog, pool });
    if (this.#state !== 'recovering') {
      // Closed meanwhile, by a job that found another writer.
      for (const { replica } of opened.channels.values()) replica.retire();
      return;
    }
    this.#channels = opened.channels;
    this.#tail = opened.tail;
    for (const { replica } of before.values()) replica.retire();
    this.#state = 'open';
    this.#committer.rejectAll(error);
    this.#committer.resume(opened.tail);
    this.#options.onReopened(changesOf(before, undone));
  }
}

function changesOf(channels: ReadonlyMap<string, Channel>, frames: readonly SizedFrame[]): Change[] {
  const keys = new Map<Channel, PrimaryKey[]>();
  for (const { frame } of frames) {
    const channel = channels.get(frame.channel);
    if (channel === undefined) continue;
    const list = keys.get(channel) ?? [];
    keys.set(channel, list);
    for (const record of frame.records) {
      if (record.type !== 'op') continue;
      for (const op of record.op.type === 'batch' ? record.op.ops : [record.op]) list.push(op.pk);
    }
  }
  return [...keys].map(([{ collection, partition }, changed]) => ({ collection: collection.name, partition, keys: changed }));
}
