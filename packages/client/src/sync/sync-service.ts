import {
  type Clock,
  compareDefinitions,
  DbError,
  mergeDefinitions,
  type ObjectStore,
  type PrimaryKey,
  type Rng,
  schemaHash,
  type Timestamp,
} from '@terndb/core';
import { type Engine, encodeToken } from '@terndb/engine';
import type { DeviceRecord, Link, ResolveAnswer, ResolvedChannel, TokenReason } from '@terndb/sync';
import type { Level } from '../api/collection.ts';
import type { SyncState } from '../api/status.ts';
import { Attachment, isAttached } from './attach.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { CONNECTION_KEY, type ConnectionRecord, type ConnectRequest, sameRequest, schemaOf } from './connection-record.ts';
import { type Endpoint, endpointOf, type Network } from './network.ts';
import type { OutboxSlot } from './outbox-slot.ts';
import { RefusedWrites } from './refused-writes.ts';
import { ReportTeller } from './report-teller.ts';
import { ServerApi } from './server-api.ts';
import type { RowStore } from './store/row-store.ts';
import { SyncStore } from './store/sync-store.ts';
import { SyncHost, type SyncPlace } from './sync-host.ts';
import type { ConflictItem, RejectedItem, SyncReport } from './sync-report.ts';
import { type Phase, stateOf } from './sync-state.ts';
import type { ReadToken } from './token.ts';
import { TokenDesk } from './token-desk.ts';
import { type PendingWrite, rejection, WriteWaiters } from './write-waiters.ts';

export interface SyncPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly network: Network;
  readonly rows: RowStore;
  readonly objects: ObjectStore;
  readonly engine: Engine;
  readonly outbox: OutboxSlot;
  /** Of this leader (R11). */
  readonly term: number;
  /** Runs something while no call of the app runs. */
  readonly exclusive: (run: () => Promise<void>) => Promise<void>;
  /** The server's schema has more than the engine's: it is to be opened again with this one, which is stored by then. */
  readonly onSchema: () => void;
  /** Another tab leads, or what is stored cannot be read. */
  readonly onFailed: (error: DbError) => void;
}

/** Tries to reach a server that was never reached: full jitter between these. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 60_000;
/** After a token that no page gave, or that the server refused. */
const AUTH_RETRY_MS = 30_000;
/** Conflicts that pages are told of; a page that was busy for longer than this many missed some. */
const MAX_CONFLICTS = 256;
/** Rows and bytes over the adopted manifest at which a newer one is asked for: what a server seals at. */
const ADOPT_ROWS = 20_000;
const ADOPT_BYTES: number = 32 * 1024 * 1024;

/** The server may have none yet. */
const ADOPT_EVERY_MS = 60_000;

/** Between two looks at the outbox during an upload. */
const POLL_MS = 50;

/**
 * Replication of one database, in the worker that leads: who it is connected to, what it follows, and what everybody is told of it. Channels
 * that are followed stay so without a connection; the server is asked once which they are, and the answer is kept.
 */
export class SyncService {
  readonly #ports: SyncPorts;
  readonly #store: SyncStore;
  readonly #tokens: TokenDesk;
  readonly #waiters = new WriteWaiters();
  readonly #teller: ReportTeller;
  readonly #refused: RefusedWrites;
  #record: ConnectionRecord | undefined;
  #request: ConnectRequest | undefined;
  #host: SyncHost | undefined;
  #places: readonly SyncPlace[] = [];
  #phase: Phase = { name: 'off' };
  #link: { readonly link: Link; readonly detail?: string } = { link: 'offline' };
  #linkAttempt = 0;
  #retryInMs: number | null = null;
  #isNew = true;
  /** Rises with every connect and disconnect: what an older one began ends. */
  #generation = 0;
  #conflicts: readonly ConflictItem[] = [];
  #nextConflict = 1;
  readonly #progress = new Map<string, number>();
  readonly #freshAtMs = new Map<string, number>();
  readonly #adoptAskedAtMs = new Map<string, number>();
  readonly #ackedPositions = new Map<string, number>();
  readonly #denied = new Set<string>();
  #cancelRetry: () => void = () => {};
  #isClosed = false;
  #stopConflicts: () => void = () => {};

