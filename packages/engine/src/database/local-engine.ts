import {
  type CollectionDefinition,
  createHlc,
  createKeyGenerator,
  DbError,
  type Hlc,
  type KeyGenerator,
  type PrimaryKey,
  type SchemaDefinition,
  type SingleOp,
} from '@terndb/core';
import type { Catalog, CatalogCollection } from '../catalog/catalog.ts';
import { IndexManager } from '../indexes/index-manager.ts';
import { Committer } from '../leader/committer.ts';
import type { SizedFrame } from '../leader/frames.ts';
import { foldCollection, foldWrite } from '../leader/leader.ts';
import type { LogTail } from '../leader/log-tail.ts';
import { type ResolveOptions, resolveWrite, type WriteTarget } from '../leader/resolve.ts';
import { createLive, type Live } from '../live/live.ts';
import type { ReadContext } from '../read/context.ts';
import { runGet } from '../read/get.ts';
import { runCount, runQuery } from '../read/query.ts';
import { runSearch } from '../read/search.ts';
import { emptyReplica } from '../replica/open-replica.ts';
import type { Replica } from '../replica/replica.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { Sealer } from '../seal/sealer.ts';
import { type Channel, inspectChannel } from './channel.ts';
import { fromKernel } from './from-kernel.ts';
import { type OpenChannels, openChannels, STREAM } from './open-channels.ts';
import { openRead, wantedChannels } from './read-context.ts';
import { encodeToken } from './token.ts';
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
      channels: () => this.#channels.values(),
      builds: () => options.buildIndexes,
      publish: (channel, segment, index) => this.#sealer.publishIndex(channel, segment, index),
      deleteObject: (name) => ports.objects.delete(name),
    });
    this.#live = createLive({
      clock: ports.clock,
      onChange: (listener) => this.onChange(listener),
      open: (request) => this.#openRead(request),
    });
  }

  get clientId(): string {
    return this.#catalog.database.clientId;
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
    const frames: SizedFrame[] = [];
    const changes: Change[] = [];
    const positions = new Map<string, number>();
    const stored: Promise<void>[] = [];
    const channels = writes.map(({ collection, write }) => this.#channelForWrite(collection, write.partition, stored));
    for (const [index, { write }] of writes.entries()) reserve(channels[index]!, write.ops);
    for (const [index, { collection, write }] of writes.entries()) {
      const channel = channels[index]!;
      const folded = this.#fold(channel, write);
      for (const frame of folded.frames) frames.push(frame);
      positions.set(channel.name, channel.replica.position);
      if (folded.keys.length > 0) changes.push({ collection: collection.name, partition: write.partition, keys: folded.keys });
    }
    const after = stored.length === 0 ? undefined : Promise.all(stored).then(() => {});
    const written = frames.length === 0 ? Promise.resolve() : this.#committer.add(frames, after);
    const token = encodeToken({ logEpoch: this.#catalog.database.logEpoch, positions });
    const durable = written.then(() => ({ token }));
    durable.catch(() => {});
    this.#notify(changes);
    return { keys: resolved.flatMap(({ keys }) => keys), durable };
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
    return wantedChannels(this.#catalog, this.#channels, collection, partitions).map(({ partition, replica }) => ({
      partition,
      view: replica.view(),
    }));
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
    const partitions = [...this.#channels.values()].map(inspectChannel);
    return { clientId, logEpoch, wasmBytes: this.#ports.kernel.memoryBytes, partitions, indexing: this.#indexes.inspect() };
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#isClosing = true;
    await this.#settle();
    this.#close(undefined);
  }

  #target(collection: CatalogCollection): WriteTarget {
    const { name } = collection;
    return {
      collection: name,
      definition: collection.definition,
      newKey: () => this.#keys.next(),
      replica: (partition) => this.#channels.get(this.#catalog.mustGetChannel(name, partition))!.replica,
      findReplica: (partition) => this.#findChannel(name, partition)?.replica,
      partitions: () => [...this.#catalog.partitionsOf(name).keys()],
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
    return openRead(this.#catalog, this.#channels, request);
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

/** MEMORY_LIMIT before anything is folded: the write has no effect. */
function reserve({ replica }: Channel, ops: readonly SingleOp[]): void {
  try {
    replica.entities.reserve(ops);
  } catch (error) {
    throw fromKernel(error);
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
