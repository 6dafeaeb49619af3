import { type CollectionDefinition, DbError, type Timestamp } from '@terndb/core';
import type { DeviceRecord, ResolveAnswer, TokenReason } from '@terndb/sync';
import type { Level } from '../api/collection.ts';
import type { SyncState } from '../api/status.ts';
import { Attachment, attachKey, isAttached } from './attach.ts';
import { BootstrapDownloader } from './bootstrap.ts';
import { ConflictList } from './conflict-list.ts';
import { ConnectionMemory } from './connection-memory.ts';
import { type ConnectRequest, emptyAnswer, sameRequest, withCollection } from './connection-record.ts';
import { Connector } from './connector.ts';
import { Denials } from './denials.ts';
import { FollowedChannels } from './followed-channels.ts';
import { Hints } from './hints.ts';
import type { HostEvents, SyncPlace } from './host-types.ts';
import { LinkWatch } from './link-watch.ts';
import { ObjectSweep } from './object-sweep.ts';
import { covers, isSearched, isWider, placesOf, samePlaces } from './places.ts';
import { removeReplica } from './remove-replica.ts';
import { ReportTeller } from './report-teller.ts';
import { mustGetEndpoint, ServerRequests } from './server-requests.ts';
import type { SyncPorts } from './service-ports.ts';
import { Standing } from './standing.ts';
import { SyncStore } from './store/sync-store.ts';
import { SyncHost } from './sync-host.ts';
import type { RejectedItem, SyncReport } from './sync-report.ts';
import { stateOf } from './sync-state.ts';
import { TailWatch } from './tail-watch.ts';
import type { ReadToken } from './token.ts';
import { TokenDesk } from './token-desk.ts';
import { waitUploaded } from './wait-uploaded.ts';
import { WriteOutcomes } from './write-outcomes.ts';
import type { PendingWrite } from './write-waiters.ts';

/** Of a channel that nothing here is to be pushed to. */
const ATTACHED = { since: 0, copied: 0, lastKey: null, done: true };
/** How long a page may take to give a token for a collection that is opened by name. */
const OPEN_TIMEOUT_MS = 10_000;

/**
 * Replication of one database, in the worker that leads: who it is connected to, what it follows, and what everybody is told of it. Channels
 * that are followed stay so without a connection; the server is asked once which they are, and the answer is kept.
 */
export class SyncService {
  readonly #ports: SyncPorts;
  readonly #store: SyncStore;
  readonly #tokens: TokenDesk;
  readonly #teller: ReportTeller;
  readonly #outcomes: WriteOutcomes;
  readonly #server: ServerRequests;
  readonly #conflicts = new ConflictList();
  readonly #standing: Standing;
  /** What is known of the channels, for those who read. */
  readonly followed: FollowedChannels;
  /** Of documents that are being typed into. */
  readonly hints: Hints;
  readonly #connector: Connector;
  readonly #memory: ConnectionMemory;
  #host: SyncHost | undefined;
  readonly #link = new LinkWatch();
  #isNew = true;
  #lastOutbox = 0;
  readonly #tails: TailWatch;
  readonly #sweep: ObjectSweep;
  readonly #denials = new Denials();
  #isClosed = false;
  #stopConflicts: () => void = () => {};