  private constructor(ports: SyncPorts) {
    this.#ports = ports;
    this.#store = new SyncStore(ports.rows);
    this.#teller = new ReportTeller(ports.clock, () => this.report());
    this.#refused = new RefusedWrites(this.#store, ports.engine);
    this.#tokens = new TokenDesk(ports.clock, () => this.#changed());
  }

  /** Takes up what was followed before; no network. */
  static async open(ports: SyncPorts): Promise<SyncService> {
    const service = new SyncService(ports);
    await service.#open();
    return service;
  }

  /** Something is followed, or is about to be. */
  get isConnected(): boolean {
    return this.#record !== undefined || this.#request !== undefined;
  }

  get isOnline(): boolean {
    return this.#request !== undefined && (this.#link.link === 'live' || this.#link.link === 'catching-up');
  }

  connect(request: ConnectRequest): void {
    this.#isNew = false;
    const isUnderWay = this.#phase.name === 'running' || this.#phase.name === 'resolving';
    if (this.#request !== undefined && sameRequest(this.#request, request) && isUnderWay) return;
    this.#cancelRetry();
    this.#denied.clear();
    // The last token was another connection's.
    this.#tokens.forget();
    this.#generation += 1;
    this.#request = request;
    this.#host?.disconnect();
    this.#phase = { name: 'resolving', attempt: 1 };
    void this.#resolve(this.#generation, { attempt: 1, reason: 'start' });
    this.#changed();
  }

  disconnect(): void {
    this.#isNew = false;
    this.#generation += 1;
    this.#request = undefined;
    this.#phase = { name: 'off' };
    this.#cancelRetry();
    this.#tokens.forget();
    this.#host?.disconnect();
    this.#changed();
  }

  /** The network is back, as far as the browser knows: what waits for a retry tries now. */
  wake(): void {
    if (this.#request === undefined) return;
    if (this.#phase.name === 'waiting' || this.#phase.name === 'needs-auth') this.#resolveSoon(0);
    else this.#host?.wake();
  }

  giveToken(id: number, token: string | null): void {
    this.#tokens.give(id, token);
  }

  /**
   * The token of positions at which the log has these writes. NOT_CONNECTED, or the code of a refusal; while the server cannot be reached it
   * waits.
   */
  async wait(level: Exclude<Level, 'local'>, writes: readonly PendingWrite[] | undefined): Promise<string> {
    const host = this.#host;
    if (host === undefined || writes === undefined) throw notConnected(`wait('${level}')`);
    const positions = new Map<string, number>();
    for (const { channel, position } of await Promise.all(writes.map((write) => this.#settled(host, write)))) {
      positions.set(channel, Math.max(position, positions.get(channel) ?? 0));
    }
    const token = encodeToken({ logEpoch: this.logEpoch ?? '', positions });
    if (level === 'indexed' && positions.size > 0) await this.#waitIndexed(token);
    return token;
  }

  rejected(): readonly RejectedItem[] {
    return this.#refused.items(this.#record?.answer.channels ?? []);
  }

  async dismiss(channel: string, id: number): Promise<void> {
    await this.#store.dismiss(this.#ports.term, channel, id);
    await this.#readRejected();
  }

  /** Waits until the log has everything. NOT_CONNECTED; UNSYNCED_WRITES when that cannot be, or not in this time. */
  async upload(timeoutMs: number): Promise<void> {
    const { clock } = this.#ports;
    if (!this.isConnected)
      throw new DbError('NOT_CONNECTED', 'logout with upload: a connection expected, got a database that never had one');
    const deadline = clock.monotonicMs() + timeoutMs;
    for (;;) {
      // Before a partition is attached its rows are in no outbox.
      const isAttached = this.#host !== undefined && this.#phase.name !== 'resolving';
      const writes = this.#host?.outboxSize ?? 0;
      if (isAttached && writes === 0) return;
      const stuck = this.#phase.name !== 'running' && this.#phase.name !== 'resolving';
      if (stuck || this.#denied.size > 0 || clock.monotonicMs() >= deadline) {
        throw new DbError('UNSYNCED_WRITES', `logout: no write that the log has not confirmed expected, got ${writes}`, {
          details: { writes },
        });
      }
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
    }
  }

  /** Removes what the server has as well; the outbox stays, and is shown over nothing. */
  async forget(): Promise<void> {
    if (this.#host === undefined) return;
    this.disconnect();
    const { objects, term } = this.#ports;
    const places = this.#places;
    await this.#ports.exclusive(async () => {
      await this.#host?.stop();
      for (const { channel } of places) {
        await this.#store.forgetReplica(term, channel);
        for (const { name } of await objects.list(`${channel}/`)) await objects.delete(name);
      }
      this.#freshAtMs.clear();
      await this.#startHost(places);
    });
  }

  report(): SyncReport {
    const { state, partitions } = { state: this.#state(), partitions: this.#partitions() };
    return {
      status: { state, outbox: this.#host?.outboxSize ?? 0, rejected: this.#refused.count, partitions },
      isNew: this.#isNew,
      token: this.#tokens.wanted ?? null,
      rejectedVersion: this.#refused.version,
      conflicts: this.#conflicts,
    };
  }

  /** Told at once, and whenever something changed. Returns the way to stop. */
  onReport(listener: (report: SyncReport) => void): () => void {
    return this.#teller.listen(listener);
  }

  /* ---------- for reads ---------- */
  /** Channels of a partition as the server named them; empty: it is not the server's. */
  channelsOf(collection: string, partition: string): readonly ResolvedChannel[] {
    return this.#record?.answer.channels.filter((one) => one.collection === collection && one.partition === partition) ?? [];
  }

  partitionsOf(collection: string): readonly string[] {
    return [...new Set(this.#record?.answer.channels.filter((one) => one.collection === collection).map(({ partition }) => partition))];
  }

  /** All rows are here, as of some time. */
  isComplete(channel: string): boolean {
    const state = this.#ports.engine.replication.state(channel);
    return state !== undefined && state.logEpoch !== null && state.quarantined.length === 0;
  }

  positionOf(channel: string): number {
    return this.#ports.engine.replication.state(channel)?.position ?? 0;
  }

  /** What this device's writes have reached in a channel's log, and what it shows of it. */
  seenOf(channel: string): number {
    return Math.max(this.#ackedPositions.get(channel) ?? 0, this.positionOf(channel));
  }

  hasPending(channel: string, key: PrimaryKey): boolean {
    if (this.#host?.follows(channel) !== true) return false;
    return this.#host.outboxOf(channel).some(({ op }) => (op.type === 'batch' ? op.ops.some(({ pk }) => pk === key) : op.pk === key));
  }

  get logEpoch(): string | undefined {
    return this.#host?.logEpoch ?? this.#record?.answer.logEpoch;
  }

  /** Age of what is shown of a channel; null: never heard of. */
  stalenessOf(channel: string): number | null {
    const { clock } = this.#ports;
    const at = this.#freshAtMs.get(channel);
    if (at !== undefined) return Math.max(0, clock.monotonicMs() - at);
    const since = this.#record?.currentAtMs ?? null;
    return since === null ? null : Math.max(0, clock.nowMs() - since);
  }

  outboxSizeOf(channel: string): number {
    return this.#host?.follows(channel) === true ? this.#host.outboxOf(channel).length : 0;
  }

  /** OFFLINE, AUTH_REQUIRED, TIMEOUT, and what the server answers. */
  async read(what: string, request: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#request === undefined) throw new DbError('OFFLINE', `${what}: a connection expected, got none`);
    const { clock } = this.#ports;
    const startMs = clock.monotonicMs();
    // A page that is slow with its token takes its time from the read's.
    const { token } = this.#tokens.fresh() ?? (await inTime(clock, timeoutMs, this.#tokens.get('start')));
    const leftMs = Math.max(1, timeoutMs - (clock.monotonicMs() - startMs));
    return await this.#api(this.#request).read(what, request, { token, timeoutMs: leftMs });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#generation += 1;
    this.#cancelRetry();
    this.#teller.close();
    this.#stopConflicts();
    this.#tokens.forget();
    await this.#host?.stop();
    this.#waiters.end(new DbError('DATABASE_CLOSED', 'wait: the database is closed'));
  }

  /* ---------- opening ---------- */
  async #open(): Promise<void> {
    this.#record = (await this.#store.readRecord(CONNECTION_KEY)) as ConnectionRecord | undefined;
    this.#stopConflicts = this.#ports.engine.replication.onConflict((conflict) => this.#onConflict(conflict));
    await this.#readRejected();
    if (this.#record === undefined) return;
    const places: SyncPlace[] = [];
    for (const place of placesOf(this.#record, this.#record.answer)) if (await isAttached(this.#store, place.channel)) places.push(place);
    if (places.length > 0) await this.#startHost(places);
  }

  async #device(): Promise<DeviceRecord> {
    const none = { clientId: this.#ports.engine.clientId, subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
    return (await this.#store.readDevice()) ?? none;
  }

  async #startHost(places: readonly SyncPlace[]): Promise<void> {
    const { clock, rng, network, engine, outbox, objects, term } = this.#ports;
    await this.#host?.stop();
    for (const { channel } of this.#places) if (!places.some((place) => place.channel === channel)) engine.replication.leave(channel);
    const endpoint = this.#endpoint(this.#request ?? this.#record!);
    const downloader = new BootstrapDownloader({ objects, network, endpoint });
    const token = (reason: TokenReason): Promise<ReadToken> => this.#tokens.get(reason);
    const ports = { clock, rng, store: this.#store, replication: engine.replication, network, endpoint, downloader, token };
    const host: SyncHost = new SyncHost(
      ports,
      this.#hostEvents(() => this.#host === host),
      { places, term, device: await this.#device() },
    );
    this.#host = host;
    this.#places = places;
    this.#link = { link: 'offline' };
    outbox.host = host;
    await host.open();
  }

  #hostEvents(isCurrent: () => boolean): ConstructorParameters<typeof SyncHost>[1] {
    return {
      onStatus: ({ link, detail }) => {
        if (!isCurrent()) return;
        if (link === 'connecting') this.#linkAttempt += 1;
        if (link === 'live') this.#linkAttempt = 0;
        if (this.#link.link === 'live' && link !== 'live') void this.#noteCurrent();
        this.#link = detail === undefined ? { link } : { link, detail };
        this.#changed();
      },
      onChange: () => {
        this.#adoptDue();
        this.#changed();
      },
      onAcked: (channel, id, position) => {
        this.#ackedPositions.set(channel, Math.max(position, this.#ackedPositions.get(channel) ?? 0));
        this.#waiters.acked(channel, id, position);
      },
      onRejected: (channel, id, code) => void this.#onRejected(channel, id, code),
      onDenied: (channel) => {
        this.#denied.add(channel);
        this.#changed();
      },
      // The channel was dropped: which there are now is asked anew.
      onGone: () => this.#resolveSoon(RETRY_MIN_MS),
      onFresh: (channel) => {
        this.#freshAtMs.set(channel, this.#ports.clock.monotonicMs());
        this.#progress.delete(channel);
      },
      onEpoch: () => {
        this.#ackedPositions.clear();
        this.#waiters.forget();
      },
      onRetry: (delayMs) => {
        this.#retryInMs = delayMs;
        this.#changed();
      },
      onProgress: (channel, doneBytes, totalBytes) => {
        this.#progress.set(channel, totalBytes === 0 ? 0 : doneBytes / totalBytes);
        this.#changed();
      },
      onFailed: (error) => isCurrent() && !this.#isClosed && this.#ports.onFailed(error),
    };
  }

  /** A tail that has grown long is shed by adopting a newer manifest, so that memory and the stored tail stay bounded. */
  #adoptDue(): void {
    for (const { channel } of this.#places) {
      const state = this.#ports.engine.replication.state(channel);
      if (state === undefined || (state.growingRows <= ADOPT_ROWS && state.growingBytes <= ADOPT_BYTES)) continue;
      const nowMs = this.#ports.clock.monotonicMs();
      if (nowMs - (this.#adoptAskedAtMs.get(channel) ?? Number.NEGATIVE_INFINITY) < ADOPT_EVERY_MS) continue;
      this.#adoptAskedAtMs.set(channel, nowMs);
      this.#host?.adopt(channel, state.position - state.growingRows);
    }
  }

  /* ---------- connecting ---------- */
  #endpoint({ url }: ConnectRequest): Endpoint {
    const endpoint = endpointOf(url);
    if (endpoint === undefined)
      throw new DbError('OPTION_INVALID', `connect: url: an http or ws address expected, got ${url}`, {
        details: { option: 'url', got: url },
      });
    return endpoint;
  }

  #api(request: ConnectRequest): ServerApi {
    const { network, clock } = this.#ports;
    return new ServerApi({ network, clock, endpoint: this.#endpoint(request) });
  }

  async #resolve(generation: number, { attempt, reason }: { readonly attempt: number; readonly reason: TokenReason }): Promise<void> {
    const isOver = (): boolean => this.#isClosed || generation !== this.#generation;
    const request = this.#request!;
    try {
      const token = await this.#tokens.get(reason);
      if (isOver()) return;
      const { subject } = await this.#device();
      // Somebody else: their writes belong into another database, and ours must not go out under their name.
      if (subject !== '' && subject !== token.subject) throw otherSubject(subject, token.subject);
      // What was followed before goes on at once, with the stored answer.
      if (this.#record !== undefined && sameRequest(this.#record, request) && this.#host !== undefined && this.#phase.name !== 'running') {
        this.#phase = { name: 'running' };
        this.#host.connect(token);
        this.#changed();
      }
      const answer = await this.#api(request).resolve(this.#question(request), token.token);
      if (isOver()) return;
      await this.#adopt(request, answer, { token, isOver });
    } catch (thrown) {
      if (!isOver()) this.#resolveFailed(generation, attempt, DbError.from(thrown));
    }
  }

  #question({ partitions }: ConnectRequest): Parameters<ServerApi['resolve']>[0] {
    const { schema } = this.#ports.engine;
    const collections = Object.entries(schema.collections).map(([name, definition]) => {
      return { name, definition, schemaHash: schemaHash(definition), schemaVersion: schema.version };
    });
    return { collections, partitions: partitions.map(({ name }) => name) };
  }

  #resolveFailed(generation: number, attempt: number, error: DbError): void {
    const { clock, rng } = this.#ports;
    if (error.code === 'SCHEMA_CONFLICT' || error.code === 'SCHEMA_UNKNOWN') {
      // The server lacks what this client has, or the other way round; writes stay in the outbox.
      const need = error.code === 'SCHEMA_UNKNOWN' || error.details['need'] === 'upgrade-server' ? 'upgrade-server' : 'upgrade-client';
      this.#phase = { name: 'incompatible', need };
      this.#host?.disconnect();
      this.#changed();
      return;
    }
    const isAuth = error.code === 'AUTH_REQUIRED' || error.code === 'FORBIDDEN';
    if (isAuth) this.#tokens.forget();
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt, 10));
    const delayMs = isAuth ? AUTH_RETRY_MS : RETRY_MIN_MS + Math.floor((rng.nextUint32() / 2 ** 32) * (ceiling - RETRY_MIN_MS));
    if (error.kind !== 'unavailable') console.warn(`terndb: connect: ${error.code}: ${error.message}`);
    // What is followed already goes on with the stored answer.
    const goesOn = this.#phase.name === 'running' && error.details['reason'] !== 'subject';
    if (!goesOn) {
      this.#host?.disconnect();
      if (isAuth) this.#phase = { name: 'needs-auth', detail: String(error.details['reason'] ?? error.code) };
      else this.#phase = { name: 'waiting', retryInMs: delayMs };
      this.#changed();
    }
    this.#cancelRetry();
    this.#cancelRetry = clock.after(delayMs, () => {
      if (generation !== this.#generation || this.#isClosed) return;
      if (this.#phase.name === 'waiting') this.#phase = { name: 'resolving', attempt: attempt + 1 };
      this.#changed();
      void this.#resolve(generation, { attempt: attempt + 1, reason: isAuth ? 'rejected' : 'start' });
    });
  }

  #resolveSoon(delayMs: number): void {
    const generation = this.#generation;
    this.#cancelRetry();
    this.#cancelRetry = this.#ports.clock.after(delayMs, () => {
      if (generation === this.#generation && this.#request !== undefined) void this.#resolve(generation, { attempt: 1, reason: 'start' });
    });
  }

  /** Takes the server's answer: its schema, its channels. */
  async #adopt(
    request: ConnectRequest,
    answer: ResolveAnswer,
    { token, isOver }: { readonly token: ReadToken; readonly isOver: () => boolean },
  ): Promise<void> {
    const { engine, term, exclusive, onSchema } = this.#ports;
    const difference = compareDefinitions(engine.schema, mergeDefinitions(schemaOf(answer), engine.schema));
    const wider = compareDefinitions(engine.schema, schemaOf(answer));
    if (wider.type === 'conflict' || difference.type === 'conflict') {
      const details = { ...(wider.type === 'conflict' ? { collection: wider.collection, field: wider.field } : {}) };
      throw new DbError('SCHEMA_CONFLICT', 'connect: a schema that fits the server expected, got one that does not', { details });
    }
    const record: ConnectionRecord = { ...request, answer, currentAtMs: this.#record?.currentAtMs ?? null };
    await this.#store.writeRecord(term, CONNECTION_KEY, JSON.parse(JSON.stringify(record)));
    this.#record = record;
    if (wider.type === 'additive' && wider.fields.length > 0) {
      onSchema();
      return;
    }
    const places = placesOf(request, answer);
    const attachments: Attachment[] = [];
    for (const place of places) {
      if (await isAttached(this.#store, place.channel)) continue;
      attachments.push(new Attachment({ engine, store: this.#store, term, place, device: () => this.#device() }));
    }
    for (const attachment of attachments) await attachment.copy();
    if (isOver()) return;
    const isSame =
      places.length === this.#places.length && places.every(({ channel }) => this.#places.some((one) => one.channel === channel));
    if (!isSame || this.#host === undefined) {
      await exclusive(async () => {
        // A host that runs gives out ids: it ends before entries are made beside it.
        await this.#host?.stop();
        for (const attachment of attachments) await attachment.finish();
        await this.#startHost(places);
      });
    }
    if (isOver()) return;
    if (this.#phase.name !== 'running' || !isSame) {
      this.#phase = { name: 'running' };
      this.#host?.connect(token);
    }
    this.#changed();
  }

  /* ---------- what happens ---------- */
  #onConflict({ channel, ...conflict }: { readonly channel: string } & Omit<ConflictItem, 'id' | 'collection' | 'partition'>): void {
    const place = this.#places.find((one) => one.channel === channel);
    if (place === undefined) return;
    const { collection, partition } = place;
    this.#conflicts = [...this.#conflicts, { id: this.#nextConflict++, collection, partition, ...conflict }].slice(-MAX_CONFLICTS);
    this.#changed();
  }

  async #onRejected(channel: string, id: number, code: string): Promise<void> {
    // A patch of a key that is gone by now has no effect, as on this device (API: never creates or revives).
    if (code === 'NOT_FOUND') {
      this.#waiters.acked(channel, id, this.positionOf(channel));
      await this.dismiss(channel, id).catch(() => {});
      return;
    }
    this.#waiters.rejected(channel, id, code);
    await this.#readRejected().catch(() => {});
  }

  async #readRejected(): Promise<void> {
    await this.#refused.read();
    this.#changed();
  }

  async #settled(host: SyncHost, write: PendingWrite): Promise<{ readonly channel: string; readonly position: number }> {
    const { channel, id } = write;
    const outcome = this.#waiters.outcome(write);
    if (typeof outcome === 'string') throw rejection(channel, outcome);
    if (outcome !== undefined) return { channel, position: outcome };
    if (host.follows(channel) && host.outboxOf(channel).some((entry) => entry.id === id))
      return { channel, position: await this.#waiters.wait(write) };
    const code = this.#refused.codeOf(channel, id);
    if (code !== undefined) throw rejection(channel, code);
    return { channel, position: this.positionOf(channel) };
  }

  async #waitIndexed(token: string): Promise<void> {
    for (;;) {
      try {
        await this.read('wait', { token, timeoutMs: 10_000 }, 15_000);
        return;
      } catch (thrown) {
        const error = DbError.from(thrown);
        if (error.kind !== 'unavailable' || this.#isClosed) throw error;
        await new Promise<void>((resolve) => this.#ports.clock.after(RETRY_MIN_MS, resolve));
      }
    }
  }

  /** So that a later start offline can say how old it is. */
  async #noteCurrent(): Promise<void> {
    if (this.#record === undefined || this.#isClosed) return;
    this.#record = { ...this.#record, currentAtMs: this.#ports.clock.nowMs() };
    await this.#store.writeRecord(this.#ports.term, CONNECTION_KEY, JSON.parse(JSON.stringify(this.#record))).catch(() => {});
  }

  /* ---------- status ---------- */
  #state(): SyncState {
    const channels = this.#places.map(({ channel }) => channel);
    return stateOf(this.#phase, {
      ...this.#link,
      attempt: this.#linkAttempt,
      retryInMs: this.#retryInMs,
      progress: this.#mean(channels.map((channel) => this.#coverageOf(channel))),
      stalenessMs: Math.max(0, ...channels.map((channel) => this.stalenessOf(channel) ?? 0)),
    });
  }

  #partitions(): SyncReport['status']['partitions'] {
    const wanted = this.#request?.partitions ?? this.#record?.partitions ?? [];
    return wanted.map(({ name, keep }) => {
      const channels = this.#places.filter(({ partition }) => partition === name).map(({ channel }) => this.#coverageOf(channel));
      return { name, keep, coverage: this.#mean(channels) };
    });
  }

  #coverageOf(channel: string): number {
    return this.isComplete(channel) ? 1 : (this.#progress.get(channel) ?? 0);
  }

  #mean(shares: readonly number[]): number {
    return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  #changed(): void {
    this.#teller.changed();
  }
}

function inTime<T>(clock: Clock, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new DbError('TIMEOUT', `token: one within ${timeoutMs} ms expected, got none yet`, { details: { timeoutMs } }));
    const cancel = clock.after(timeoutMs, late);
    promise.then(resolve, reject).finally(cancel);
  });
}

/** Channels to follow: all but those that are only searched. */
function placesOf(request: ConnectRequest, answer: ResolveAnswer): SyncPlace[] {
  const keep = new Map(request.partitions.map((partition) => [partition.name, partition.keep]));
  const versions = new Map(answer.collections.map(({ name, schemaVersion }) => [name, schemaVersion]));
  return answer.channels
    .filter(({ partition }) => keep.get(partition) !== undefined && keep.get(partition) !== 'search-only')
    .map(({ channel, collection, partition }) => ({ channel, collection, partition, schemaVersion: versions.get(collection) ?? 1 }));
}

function otherSubject(expected: string, got: string): DbError {
  return new DbError('AUTH_REQUIRED', `connect: a token of subject ${expected}, who wrote the outbox, expected, got one of ${got}`, {
    details: { reason: 'subject', expected, got },
  });
}

function notConnected(what: string): DbError {
  return new DbError(
    'NOT_CONNECTED',
    `${what}: a write to a partition that a server replicates expected, got one that stays on this device`,
    {
      details: { what },
    },
  );
}
