import {
  type CollectionDefinition,
  createHlc,
  createKeyGenerator,
  DbError,
  type Hlc,
  type KeyGenerator,
  type PrimaryKey,
  type SchemaDefinition,
} from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { clearedVectors, mustGetEmbeddedField } from '../embedding/resolve-vectors.ts';
import type { WaitingRequest, WaitingRow, WaitingRows } from '../embedding/types.ts';
import { modelsOf } from '../embedding/vector-models.ts';
import { WaitingScanner } from '../embedding/waiting.ts';
import { type IndexedChannel, IndexManager } from '../indexes/index-manager.ts';
import { Committer } from '../leader/committer.ts';
import type { SizedFrame } from '../leader/frames.ts';
import { foldCollection, foldWrite } from '../leader/leader.ts';
import type { LogTail } from '../leader/log-tail.ts';
import { type PartitionOps, type ResolveOptions, resolveWrite, type WriteTarget } from '../leader/resolve.ts';
import { createLive, type Live } from '../live/live.ts';
import type { ReadContext } from '../read/context.ts';
import { runGet } from '../read/get.ts';
import { runCount, runQuery } from '../read/query.ts';
import { runRecall } from '../read/recall.ts';
import { runSearch } from '../read/search.ts';
import { emptyReplica } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import type { FollowedChannel } from '../replication/followed-channel.ts';
import { FollowedChannels } from '../replication/followed-channels.ts';
import type { OutboxPort, Replication } from '../replication/types.ts';
import { Sealer } from '../seal/sealer.ts';
import type { Channel } from './channel.ts';
import { fromKernel } from './from-kernel.ts';
import { type OpenChannels, openChannels, STREAM } from './open-channels.ts';
import { Partitions } from './partitions.ts';
import { openRead, tokenOf } from './read-context.ts';
import type {
  Change,
  CountRequest,
  CountResult,
  Engine,
  EngineInspection,
  EngineLimits,
  EnginePorts,
  GetRequest,
  GetResult,
  PartitionView,
  QueryRequest,
  QueryResult,
  ReadScope,
  RecallRequest,
  RecallResult,
  SearchRequest,
  SearchResult,
  WriteRequest,
  WriteTicket,
} from './types.ts';

/**
 * - `open`: everything works.
 * - `recovering`: an append failed; channels are read again from storage. Reads show the state before, writes are refused.
 * - `closed`: by the caller, or because the storage is no longer this engine's.
 */
type EngineState = 'open' | 'recovering' | 'closed';

/**
 * A database on one device: the leader of its own universe (R14). Coordinates; the work is done by resolve (validation), leader (stamps and
 * fold), committer (durability), read and live.
 */
export class LocalEngine implements Engine {
  readonly #ports: EnginePorts;
  readonly #pool: SegmentPool;
  readonly #sealer: Sealer;
  readonly #indexes: IndexManager;
  readonly #catalog: Catalog;
  readonly #keys: KeyGenerator;
  readonly #committer: Committer;
  readonly #live: Live;
  readonly #followed: FollowedChannels;
  readonly #partitions: Partitions;
  readonly #outbox: OutboxPort | undefined;
  readonly #waiting = new WaitingScanner();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #channels: Map<string, Channel>;
  #hlc: Hlc;
  #state: EngineState = 'open';
  #closedBy: DbError | undefined;
  /** Reads still work until everything is durable; writes do not. */
  #isClosing = false;
  #recovery: Promise<void> = Promise.resolve();
  #tail: LogTail;

