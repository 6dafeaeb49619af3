import { type Clock, DbError, type MetaStore, type ObjectStore } from '@terndb/core';
import {
  type Channel,
  ExpiryCollector,
  expiryRecord,
  fromKernel,
  type IndexedChannel,
  IndexManager,
  isDue,
  JobQueue,
  type ManifestIndex,
  publishIndex,
  type SealContext,
  type Segment,
  type SegmentPool,
  sealChannel,
  unsealedOf,
} from '@terndb/engine/parts';
import { serverClientId } from '@terndb/sync';
import type { StoredCatalog } from '../catalog/node-catalog.ts';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { FrameCache } from '../channels/frame-cache.ts';
import type { NodeChannel } from '../channels/node-channel.ts';
import { Failures } from '../health/failures.ts';
import type { JobsHealth } from '../health/node-checks.ts';
import type { SlotLeader } from '../leader/slot-leader.ts';
import type { NodeLimits } from '../limits.ts';
import { Cuts } from './cuts.ts';
import { FirstSeen } from './first-seen.ts';
import { forgettingRecords } from './forgetting.ts';
import { Garbage, withoutDelete } from './garbage.ts';

/** Rounds of the costlier housekeeping are at least so far apart: it looks at every tombstone and lists every object. */
const MIN_SWEEP_MS = 60 * 60 * 1000;
/** Bytes of the log read at once while a channel is opened again. */
const CATCH_UP_BYTES = 4 * 1024 * 1024;

export interface DataJobsOptions {
  readonly objects: ObjectStore;
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly pool: SegmentPool;
  readonly limits: NodeLimits;
  readonly logEpoch: string;
  readonly catalog: Pick<StoredCatalog, 'engineCollection' | 'isBehind'>;
  readonly channels: ChannelTable;
  readonly cache: FrameCache;
  readonly leaders: readonly SlotLeader[];
  readonly isGone: (channel: string) => boolean;
  /** A channel shows itself under another version of its schema. */
  readonly altered: (channel: string, schemaVersion: number) => void;
  /** Counted by name. */
  readonly count: (event: string) => void;
}