  private constructor(ports: SyncPorts) {
    this.#ports = ports;
    this.#store = new SyncStore(ports.rows);
    this.#memory = new ConnectionMemory({ clock: ports.clock, store: this.#store, term: ports.term });
    this.#teller = new ReportTeller(ports.clock, () => this.report());
    this.#tokens = new TokenDesk(ports.clock, () => this.#changed());
    this.#server = new ServerRequests({ network: ports.network, clock: ports.clock, tokens: this.#tokens });
    this.#standing = new Standing(ports.engine.replication, ports.clock);
    const { schema } = ports.engine;
    this.followed = new FollowedChannels({ memory: this.#memory, standing: this.#standing, schema, host: () => this.#host });
    this.hints = new Hints(({ collection, partition, topic }, hint) => {
      const channel = this.followed.channelIn(collection, partition);
      if (channel !== undefined) this.#host?.say({ type: 'hint', channel, topic, ...hint });
    });
    this.#tails = new TailWatch(ports.engine.replication, ports.clock);
    const { clock, rows, objects } = ports;
    this.#sweep = new ObjectSweep({ clock, rows, objects, isBusy: (channel) => this.#host?.isBringing(channel) === true });
    this.#outcomes = new WriteOutcomes({
      clock: ports.clock,
      store: this.#store,
      engine: ports.engine,
      term: ports.term,
      read: (what, body, timeoutMs) => this.read(what, body, timeoutMs),
      positionOf: (channel) => this.#standing.positionOf(channel),
      logEpoch: () => this.followed.logEpoch,
      onChange: () => this.#changed(),
    });
    this.#connector = new Connector({
      clock: ports.clock,
      rng: ports.rng,
      tokens: this.#tokens,
      subject: async () => (await this.#device()).subject,
      resolve: (request, token) =>
        this.#server.resolve(request, { schema: ports.engine.schema, opened: this.#memory.record?.opened }, token),
      resume: (request, token) => this.#resume(request, token),
      adopt: (request, answer, of) => this.#adopt(request, answer, of),
      stop: () => this.#host?.disconnect(),
      onChange: () => this.#changed(),
    });
  }

  /** Takes up what was followed before; no network. */
  static async open(ports: SyncPorts): Promise<SyncService> {
    const service = new SyncService(ports);
    ports.presence.sayToOthers = ({ collection, partition, topic, peer, state }) => {
      const channel = service.followed.channelIn(collection, partition);
      if (channel !== undefined) service.#host?.say({ type: 'presence', channel, topic, peer, state });
    };
    await service.#open();
    return service;
  }

  /** Something is followed, or is about to be. */
  get isConnected(): boolean {
    return this.#memory.record !== undefined || this.#connector.request !== undefined;
  }

  get isOnline(): boolean {
    return this.#connector.request !== undefined && this.#link.isOnline;
  }

  connect(request: ConnectRequest): void {
    this.#isNew = false;
    if (this.#connector.connect(request)) this.#denials.clear();
    this.#changed();
  }

  disconnect(): void {
    this.#isNew = false;
    this.#connector.disconnect();
  }

  /** The network is back, as far as the browser knows: what waits for a retry tries now. */
  wake(): void {
    if (!this.#connector.wake()) this.#host?.wake();
  }

  /**
   * The definition of a collection that the engine does not have, as the server has it; from now on it is part of this database, offline too. The
   * engine is opened again with it.
   * @throws COLLECTION_UNKNOWN, OFFLINE, TIMEOUT, AUTH_REQUIRED
   */
  async openCollection(name: string): Promise<CollectionDefinition> {
    const { request } = this.#connector;
    if (request === undefined) throw new DbError('OFFLINE', `collection ${name}: one seen before, or a connection expected, got neither`);
    const found = await this.#server.collection(request, name, OPEN_TIMEOUT_MS);
    // The engine does not have it, so there is nothing here to be pushed: it is the server's from the start.
    for (const { channel } of placesOf(request, found)) {
      if (!(await isAttached(this.#store, channel))) await this.#store.writeRecord(this.#ports.term, attachKey(channel), ATTACHED);
    }
    await this.#memory.keep(
      withCollection(this.#memory.record ?? { ...request, answer: emptyAnswer(found.logEpoch), currentAtMs: null }, name, found),
    );
    this.#ports.onSchema();
    return found.collections[0]!.definition;
  }

  giveToken(id: number, token: string | null): void {
    this.#tokens.give(id, token);
  }

  /** `WriteOutcomes.wait`. */
  wait(level: Exclude<Level, 'local'>, writes: readonly PendingWrite[] | undefined): Promise<string> {
    return this.#outcomes.wait(level, writes, this.#host);
  }

  rejected(): readonly RejectedItem[] {
    return this.#outcomes.refused.items(this.#memory.record?.answer.channels ?? []);
  }

  dismiss(channel: string, id: number): Promise<void> {
    return this.#outcomes.dismiss(channel, id);
  }

  /** `waitUploaded`. */
  async upload(timeoutMs: number): Promise<void> {
    await waitUploaded(this.#ports.clock, timeoutMs, () => ({
      isConnected: this.isConnected,
      phase: this.#connector.phase.name,
      isOpen: this.#host?.isOpen === true,
      writes: this.#host?.outboxSize ?? 0,
      denied: this.#denials.code,
    }));
  }

  /** Removes what the server has as well; the outbox stays, and is shown over nothing. */
  async forget(): Promise<void> {
    if (this.#host === undefined) return;
    this.disconnect();
    const places = this.followed.places;
    await this.#ports.exclusive(async () => {
      await this.#host?.stop();
      for (const { channel } of places) await this.#remove(channel);
      this.#standing.forgetAges();
      await this.#startHost(places);
    });
  }

  report(): SyncReport {
    const { count: rejected, version } = this.#outcomes.refused;
    return {
      status: {
        state: this.#state(),
        outbox: this.#outboxSize(),
        rejected,
        ...this.followed.status(this.#connector.request),
        ...this.#denials.status((channel) => this.followed.placeOf(channel)),
      },
      isNew: this.#isNew,
      token: this.#tokens.wanted ?? null,
      rejectedVersion: version,
      conflicts: this.#conflicts.items,
    };
  }

  #outboxSize(): number {
    // While the outbox is being read it is as large as it was.
    if (this.#host === undefined || this.#host.isOpen) this.#lastOutbox = this.#host?.outboxSize ?? 0;
    return this.#lastOutbox;
  }

  /** Told at once, and whenever something changed. Returns the way to stop. */
  onReport(listener: (report: SyncReport) => void): () => void {
    return this.#teller.listen(listener);
  }

  /** OFFLINE, AUTH_REQUIRED, TIMEOUT, and what the server answers. */
  read(what: string, body: unknown, timeoutMs: number): Promise<unknown> {
    return this.#server.read(this.#connector.request, what, { body, timeoutMs });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connector.close();
    this.#teller.close();
    this.#sweep.close();
    this.#stopConflicts();
    this.#tokens.forget();
    await this.#host?.stop();
    this.#outcomes.close();
  }

  /* ---------- opening ---------- */
  async #open(): Promise<void> {
    await this.#memory.read();
    this.#stopConflicts = this.#ports.engine.replication.onConflict((conflict) => {
      if (this.#conflicts.add(conflict, this.followed.places)) this.#changed();
    });
    await this.#outcomes.readRefused();
    if (this.#memory.record === undefined) return;
    const places: SyncPlace[] = [];
    for (const place of placesOf(this.#memory.record, this.#memory.record.answer))
      if (await isAttached(this.#store, place.channel)) places.push(place);
    if (places.length > 0) await this.#startHost(places);
  }

  async #device(): Promise<DeviceRecord> {
    const none = { clientId: this.#ports.engine.clientId, subject: '', logEpoch: null, hlc: 0 as Timestamp, nextId: 1 };
    return (await this.#store.readDevice()) ?? none;
  }

  async #startHost(places: readonly SyncPlace[]): Promise<void> {
    const { clock, rng, network, engine, outbox, objects, term } = this.#ports;
    await this.#host?.stop();
    for (const { channel } of this.followed.places)
      if (!places.some((place) => place.channel === channel)) engine.replication.leave(channel);
    const endpoint = mustGetEndpoint(this.#connector.request ?? this.#memory.record!);
    const downloader = new BootstrapDownloader({ objects, network, endpoint });
    const token = (reason: TokenReason): Promise<ReadToken> => this.#tokens.get(reason);
    const ports = { clock, rng, store: this.#store, replication: engine.replication, network, endpoint, downloader, token };
    const host: SyncHost = new SyncHost(
      ports,
      this.#hostEvents(() => this.#host === host),
      { places, term, device: await this.#device() },
    );
    this.#host = host;
    this.followed.places = places;
    this.#link.reset();
    outbox.host = host;
    await host.open();
  }

  #hostEvents(isCurrent: () => boolean): HostEvents {
    return {
      onStatus: (status) => {
        if (!isCurrent()) return;
        const wasOnline = this.#link.isOnline;
        if (this.#link.set(status)) void this.#memory.noteCurrent();
        if (!wasOnline && this.#link.isOnline) {
          this.#ports.presence.sayAgain();
          this.hints.joinAgain();
        }
        this.#changed();
      },
      onChange: () => {
        for (const { channel, above } of this.#tails.due(this.followed.places)) this.#host?.adopt(channel, above);
        this.#changed();
      },
      onAcked: (channel, id, position) => {
        this.#standing.acked(channel, position);
        this.#outcomes.acked(channel, id, position);
        if (this.#denials.ended(channel)) this.#changed();
      },
      onRejected: (channel, id, code) => void this.#outcomes.rejected(channel, id, code),
      onDenied: (channel, access) => {
        this.#denials.add(channel, access);
        this.#changed();
      },
      // The channel was dropped: which there are now is asked anew.
      onGone: () => this.#connector.resolveAgain(),
      onFresh: (channel) => {
        this.#standing.fresh(channel);
        void this.#memory.noteJoined(channel);
      },
      onEpoch: () => {
        this.#standing.forgetAcks();
        this.#outcomes.forget();
      },
      onRetry: (delayMs) => {
        this.#link.retryIn(delayMs);
        this.#changed();
      },
      onProgress: (channel, doneBytes, totalBytes) => {
        this.#standing.progressed(channel, doneBytes, totalBytes);
        this.#changed();
      },
      onPresent: ({ channel, topic, peer, subject, state }) => {
        const place = this.followed.placeOf(channel);
        if (place !== undefined) this.#ports.presence.heard({ ...place, topic }, { peer, subject, state });
      },
      onHinted: ({ channel, topic, update }) => {
        const place = this.followed.placeOf(channel);
        if (place !== undefined) this.hints.heard({ ...place, topic }, update);
      },
      onAltered: ({ channel, schemaVersion }) => {
        if ((this.followed.placeOf(channel)?.schemaVersion ?? schemaVersion) !== schemaVersion) this.#connector.resolveAgain();
      },
      onSwapped: (channel) => this.#sweep.later(channel),
      onFailed: (error) => isCurrent() && !this.#isClosed && this.#ports.onFailed(error),
    };
  }

  /* ---------- connecting ---------- */
  /** What was followed before goes on at once, with the stored answer, unless the servers may refuse what this app writes until they are asked. */
  #resume(request: ConnectRequest, token: ReadToken): boolean {
    if (this.#memory.record === undefined || !sameRequest(this.#memory.record, request) || this.#host === undefined) return false;
    if (!covers(this.#memory.record.answer, this.#ports.engine.schema)) return false;
    this.#host.connect(token);
    return true;
  }

  /** Takes the server's answer: its schema, its channels. */
  async #adopt(
    request: ConnectRequest,
    answer: ResolveAnswer,
    { token, isOver }: { readonly token: ReadToken; readonly isOver: () => boolean },
  ): Promise<void> {
    const { engine, term, exclusive, onSchema } = this.#ports;
    const widens = isWider(answer, engine.schema);
    const places = placesOf(request, answer);
    const left = this.followed.places.filter(({ channel }) => !places.some((place) => place.channel === channel));
    const { currentAtMs = null, opened = [], leftAtMs = {} } = this.#memory.record ?? {};
    await this.#memory.keep({ ...request, answer, currentAtMs, opened, leftAtMs: { ...leftAtMs, ...this.#agesOf(left) } });
    if (widens) {
      onSchema();
      return;
    }
    const attachments: Attachment[] = [];
    for (const place of places) {
      if (await isAttached(this.#store, place.channel)) continue;
      attachments.push(new Attachment({ engine, store: this.#store, term, place, device: () => this.#device() }));
    }
    for (const attachment of attachments) await attachment.copy();
    if (isOver()) return;
    const isSame = samePlaces(places, this.followed.places);
    if (!isSame || this.#host === undefined) {
      await exclusive(async () => {
        // A host that runs gives out ids: it ends before entries are made beside it.
        await this.#host?.stop();
        for (const attachment of attachments) await attachment.finish();
        await this.#startHost(places);
        // Nothing of what is only searched is stored here; what is unsent is.
        for (const { channel, partition } of answer.channels) if (isSearched(request, partition)) await this.#remove(channel);
      });
    }
    if (isOver()) return;
    this.followed.places = places;
    this.#host?.setPlaces(places);
    for (const { channel, ttlSeconds = null } of places) engine.replication.setTimeToLive(channel, ttlSeconds);
    if (this.#connector.phase.name !== 'running' || !isSame) {
      this.#connector.running();
      this.#host?.connect(token);
    }
    this.#changed();
  }

  async #remove(channel: string): Promise<void> {
    const { objects, term } = this.#ports;
    if (await this.#store.hasReplica(channel)) await removeReplica({ store: this.#store, objects, term }, channel);
  }

  /** When these were up to date, where anybody knows. */
  #agesOf(places: readonly SyncPlace[]): Readonly<Record<string, number>> {
    const nowMs = this.#ports.clock.nowMs();
    const ages = places.map(({ channel }): [string, number] => [channel, nowMs - (this.followed.stalenessOf(channel) ?? nowMs)]);
    return Object.fromEntries(ages);
  }

  /* ---------- status ---------- */
  #state(): SyncState {
    return stateOf(this.#connector.phase, { ...this.#link.status, ...this.followed.howFar() });
  }

  #changed(): void {
    this.#teller.changed();
  }
}