  constructor(options: {
    readonly ports: EnginePorts;
    readonly limits: EngineLimits;
    readonly catalog: Catalog;
    readonly pool: SegmentPool;
    readonly opened: OpenChannels;
    readonly buildIndexes: boolean;
    readonly outbox: OutboxPort | undefined;
  }) {
    const { ports, limits, catalog, opened } = options;
    this.#ports = ports;
    this.#pool = options.pool;
    this.#tail = opened.tail;
    this.#catalog = catalog;
    this.#channels = opened.channels;
    this.#hlc = createHlc({ clock: ports.clock, last: opened.maxHlc });
    this.#keys = createKeyGenerator(ports.clock, ports.rng);
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
      context: { ports, pool: options.pool, logEpoch: catalog.database.logEpoch, flush: () => this.#committer.flushForJob() },
      log: ports.log,
      stream: STREAM,
      clock: ports.clock,
      limits,
      channels: () => this.#channels,
      tail: () => this.#tail,
      onConflict: (error) => this.#close(error),
      onSealed: () => this.#indexes.checkAfter(0),
    });
    this.#sealer.collect();
    this.#indexes = new IndexManager({
      files: options.pool.indexFiles,
      clock: ports.clock,
      channels: () =>
        [...this.#channels.values()].map((channel) => this.#indexed(channel, options.buildIndexes)).concat([...this.#followed.all()]),
      deleteObject: (name) => ports.objects.delete(name),
    });
    this.#outbox = options.outbox;
    this.#followed = new FollowedChannels({
      ports,
      pool: options.pool,
      catalog,
      notify: (changes) => {
        // Other segments are shown.
        if (changes.some((change) => change.all === true)) this.#indexes.checkAfter(0);
        this.#notify(changes);
      },
      observe: (timestamp) => this.#hlc.observe(timestamp),
    });
    this.#partitions = new Partitions(catalog, () => this.#channels, this.#followed);
    this.#live = createLive({
      clock: ports.clock,
      onChange: (listener) => this.onChange(listener),
      open: (request) => this.#openRead(request),
    });
  }

  get clientId(): string {
    return this.#catalog.database.clientId;
  }

  get replication(): Replication {
    return this.#followed;
  }

  get schema(): SchemaDefinition {
    return this.#catalog.schema;
  }

  definition(collection: string): CollectionDefinition {
    return this.#catalog.mustGetCollection(collection).definition;
  }

  write(request: WriteRequest): WriteTicket {
    return this.#writeAll([request], {});
  }

  writeAll(requests: readonly WriteRequest[]): WriteTicket {
    return this.#writeAll(requests, { maxEntities: Number.POSITIVE_INFINITY });
  }

  #writeAll(requests: readonly WriteRequest[], options: ResolveOptions): WriteTicket {
    this.#checkWritable();
    this.#committer.checkRoom();
    const resolved = requests.map((request) => {
      const collection = this.#catalog.mustGetCollection(request.collection);
      return { collection, ...resolveWrite(this.#target(collection), request, options) };
    });
    const writes = resolved.flatMap(({ collection, partitions }) => partitions.map((write) => ({ collection, write })));
    const stored: Promise<void>[] = [];
    const local: LocalWrite[] = [];
    const followed: FollowedWrite[] = [];
    for (const { collection, write } of writes) {
      const channel = this.#followed.find(collection.name, write.partition);
      if (channel === undefined) local.push({ channel: this.#channelForWrite(collection, write.partition, stored), write });
      else followed.push({ channel, write });
    }
    if (requests.length > 1 && local.length > 0 && followed.length > 0) throw ofBothKinds(local, followed);
    const outbox = followed.length === 0 ? undefined : this.#mustHaveOutbox();
    for (const { channel, write } of local) reserve(() => channel.replica.entities.reserve(write.ops));
    for (const { channel, write } of followed) reserve(() => channel.reserveWrites(write.ops));
    const changes: Change[] = [];
    const durable = [this.#writeLocal(local, stored, changes)];
    for (const { channel, write } of followed) {
      durable.push(this.#followed.write(channel, outbox!, write).durable);
      changes.push({ collection: channel.collection.name, partition: channel.partition, keys: write.ops.map((op) => op.pk) });
    }
    const token = tokenOf(writes.map(({ collection, write }) => this.#partitions.mustGet(collection.name, write.partition)));
    const written = Promise.all(durable).then(() => ({ token }));
    written.catch(() => {});
    this.#notify(changes);
    return { keys: resolved.flatMap(({ keys }) => keys), durable: written };
  }

  #writeLocal(writes: readonly LocalWrite[], stored: readonly Promise<void>[], changes: Change[]): Promise<void> {
    const frames: SizedFrame[] = [];
    for (const { channel, write } of writes) {
      const folded = this.#fold(channel, write);
      for (const frame of folded.frames) frames.push(frame);
      if (folded.keys.length > 0) changes.push({ collection: channel.collection.name, partition: write.partition, keys: folded.keys });
    }
    const after = stored.length === 0 ? undefined : Promise.all(stored).then(() => {});
    return frames.length === 0 ? Promise.resolve() : this.#committer.add(frames, after);
  }

  #mustHaveOutbox(): OutboxPort {
    if (this.#outbox !== undefined) return this.#outbox;
    throw new DbError('NOT_CONNECTED', 'write: an outbox expected for a followed partition, got none', { details: {} });
  }

  get(request: GetRequest): GetResult {
    return this.#read(request, (context) => runGet(context, request));
  }

  query(request: QueryRequest): QueryResult {
    return this.#read(request, (context) => runQuery(context, request));
  }

  count(request: CountRequest): CountResult {
    return this.#read(request, (context) => runCount(context, request));
  }

  search(request: SearchRequest): SearchResult {
    return this.#read(request, (context) => runSearch(context, request));
  }

  async recall(request: RecallRequest): Promise<RecallResult> {
    const { context, release } = this.#openRead(request);
    try {
      return await runRecall(context, request, this.#ports.clock);
    } catch (error) {
      throw fromKernel(error);
    } finally {
      release();
    }
  }

  watchQuery(request: QueryRequest, onResult: (result: QueryResult) => void, onError: (error: DbError) => void): () => void {
    this.#checkOpen();
    return this.#live.watchQuery(request, onResult, onError);
  }

  watchSearch(request: SearchRequest, onResult: (result: SearchResult) => void, onError: (error: DbError) => void): () => void {
    this.#checkOpen();
    return this.#live.watchSearch(request, onResult, onError);
  }

  views(collection: string, partitions?: readonly string[]): readonly PartitionView[] {
    this.#checkOpen();
    const { name } = this.#catalog.mustGetCollection(collection);
    return this.#partitions.wanted(name, partitions).map((channel) => ({ partition: channel.partition, view: channel.view() }));
  }

  waitingVectors(request: WaitingRequest): WaitingRows {
    this.#checkOpen();
    const { definition } = this.#catalog.mustGetCollection(request.collection);
    const field = mustGetEmbeddedField(definition, request.collection, request.field);
    const state = { rows: [] as WaitingRow[], waiting: 0, lookedAt: 0, isComplete: true };
    for (const { partition, entities, damage } of this.#partitions.wanted(request.collection, undefined)) {
      if (damage === undefined) this.#waiting.scan(entities.blocks, partition, field, request, state);
    }
    return state;
  }

  vectorModels(collection: string, field: string): readonly string[] {
    const views = this.views(collection);
    try {
      return modelsOf(
        views.flatMap(({ view }) => view.blocks),
        field,
      );
    } finally {
      for (const { view } of views) view.release();
    }
  }

  async clearOtherDims(collection: string, field: string, dim: number): Promise<void> {
    this.#checkOpen();
    const embedded = mustGetEmbeddedField(this.#catalog.mustGetCollection(collection).definition, collection, field);
    let isOther = false;
    for (const replica of this.#partitions.wanted(collection, undefined)) {
      isOther ||= (replica.entities.dimOf(field) ?? dim) !== dim;
      for (;;) {
        const vectors = clearedVectors(replica, embedded, dim, CLEARED_AT_ONCE);
        if (vectors.length === 0) break;
        this.write({ type: 'vectors', collection, partition: replica.partition, field, model: '', vectors });
        await this.flush();
      }
    }
    // The room that growing rows and segments keep for the old vectors goes with the rewrite.
    if (isOther) await this.seal(collection);
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#committer.flush();
  }

  async seal(collection?: string): Promise<void> {
    this.#checkOpen();
    const collections = collection === undefined ? [...this.#catalog.collections()].map(({ name }) => name) : [collection];
    const names = collections.flatMap((name) => [...this.#catalog.partitionsOf(name).values()]);
    await this.#recovery;
    await this.#sealer.seal(names);
  }

  async compact(): Promise<void> {
    this.#checkOpen();
    await this.#recovery;
    await this.#sealer.compact([...this.#channels.keys()]);
  }

  async buildIndexes(): Promise<void> {
    this.#checkOpen();
    await this.#recovery;
    await this.#indexes.check();
  }

  inspect(): EngineInspection {
    this.#checkOpen();
    const { clientId, logEpoch } = this.#catalog.database;
    const partitions = this.#partitions.all().map((channel) => channel.inspect());
    const followed = [...this.#followed.all()];
    const outbox = {
      writes: followed.reduce((sum, { writes }) => sum + writes, 0),
      bytes: followed.reduce((sum, { outboxBytes }) => sum + outboxBytes, 0),
    };
    return { clientId, logEpoch, wasmBytes: this.#ports.kernel.memoryBytes, outbox, partitions, indexing: this.#indexes.inspect() };
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#isClosing = true;
    await this.#settle();
    this.#close(undefined);
  }

  #indexed(channel: Channel, builds: boolean): IndexedChannel {
    const { name, collection, partition, replica, damage } = channel;
    const publish: IndexedChannel['publish'] = (segment, index) => this.#sealer.publishIndex(channel, segment, index);
    return { name, collection, partition, blocks: replica.entities.blocks, publish: builds && damage === undefined ? publish : undefined };
  }

  #target(collection: CatalogCollection): WriteTarget {
    const { name } = collection;
    return {
      collection: name,
      definition: collection.definition,
      newKey: () => this.#keys.next(),
      replica: (partition) => this.#partitions.mustGet(name, partition),
      findReplica: (partition) => this.#partitions.find(name, partition),
      partitions: () => this.#partitions.names(name),
    };
  }

  #findChannel(collection: string, partition: string): Channel | undefined {
    const name = this.#catalog.partitionsOf(collection).get(partition);
    return name === undefined ? undefined : this.#channels.get(name);
  }

  /** The channel, made if the partition is new. Throws the damage of a channel that is read-only. */
  #channelForWrite(collection: CatalogCollection, partition: string, stored: Promise<void>[]): Channel {
    const known = this.#findChannel(collection.name, partition);
    if (known?.damage !== undefined) throw known.damage;
    if (known !== undefined) return known;
    const made = this.#catalog.createPartition(collection.name, partition);
    made.stored.catch(() => {});
    stored.push(made.stored);
    const replica: Replica = emptyReplica({
      channel: made.channel,
      logEpoch: this.#catalog.database.logEpoch,
      definition: collection.definition,
      kernel: this.#ports.kernel,
    });
    const channel: Channel = { name: made.channel, collection, partition, replica, published: undefined, damage: undefined };
    this.#channels.set(channel.name, channel);
    return channel;
  }

  #fold(channel: Channel, write: Parameters<typeof foldWrite>[2]): ReturnType<typeof foldWrite> {
    const leader = { logEpoch: this.#catalog.database.logEpoch, clientId: this.clientId, hlc: this.#hlc };
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

  #read<R>(request: ReadScope, run: (context: ReadContext) => R): R {
    const { context, release } = this.#openRead(request);
    try {
      return run(context);
    } catch (error) {
      throw fromKernel(error);
    } finally {
      release();
    }
  }

  #openRead(request: ReadScope): ReturnType<typeof openRead> {
    this.#checkOpen();
    return openRead(this.#catalog, this.#partitions, request);
  }

  #notify(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const listener of [...this.#listeners]) listener(changes);
  }

  #onAppendFailed(error: DbError): void {
    if (error.code === 'APPEND_CONFLICT') this.#close(error);
    else this.#recover(error, { flushFirst: false });
  }

  /**
   * Back to the durable state: every channel is read again from storage, then the writes that were not durable are refused with `error`.
   * Readers see the difference as a change. If the storage cannot even be read, the engine closes.
   */
  #recover(error: DbError, options: { readonly flushFirst: boolean }): void {
    if (this.#state !== 'open') return;
    this.#state = 'recovering';
    this.#recovery = this.#reopen(error, options).catch((failed: unknown) => this.#close(DbError.from(failed)));
  }

  async #reopen(error: DbError, { flushFirst }: { readonly flushFirst: boolean }): Promise<void> {
    if (flushFirst) await this.#committer.quiesce();
    await this.#sealer.idle();
    const undone = this.#committer.waiting();
    const before = this.#channels;
    await this.#catalog.reload();
    const opened = await openChannels({ ports: this.#ports, catalog: this.#catalog, pool: this.#pool });
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
    this.#notify(changesOf(before, undone));
    this.#indexes.checkAfter(0);
  }

  /** Whatever was written is durable or refused, and no job runs. */
  async #settle(): Promise<void> {
    await this.#committer.settled();
    await this.#recovery;
    await this.#indexes.close();
    await this.#sealer.idle();
  }

  #close(error: DbError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closedBy = error;
    this.#committer.rejectAll(error ?? this.#closedError());
    // Closed by its user, nobody waits for results; closed by trouble, watchers hear of it.
    this.#live.close(error && this.#closedError());
    this.#sealer.close();
    void this.#indexes.close();
    this.#listeners.clear();
    this.#followed.close();
    for (const { replica } of this.#channels.values()) replica.retire();
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw this.#closedError();
  }

  #checkWritable(): void {
    if (this.#isClosing) throw this.#closedError();
    this.#checkOpen();
    if (this.#state === 'open') return;
    throw new DbError(
      'STORAGE_UNAVAILABLE',
      'write: an open database expected, got one that goes back to its durable state after a failed write; try again',
    );
  }

  #closedError(): DbError {
    const by = this.#closedBy;
    const details = by === undefined ? {} : { reason: by.code, because: by.message };
    return new DbError(
      'DATABASE_CLOSED',
      `database: an open one expected, got one closed ${by === undefined ? 'by its user' : `by ${by.code}: ${by.message}`}`,
      { details, cause: by },
    );
  }
}

/** Rows whose old vectors are taken away in one go: some milliseconds. */
const CLEARED_AT_ONCE = 256;

interface LocalWrite {
  readonly channel: Channel;
  readonly write: PartitionOps;
}
interface FollowedWrite {
  readonly channel: FollowedChannel;
  readonly write: PartitionOps;
}

/** MEMORY_LIMIT before anything is folded: the write has no effect. */
function reserve(room: () => void): void {
  try {
    room();
  } catch (error) {
    throw fromKernel(error);
  }
}

/** What must be durable together has one place where it becomes so. */
function ofBothKinds([local]: readonly LocalWrite[], [followed]: readonly FollowedWrite[]): DbError {
  const details = { local: `${local!.channel.collection.name}/${local!.channel.partition}`, followed: followed!.channel.name };
  return new DbError(
    'OPTION_INVALID',
    `writes: partitions of one kind expected, got local ${details.local} and followed ${details.followed}`,
    {
      details,
    },
  );
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