/** Seals, merges, cuts logs, collects and forgets: one job at a time, beside reads and writes. */
export class DataJobs {
  readonly #options: DataJobsOptions;
  readonly #jobs = new JobQueue();
  readonly #objects: ObjectStore;
  readonly #garbage: Garbage;
  readonly #cuts: readonly Cuts[];
  readonly #indexes: IndexManager;
  /** Channels with a seal of their own accord on its way. */
  readonly #scheduled = new Set<string>();
  /** Channels whose last seal failed, with the rows they had: tried again when half as many more have come. */
  readonly #failedRows = new Map<string, number>();
  readonly #failedSeals = new Failures<string>();
  readonly #failedRounds = new Failures<string>();
  #publishedIndexes = 0;
  readonly #expiry: ExpiryCollector;
  /** Position that a channel had when its last expiry record was made: until that is folded there is no other. */
  readonly #expiredAt = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  private constructor(options: DataJobsOptions, cuts: readonly Cuts[], garbage: Garbage) {
    this.#options = options;
    this.#cuts = cuts;
    this.#objects = withoutDelete(options.objects);
    this.#garbage = garbage;
    this.#indexes = new IndexManager({
      files: options.pool.indexFiles,
      clock: options.clock,
      channels: () => this.#indexed(),
      deleteObject: (name) => this.#objects.delete(name),
    });
    this.#expiry = new ExpiryCollector({ clock: options.clock, collect: () => this.#collectExpired() });
    this.#schedule();
  }

  static async open(options: DataJobsOptions): Promise<DataJobs> {
    const cuts = await Promise.all(options.leaders.map(({ slot }) => Cuts.open(options.meta, slot, options.limits.retainLogMs)));
    const seen = await FirstSeen.open(options.meta);
    return new DataJobs(options, cuts, new Garbage(options.objects, seen, options.limits.objectGraceMs));
  }

  /** What failed when it was last tried. */
  get health(): JobsHealth {
    return { failedSeals: this.#failedSeals, failedRounds: this.#failedRounds, indexing: () => this.#indexing() };
  }

  /** Cost: a look at every segment. */
  #indexing(): ReturnType<JobsHealth['indexing']> {
    const { waiting, failed, current } = this.#indexes.inspect();
    return { waiting, failed, published: this.#publishedIndexes, isBuilding: current !== null };
  }

  /** Seals them now. Rejects with the first error; the others are sealed all the same. */
  seal(names: Iterable<string>): Promise<void> {
    return this.#sealAll(names, false);
  }

  /** Resolves when the merged segments have their indexes, too. */
  async compact(names: Iterable<string>): Promise<void> {
    await this.#sealAll(names, true);
    await this.#indexes.check();
  }

  /** After a commit: seals what is large or old enough, in the background. */
  sealDue(names: Iterable<string>): void {
    for (const name of names) {
      const rows = this.#dueRows(name);
      if (rows === undefined || this.#scheduled.has(name) || this.#isClosed) continue;
      this.#scheduled.add(name);
      this.#seal(name, false)
        .then(() => this.#failedRows.delete(name))
        .catch(() => {
          this.#failedRows.set(name, rows);
          this.#options.count('seal_failures');
        })
        .finally(() => this.#scheduled.delete(name));
    }
  }

  /**
   * The channel shows itself under its collection's newest definition from now on: opened anew and caught up, then swapped in at the same position.
   * On an error it is as it was, and housekeeping tries again.
   */
  rebuild(channel: NodeChannel): Promise<void> {
    return this.#jobs.run(() => this.#rebuild(channel));
  }

  async #rebuild(channel: NodeChannel): Promise<void> {
    const { catalog, channels, isGone, count } = this.#options;
    const collection = catalog.engineCollection(channel.channel.collection.collectionId);
    if (this.#isClosed || collection === undefined || isGone(channel.name) || !catalog.isBehind(channel)) return;
    try {
      const fresh = await channels.openAgain(channel, collection);
      try {
        while (fresh.replica.position < channel.position) {
          for (const frame of await this.#framesAfter(channel, fresh.replica.position)) fresh.replica.applyFrame(frame);
        }
      } catch (error) {
        fresh.replica.retire();
        throw error;
      }
      const before = channel.channel;
      channel.channel = { ...fresh, damage: before.damage };
      before.replica.retire();
      this.#options.altered(channel.name, collection.schemaVersion);
      this.#indexes.checkAfter(0);
    } catch (error) {
      count('schema_failures');
      throw fromKernel(error);
    }
  }

  /** One round now, the costly part too. Errors of single channels are counted; the next round tries again. */
  async housekeep(options: { readonly sweep: boolean }): Promise<void> {
    const { channels, clock, count } = this.#options;
    this.sealDue([...channels.all()].map(({ name }) => name));
    this.#collectExpired();
    await this.#sealFailedAgain();
    await this.#jobs.run(async () => {
      if (this.#isClosed) return;
      await this.#round('changes of schemas', () => inTurn(this.#live(), (channel) => this.#rebuild(channel)));
      await this.#round('cuts of the log', () =>
        inTurn(this.#options.leaders, (leader) =>
          this.#cut(leader).catch((error: unknown) => {
            count('truncate_failures');
            throw error;
          }),
        ),
      );
      if (!options.sweep) return;
      const nowMs = clock.nowMs();
      this.#sweptAtMs = nowMs;
      for (const channel of channels.all()) this.#forget(channel, nowMs);
      await this.#round('deleting objects', async () => {
        const deleted = await this.#garbage.collect(this.#live(), nowMs);
        for (let index = 0; index < deleted; index++) count('objects_deleted');
      });
    });
  }

  /** A failure is known until a round of the same goes well. */
  async #round(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failedRounds.ended(what);
    } catch (error) {
      this.#failedRounds.failed(what, fromKernel(error), this.#options.clock.nowMs());
    }
  }

  /** Whether or not they are due: they were asked for, or became due, when they failed. Until the first that fails again. */
  async #sealFailedAgain(): Promise<void> {
    for (const name of [...this.#failedSeals.keys()]) {
      if (this.#isClosed) return;
      try {
        await this.#seal(name, false);
        this.#failedRows.delete(name);
      } catch {
        this.#options.count('seal_failures');
        return;
      }
    }
  }

  /** Starts nothing any more; resolves when the job that runs is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#expiry.close();
    await this.#indexes.close();
    await this.#jobs.idle();
  }

  #schedule(): void {
    const { clock, limits } = this.#options;
    this.#cancelTimer = clock.after(limits.housekeepingMs, () => {
      const isSweep = clock.nowMs() - this.#sweptAtMs >= MIN_SWEEP_MS;
      void this.housekeep({ sweep: isSweep }).finally(() => {
        if (!this.#isClosed) this.#schedule();
      });
    });
  }

  *#live(): Iterable<NodeChannel> {
    for (const channel of this.#options.channels.all()) if (!this.#options.isGone(channel.name)) yield channel;
  }

  /** What is shown, for the builder of indexes. A segment's file is named in the manifest between two seals. */
  *#indexed(): Iterable<IndexedChannel> {
    for (const found of this.#live()) {
      const { channel } = found;
      if (channel.damage !== undefined) continue;
      const { name, collection, partition, replica } = channel;
      const { blocks } = replica.entities;
      yield { name, collection, partition, blocks, publish: (segment, index) => this.#publish(found, channel, segment, index) };
    }
  }

  #publish(found: NodeChannel, channel: Channel, segment: Segment, index: ManifestIndex): Promise<ManifestIndex | undefined> {
    return this.#jobs.run(async () => {
      // Shown under another definition meanwhile: the index is built again for that.
      if (this.#isClosed || this.#options.isGone(found.name) || found.channel !== channel) return undefined;
      const listed = await publishIndex({ objects: this.#objects, meta: this.#options.meta }, channel, segment, index);
      this.#options.leaders[found.slot]!.announce(found);
      this.#publishedIndexes += 1;
      this.#options.count('indexes_published');
      return listed;
    });
  }

  #dueRows(name: string): number | undefined {
    const { channels, clock, limits, isGone } = this.#options;
    const found = channels.find(name);
    if (found === undefined || isGone(name) || found.channel.damage !== undefined) return undefined;
    const unsealed = unsealedOf(found.channel, clock.nowMs());
    const isLong = found.tailBytes >= limits.sealBytes;
    if (!isLong && !isDue(unsealed, { ...limits, groupCommitMs: 0 })) return undefined;
    const failed = this.#failedRows.get(name);
    return failed !== undefined && unsealed.rows < failed * 1.5 ? undefined : unsealed.rows;
  }

  async #sealAll(names: Iterable<string>, forCompaction: boolean): Promise<void> {
    const results = await Promise.allSettled([...names].map((name) => this.#seal(name, forCompaction)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #seal(name: string, forCompaction: boolean): Promise<void> {
    return this.#jobs.run(async () => {
      const found = this.#options.channels.find(name);
      if (this.#isClosed) return;
      if (found === undefined || this.#options.isGone(name) || found.channel.damage !== undefined) {
        this.#failedSeals.ended(name);
        return;
      }
      const leader = this.#options.leaders[found.slot]!;
      const before = found.tailBytes;
      try {
        const isSealed = await sealChannel(this.#context(found, leader), found.channel, { forCompaction });
        this.#failedSeals.ended(name);
        if (!isSealed) return;
      } catch (error) {
        // Dropped meanwhile, and its manifest with it.
        if (this.#options.isGone(name)) return;
        if (error instanceof DbError && error.code === 'APPEND_CONFLICT') leader.stop(error);
        this.#failedSeals.failed(name, fromKernel(error), this.#options.clock.nowMs());
        throw error;
      }
      found.tailBytes -= before;
      this.#options.count('seals');
      this.#indexes.checkWhenQuiet();
      if (this.#options.isGone(name)) return;
      leader.log.tail.seal(name, found.sealedPosition);
      leader.announce(found);
      const covered = leader.log.tail.truncatable();
      if (covered !== undefined) await this.#cuts[leader.slot]!.note(covered, this.#options.clock.nowMs());
      await this.#cut(leader);
    });
  }

  #context(found: NodeChannel, leader: SlotLeader): SealContext {
    const { meta, pool, clock, logEpoch, isGone } = this.#options;
    return {
      ports: { objects: this.#objects, meta },
      pool,
      clock,
      logEpoch,
      // The leader folds what is in the log, and nothing else.
      flush: () => Promise.resolve(),
      cursorAt: (name, position) => leader.log.tail.cursorAt(name, position),
      isShown: (replica) => !this.#isClosed && !isGone(found.name) && found.channel.replica === replica,
    };
  }

  /** Truncates the slot's log behind what manifests have covered for long enough; clients never hold it back. */
  async #cut(leader: SlotLeader): Promise<void> {
    const { limits, clock, channels } = this.#options;
    const { log } = leader;
    const cuts = this.#cuts[leader.slot]!;
    const covered = log.tail.truncatable();
    if (covered === undefined) return;
    const upTo = Math.min(covered, Math.max(cuts.dueAt(clock.nowMs()), log.lastSequence - limits.retainEntries));
    if (upTo < log.tail.first) return;
    await log.truncate(upTo);
    await cuts.truncated(upTo);
    this.#options.count('truncations');
    for (const channel of channels.all()) if (channel.slot === leader.slot) leader.announce(channel);
  }

  /** A record for each channel whose rows have been expired for a while. False: none was due. */
  #collectExpired(): boolean {
    const { clock, leaders, count } = this.#options;
    let isAny = false;
    for (const channel of this.#live()) {
      const { name, position, slot } = channel;
      if (channel.channel.damage !== undefined || this.#expiredAt.get(name) === position) continue;
      this.#expiredAt.delete(name);
      const record = expiryRecord(channel.channel.replica, clock.nowMs());
      if (record === undefined) continue;
      this.#expiredAt.set(name, position);
      leaders[slot]!.event({ type: 'maintain', channel: name, records: [record] });
      count('expiries');
      isAny = true;
    }
    return isAny;
  }

  #forget(channel: NodeChannel, nowMs: number): void {
    if (this.#options.isGone(channel.name) || channel.channel.damage !== undefined) return;
    const own = serverClientId(this.#options.logEpoch);
    const records = forgettingRecords(channel, nowMs, this.#options.limits).filter(
      (record) => record.type !== 'expire' || record.clientId !== own,
    );
    if (records.length > 0) this.#options.leaders[channel.slot]!.event({ type: 'maintain', channel: channel.name, records });
  }

  async #framesAfter(channel: NodeChannel, position: number) {
    const { cache, leaders } = this.#options;
    const found =
      cache.read(channel.name, position + 1, CATCH_UP_BYTES) ??
      (await leaders[channel.slot]!.log.read(channel, position + 1, CATCH_UP_BYTES));
    if (found !== undefined) return found.map(({ frame }) => frame);
    throw new DbError(
      'STORAGE_LOST',
      `channel ${channel.name}: a log from position ${position + 1} on expected, got one truncated beyond it`,
      {
        details: { channel: channel.name, position },
      },
    );
  }
}

/** One after the other, all of them. Rejects with the first error. */
async function inTurn<T>(all: Iterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const one of all) await work(one).catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
