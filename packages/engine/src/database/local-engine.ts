import { type CollectionDefinition, createHlc, DbError, type PrimaryKey, type SchemaDefinition, type StoredFields } from '@terndb/core';
import type { Catalog } from '../catalog/catalog.ts';
import { collabDocuments, collabFieldsOf } from '../collab/load.ts';
import type { PutParts } from '../collab/types.ts';
import { type CollabEvent, type CollabPlace, watchCollab } from '../collab/watch-collab.ts';
import { checkClearable, clearedVectors } from '../embedding/clear-vectors.ts';
import { mustGetEmbeddedField } from '../embedding/resolve-vectors.ts';
import type { WaitingRequest, WaitingRow, WaitingRows } from '../embedding/types.ts';
import { modelsOf } from '../embedding/vector-models.ts';
import { WaitingScanner } from '../embedding/waiting.ts';
import { IndexManager } from '../indexes/index-manager.ts';
import { createLive, type Live } from '../live/live.ts';
import { loadAggregates } from '../read/aggregate/load.ts';
import type { AggregateGroup, AggregateRequest, AggregateResult } from '../read/aggregate/types.ts';
import type { ReadContext } from '../read/context.ts';
import { runGet } from '../read/get.ts';
import { loadProbes } from '../read/probes/load.ts';
import { PROBED_READS } from '../read/probes/reads.ts';
import { matchedBlocks, runCount, runQuery } from '../read/query.ts';
import { runSearch } from '../read/search.ts';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import type { SegmentPool } from '../replica/segment-pool.ts';
import { FollowedChannels } from '../replication/followed-channels.ts';
import type { OutboxPort, Replication } from '../replication/types.ts';
import { fromKernel } from './from-kernel.ts';
import type { OpenChannels } from './open-channels.ts';
import { Partitions } from './partitions.ts';
import { openRead } from './read-context.ts';
import { SelfLed } from './self-led.ts';
import type {
  Change,
  CountRequest,
  CountResult,
  Engine,
  EngineInspection,
  EngineLimits,
  EnginePorts,
  ExplainRequest,
  ExplainResult,
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
import { Writes } from './writes.ts';

/**
 * A database on one device: channels that it leads itself (`self-led.ts`) beside channels that a server leads (`replication/`), read as one.
 * Coordinates; the work is done by writes, the two kinds of channels, read and live.
 */
export class LocalEngine implements Engine {
  readonly #ports: EnginePorts;
  readonly #selfLed: SelfLed;
  readonly #indexes: IndexManager;
  readonly #catalog: Catalog;
  readonly #live: Live;
  readonly #followed: FollowedChannels;
  readonly #partitions: Partitions;
  readonly #writes: Writes;
  readonly #waiting = new WaitingScanner();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #isClosed = false;
  #closedBy: DbError | undefined;
  /** Reads still work until everything is durable; writes do not. */
  #isClosing = false;

  constructor(options: {
    readonly ports: EnginePorts;
    readonly limits: EngineLimits;
    readonly catalog: Catalog;
    readonly pool: SegmentPool;
    readonly opened: OpenChannels;
    readonly buildIndexes: boolean;
    readonly outbox: OutboxPort | undefined;
  }) {
    const { ports, limits, catalog, pool, opened, buildIndexes } = options;
    const hlc = createHlc({ clock: ports.clock, last: opened.maxHlc });
    this.#ports = ports;
    this.#catalog = catalog;
    this.#selfLed = new SelfLed({
      ports,
      limits,
      catalog,
      pool,
      opened,
      hlc,
      onSealed: () => this.#indexes.checkWhenQuiet(),
      onExpired: (changes) => this.#notify(changes),
      onReopened: (changes) => {
        this.#notify(changes);
        this.#indexes.checkAfter(0);
      },
      onLost: (error) => this.#close(error),
    });
    this.#indexes = new IndexManager({
      files: pool.indexFiles,
      clock: ports.clock,
      channels: () => [...this.#selfLed.indexed(buildIndexes), ...this.#followed.all()],
      deleteObject: (name) => ports.objects.delete(name),
    });
    this.#followed = new FollowedChannels({
      ports,
      pool,
      catalog,
      notify: (changes) => {
        // Other segments are shown.
        if (changes.some((change) => change.all === true)) this.#indexes.checkAfter(0);
        this.#notify(changes);
      },
      observe: (timestamp) => hlc.observe(timestamp),
    });
    this.#partitions = new Partitions(catalog, () => this.#selfLed.channels, this.#followed);
    this.#writes = new Writes({
      ports,
      catalog,
      selfLed: this.#selfLed,
      followed: this.#followed,
      partitions: this.#partitions,
      outbox: options.outbox,
      notify: (changes) => this.#notify(changes),
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
    this.#checkWritable();
    return this.#writes.write([request], {});
  }

  writeAll(requests: readonly WriteRequest[]): WriteTicket {
    this.#checkWritable();
    return this.#writes.write(requests, { maxEntities: Number.POSITIVE_INFINITY, splitsDocuments: true });
  }

  splitPut(collection: string, pk: PrimaryKey, fields: StoredFields): PutParts {
    const definition = this.definition(collection);
    return collabFieldsOf(definition).size === 0
      ? { fields, updates: [] }
      : collabDocuments().splitPut({ definition, collection, pk }, fields);
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

  async aggregate(request: AggregateRequest, others?: readonly AggregateGroup[]): Promise<AggregateResult> {
    const { runAggregate } = await loadAggregates();
    return this.#read(request, (context) => runAggregate(context, request, { matched: matchedBlocks, others }));
  }

  search(request: SearchRequest): SearchResult {
    return this.#read(request, (context) => runSearch(context, request));
  }

  async explain(request: ExplainRequest): Promise<ExplainResult> {
    const { runExplain } = await loadProbes();
    return this.#read(request, (context) => runExplain(context, request, PROBED_READS));
  }

  async recall(request: RecallRequest): Promise<RecallResult> {
    const { runRecall } = await loadProbes();
    const { context, release } = this.#openRead(request);
    try {
      return await runRecall(context, request, { clock: this.#ports.clock, reads: PROBED_READS });
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

  watchCollab(place: CollabPlace, onEvent: (event: CollabEvent) => void, onError: (error: DbError) => void): () => void {
    this.#checkOpen();
    const collection = this.#catalog.mustGetCollection(place.collection);
    const replica = (): ReplicaReader | undefined => this.#partitions.find(collection.name, place.partition);
    const isFollowed = (): boolean => this.#followed.find(collection.name, place.partition) !== undefined;
    const home = (): 'server' | 'device' => (isFollowed() ? 'server' : 'device');
    return watchCollab({ collection, replica, home, onChange: (listener) => this.onChange(listener) }, place, onEvent, onError);
  }

  views(collection: string, partitions?: readonly string[]): readonly PartitionView[] {
    this.#checkOpen();
    const { name } = this.#catalog.mustGetCollection(collection);
    const nowMs = this.#ports.clock.nowMs();
    return this.#partitions.wanted(name, partitions).map((channel) => ({ partition: channel.partition, view: channel.view(nowMs) }));
  }

  waitingVectors(request: WaitingRequest): WaitingRows {
    this.#checkOpen();
    const { definition } = this.#catalog.mustGetCollection(request.collection);
    const field = mustGetEmbeddedField(definition, request.collection, request.field);
    const state = { rows: [] as WaitingRow[], waiting: 0, resting: 0, lookedAt: 0, isComplete: true };
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
    const others = this.#partitions.wanted(collection, undefined).filter(({ entities }) => (entities.dimOf(field) ?? dim) !== dim);
    // What the application gave, or a server leads, is not this device's to take away.
    for (const shown of others) checkClearable(shown, this.#selfLed.channels.has(shown.name), embedded, dim);
    for (const { partition, entities } of others) {
      for (;;) {
        const vectors = clearedVectors(entities.blocks, embedded, dim, CLEARED_AT_ONCE);
        if (vectors.length === 0) break;
        this.write({ type: 'vectors', collection, partition, field, model: '', vectors });
        await this.flush();
      }
    }
    // The room that growing rows and segments keep for the old vectors goes with the rewrite.
    if (others.length > 0) await this.seal(collection);
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    await Promise.all([this.#selfLed.flush(), this.#followed.flush()]);
  }

  async seal(collection?: string): Promise<void> {
    this.#checkOpen();
    const collections = collection === undefined ? [...this.#catalog.collections()].map(({ name }) => name) : [collection];
    const names = collections.flatMap((name) => [...this.#catalog.partitionsOf(name).values()]);
    await this.#selfLed.seal(names);
  }

  async compact(): Promise<void> {
    this.#checkOpen();
    await this.#selfLed.compact();
  }

  async buildIndexes(): Promise<void> {
    this.#checkOpen();
    await this.#selfLed.recovered();
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
    if (this.#isClosed) return;
    this.#isClosing = true;
    // Whatever was written is durable or refused, and no job runs.
    await this.#selfLed.settled();
    await this.#indexes.close();
    await this.#selfLed.idle();
    this.#close(undefined);
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
    return openRead(this.#catalog, this.#partitions, request, this.#ports.clock.nowMs());
  }

  #notify(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const listener of [...this.#listeners]) listener(changes);
  }

  #close(error: DbError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closedBy = error;
    // Closed by its user, nobody waits for results; closed by trouble, watchers hear of it.
    this.#live.close(error && this.#closedError());
    void this.#indexes.close();
    this.#listeners.clear();
    this.#followed.close();
    this.#selfLed.close(error ?? this.#closedError());
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #checkWritable(): void {
    if (this.#isClosing) throw this.#closedError();
    this.#checkOpen();
    this.#selfLed.checkWritable();
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
