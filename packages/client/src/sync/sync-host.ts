import { type Clock, DbError, encodeFrame, type Op, type Rng, type Timestamp } from '@terndb/core';
import type { FollowedPlace, OverlayEntry, ReplicaChange, Replication } from '@terndb/engine';
import {
  type ClientEffect,
  type ClientEvent,
  ClientMachine,
  type DeviceRecord,
  type DurableChannel,
  decodeMessage,
  encodeMessage,
  type KnownClient,
  type Link,
  type ManifestOffer,
  type OutboxEntry,
  type Role,
  type StoreWrite,
} from '@terndb/sync';
import type { BootstrapDownloader } from './bootstrap.ts';
import type { Endpoint, Network, SyncSocket } from './network.ts';
import type { Adopted, SyncStore } from './store/sync-store.ts';
import type { ReadToken, TokenSource } from './token.ts';

export interface HostPorts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly store: SyncStore;
  readonly replication: Replication;
  readonly network: Network;
  readonly endpoint: Endpoint;
  readonly downloader: BootstrapDownloader;
  readonly token: TokenSource;
}

/** A followed channel, and the version its collection has on the server. */
export interface SyncPlace extends FollowedPlace {
  readonly schemaVersion: number;
}

/** What the machine says that others care about. None may throw. */
export interface HostEvents {
  onStatus(status: { readonly role: Role; readonly link: Link; readonly detail?: string }): void;
  /** The outbox of a channel changed, or what is applied of it. */
  onChange(): void;
  onAcked(channel: string, id: number, position: number): void;
  onRejected(channel: string, id: number, code: string): void;
  onDenied(channel: string, access: 'read' | 'write'): void;
  onGone(channel: string): void;
  /** Everything acknowledged before `time` (server's clock) is shown. */
  onFresh(channel: string, time: Timestamp): void;
  /** Another universe (R14): positions of before mean nothing any more. */
  onEpoch(): void;
  onRetry(delayMs: number): void;
  onProgress(channel: string, doneBytes: number, totalBytes: number): void;
  /** Another tab leads, or the stored state cannot be read: this host is over. */
  onFailed(error: DbError): void;
}

type Persist = Extract<ClientEffect, { readonly type: 'persist' }>;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: DbError) => void;
}

/** A bootstrap that is held under its fetch. */
interface Staged {
  readonly channel: string;
  readonly abort: AbortController;
  object: string | null;
  readonly frames: Uint8Array[];
}

/** An entry as readers see it. */
interface ShownEntry {
  readonly hlc: Timestamp;
  readonly op: Op;
}

/**
 * Hosts the client machine of this device: performs its effects against database, network, clock and engine, and takes writes into the outbox.
 * Batches become durable in their order, those that wait for one transaction together in the next one; only then do readers see them.
 */
export class SyncHost {
  readonly #ports: HostPorts;
  readonly #events: HostEvents;
  readonly #places: readonly SyncPlace[];
  readonly #device: DeviceRecord;
  readonly #term: number;
  #machine: ClientMachine;
  #logEpoch: string | null;
  #isOver = false;
  #socket: { readonly id: number; readonly socket: SyncSocket } | undefined;
  readonly #timers = new Set<() => void>();
  #batches: Persist[] = [];
  #writing: Promise<void> | undefined;
  readonly #staged = new Map<number, Staged>();
  readonly #requests = new Map<number, Waiting>();
  #nextRequest = 1;
  #shown = new Map<string, Map<number, ShownEntry>>();
  #isOnline = false;
  #dispatching = false;
  readonly #queue: ClientEvent[] = [];

  constructor(
    ports: HostPorts,
    events: HostEvents,
    of: { readonly places: readonly SyncPlace[]; readonly term: number; readonly device: DeviceRecord },
  ) {
    this.#ports = ports;
    this.#events = events;
    this.#places = of.places;
    this.#term = of.term;
    this.#device = of.device;
    this.#logEpoch = of.device.logEpoch;
    this.#machine = this.#createMachine();
  }

  get link(): Link {
    return this.#machine.link;
  }

  /** The universe that acks are of; null before the first connection. */
  get logEpoch(): string | null {
    return this.#logEpoch;
  }

  /** Entries that the log has not confirmed at the applied position. */
  get outboxSize(): number {
    return this.#places.reduce((sum, { channel }) => sum + this.#machine.outbox(channel).length, 0);
  }

  outboxOf(channel: string): ReturnType<ClientMachine['outbox']> {
    return this.#machine.outbox(channel);
  }

  follows(channel: string): boolean {
    return this.#places.some((place) => place.channel === channel);
  }

  /** Reads what is stored, shows it, and takes writes; without a connection until `connect`. */
  async open(): Promise<void> {
    const channels = await this.#openReplicas();
    const device = (await this.#ports.store.readDevice()) ?? this.#device;
    this.#dispatch({ type: 'stop' });
    this.#dispatch({ type: 'elected', term: this.#term, durable: { device, channels } });
    for (const { channel } of this.#places) {
      // Rows are missing here: the server has them.
      if ((this.#ports.replication.state(channel)?.quarantined.length ?? 0) > 0) this.#dispatch({ type: 'diverged', channel });
    }
    if (this.#isOnline) this.#dispatch({ type: 'start' });
  }

  /** With a token of now: what an earlier connection used may be somebody else's. */
  connect(token: ReadToken): void {
    this.#isOnline = true;
    this.#dispatch({ type: 'token', ...token });
    this.#dispatch({ type: 'start' });
  }

  disconnect(): void {
    this.#isOnline = false;
    this.#dispatch({ type: 'stop' });
  }

  /** Tries now what would be tried later. */
  wake(): void {
    this.#dispatch({ type: 'timer', timer: 'reconnect' });
  }

  retryDenied(channel: string): void {
    this.#dispatch({ type: 'retry-denied', channel });
  }

  /** Sheds a long tail, if the server has a newer manifest. */
  adopt(channel: string, above: number): void {
    this.#dispatch({ type: 'adopt', channel, above });
  }

  /** `OutboxPort` of the engine. What is written before this returns to the event loop is stored together. */
  add(
    channel: string,
    op: Op,
    options: { readonly hlc?: Timestamp } = {},
  ): { readonly entry: OverlayEntry; readonly durable: Promise<void> } {
    if (this.#isOver)
      throw new DbError('STORAGE_UNAVAILABLE', `write to ${channel}: an open outbox expected, got one that is being read again; try again`);
    const request = this.#nextRequest++;
    const durable = new Promise<void>((resolve, reject) => this.#requests.set(request, { resolve, reject }));
    durable.catch(() => {});
    const schemaVersion = this.#places.find((place) => place.channel === channel)?.schemaVersion ?? 1;
    const effects = this.#step({ type: 'write', request, channel, op, schemaVersion, ...options });
    const entry = entryOf(effects, channel);
    if (entry === undefined) {
      this.#requests.delete(request);
      throw new DbError('STORAGE_UNAVAILABLE', `write to ${channel}: an open outbox expected, got one that is being read again; try again`);
    }
    this.#shownOf(channel).set(entry.id, entry);
    this.#perform(effects);
    return { entry, durable };
  }

  /** Ends the connection; what is on its way into the database gets there. */
  async stop(): Promise<void> {
    if (!this.#isOver) this.#dispatch({ type: 'stop' });
    await this.flush();
    this.#end();
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #createMachine(): ClientMachine {
    const { rng, replication } = this.#ports;
    return new ClientMachine({
      rng,
      channels: this.#places.map(({ channel }) => channel),
      replicaOf: (channel) => replication.state(channel),
    });
  }

  async #openReplicas(): Promise<DurableChannel[]> {
    const { store, replication } = this.#ports;
    const stored = await Promise.all(this.#places.map(({ channel }) => store.readChannel(channel)));
    await replication.open(
      this.#places.map((place, index) => {
        const { record, outbox } = stored[index]!;
        return { ...place, logEpoch: record?.logEpoch ?? null, overlay: outbox.map(toOverlay) };
      }),
    );
    this.#shown = new Map(
      this.#places.map(({ channel }, index) => [channel, new Map(stored[index]!.outbox.map((entry) => [entry.id, entry]))]),
    );
    return this.#places.map(({ channel }, index): DurableChannel => {
      const { record, outbox, kept } = stored[index]!;
      const state = replication.state(channel);
      const base = record ?? { channel, clientId: this.#device.clientId, nextSeq: 1, everSent: false, logEpoch: null };
      return { ...base, position: state?.position ?? 0, maxHlc: state?.maxHlc ?? (0 as Timestamp), outbox, kept };
    });
  }

  /* ---------- stepping ---------- */
  #step(event: ClientEvent): ClientEffect[] {
    const { clock } = this.#ports;
    return this.#machine.step(event, { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
  }

  /** One event after the other: what an effect causes at once waits until the effects before it are performed. */
  #dispatch(event: ClientEvent): void {
    if (this.#isOver) return;
    this.#queue.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#perform(this.#step(next));
    } finally {
      this.#dispatching = false;
    }
  }

  #perform(effects: readonly ClientEffect[]): void {
    for (const effect of effects) if (!this.#isOver) this.#performOne(effect);
  }

  #performOne(effect: ClientEffect): void {
    switch (effect.type) {
      case 'persist':
        for (const write of effect.writes) if (write.type === 'device') this.#learnEpoch(write.device);
        this.#batches.push(effect);
        this.#write();
        return;
      case 'connect':
        this.#openSocket(effect.socket);
        return;
      case 'disconnect':
        this.#closeSocket();
        return;
      case 'send':
        if (this.#socket?.id === effect.socket) this.#socket.socket.send(encodeMessage(effect.message));
        return;
      case 'get-token':
        this.#ports.token(effect.reason).then(
          (token) => this.#dispatch({ type: 'token', ...token }),
          () => this.#dispatch({ type: 'token-failed' }),
        );
        return;
      case 'timer':
        this.#startTimer(effect.timer, effect.delayMs);
        return;
      case 'fetch':
        void this.#fetch(effect.channel, effect.fetch, { offer: effect.offer, clientIds: effect.clientIds });
        return;
      case 'stage':
        this.#staged.get(effect.fetch)?.frames.push(encodeFrame(effect.frame));
        this.#ports.replication.stageFrame(effect.fetch, effect.frame);
        return;
      case 'drop-fetch':
        this.#dropFetch(effect.fetch);
        return;
      case 'reopen':
        void this.#reopen();
        return;
      default:
        this.#report(effect);
    }
  }

  #learnEpoch({ logEpoch }: DeviceRecord): void {
    if (logEpoch === this.#logEpoch) return;
    this.#logEpoch = logEpoch;
    this.#events.onEpoch();
  }

  #report(
    effect: Exclude<
      ClientEffect,
      { type: 'persist' | 'connect' | 'disconnect' | 'send' | 'get-token' | 'timer' | 'fetch' | 'stage' | 'drop-fetch' | 'reopen' }
    >,
  ): void {
    const events = this.#events;
    switch (effect.type) {
      case 'local':
        this.#requests.get(effect.request)?.resolve();
        this.#requests.delete(effect.request);
        return;
      case 'write-failed':
        this.#requests.get(effect.request)?.reject(this.#failure ?? storageFailed());
        this.#requests.delete(effect.request);
        return;
      case 'acked':
        events.onAcked(effect.channel, effect.id, effect.position);
        return;
      case 'rejected':
        events.onRejected(effect.channel, effect.id, effect.code);
        return;
      case 'denied':
        events.onDenied(effect.channel, effect.access);
        return;
      case 'gone':
        events.onGone(effect.channel);
        return;
      case 'status':
        events.onStatus(effect);
        return;
      case 'restamped':
        events.onChange();
        return;
      case 'fresh':
        events.onFresh(effect.channel, effect.time);
        return;
      default:
        // An effect of a later machine that nothing here depends on.
        return;
    }
  }

  #startTimer(timer: string, delayMs: number): void {
    if (timer === 'reconnect') this.#events.onRetry(delayMs);
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      this.#dispatch({ type: 'timer', timer });
    });
    this.#timers.add(cancel);
  }

  /* ---------- network ---------- */
  #openSocket(id: number): void {
    this.#closeSocket();
    const isCurrent = (): boolean => this.#socket?.id === id;
    const { network, endpoint } = this.#ports;
    const onClose = (): void => {
      if (!isCurrent()) return;
      this.#socket = undefined;
      this.#dispatch({ type: 'socket-closed', socket: id });
    };
    const socket = network.openSocket(endpoint.socket, {
      onOpen: () => isCurrent() && this.#dispatch({ type: 'socket-open', socket: id }),
      onMessage: (bytes) => {
        if (!isCurrent()) return;
        try {
          const message = decodeMessage(bytes) as Extract<ClientEvent, { type: 'message' }>['message'];
          this.#dispatch({ type: 'message', socket: id, message, bytes: bytes.length });
        } catch (thrown) {
          if (!(thrown instanceof DbError)) throw thrown;
          // Nothing after a message that cannot be read may be trusted: as if the line were cut.
          this.#closeSocket();
          this.#dispatch({ type: 'socket-closed', socket: id });
        }
      },
      onClose,
    });
    this.#socket = { id, socket };
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.socket.close();
  }

  async #fetch(
    channel: string,
    fetch: number,
    { offer, clientIds }: { readonly offer: ManifestOffer | undefined; readonly clientIds: readonly string[] },
  ): Promise<void> {
    const staged: Staged = { channel, abort: new AbortController(), object: null, frames: [] };
    this.#staged.set(fetch, staged);
    const { replication } = this.#ports;
    try {
      const downloaded = offer === undefined ? undefined : await this.#download(channel, offer, staged.abort.signal);
      staged.object = downloaded?.manifestObject ?? null;
      const source = downloaded ?? 'empty';
      const { position, maxHlc } = await replication.stage(channel, fetch, source);
      if (this.#staged.get(fetch) !== staged || this.#isOver) {
        replication.dropStaged(fetch);
        return;
      }
      const lmids = new Map(downloaded?.manifest.lmids.map((entry) => [entry.clientId, entry]));
      const known = clientIds.map((clientId): KnownClient => {
        const { lmid = 0, position: at = 0, rejected = [] } = lmids.get(clientId) ?? {};
        return { clientId, lmid, position: at, rejected };
      });
      this.#dispatch({ type: 'fetched', channel, fetch, snapshot: { position, maxHlc, known } });
    } catch (thrown) {
      if (this.#staged.get(fetch) !== staged) return;
      this.#dropFetch(fetch);
      if (!(thrown instanceof DbError)) throw thrown;
      this.#dispatch({ type: 'fetch-failed', channel, fetch });
    }
  }

  #download(channel: string, offer: ManifestOffer, signal: AbortSignal): ReturnType<BootstrapDownloader['download']> {
    const onProgress = (doneBytes: number, totalBytes: number): void => this.#events.onProgress(channel, doneBytes, totalBytes);
    return this.#ports.downloader.download({ channel, reference: offer.reference, signal, onProgress });
  }

  #dropFetch(fetch: number): void {
    this.#staged.get(fetch)?.abort.abort();
    this.#staged.delete(fetch);
    this.#ports.replication.dropStaged(fetch);
  }

  /* ---------- storage ---------- */
  #failure: DbError | undefined;

  /** One transaction at a time; what came meanwhile goes into the next one. Begun a turn later, so that one write's entries are together. */
  #write(): void {
    if (this.#writing !== undefined) return;
    this.#writing = Promise.resolve()
      .then(() => this.#writeAll())
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #writeAll(): Promise<void> {
    while (this.#batches.length > 0 && !this.#isOver) {
      const batches = this.#batches;
      this.#batches = [];
      const adopted = this.#adopted(batches);
      try {
        await this.#ports.store.commit(this.#term, batches, adopted);
      } catch (thrown) {
        this.#refused(batches[0]!.batch, DbError.from(thrown));
        return;
      }
      for (const batch of batches) this.#persisted(batch);
    }
  }

  #adopted(batches: readonly Persist[]): Map<number, Adopted> {
    const adopted = new Map<number, Adopted>();
    for (const write of batches.flatMap(({ writes }) => writes)) {
      if (write.type !== 'swap') continue;
      const { object, frames } = this.#staged.get(write.fetch)!;
      adopted.set(write.fetch, { object, frames });
    }
    return adopted;
  }

  #persisted({ batch, writes }: Persist): void {
    let diverged: readonly string[];
    try {
      ({ diverged } = this.#ports.replication.apply(this.#changesOf(writes)));
    } catch (thrown) {
      // Durable and not shown (MEMORY_LIMIT): nothing may be said to be applied.
      if (!(thrown instanceof DbError)) throw thrown;
      this.#fail(thrown);
      return;
    }
    this.#dispatch({ type: 'persisted', batch });
    for (const channel of diverged) this.#dispatch({ type: 'diverged', channel });
    this.#events.onChange();
  }

  #changesOf(writes: readonly StoreWrite[]): ReplicaChange[] {
    const changes: ReplicaChange[] = [];
    let logEpoch: string | null = null;
    for (const write of writes) {
      if (write.type === 'frame') changes.push(write);
      else if (write.type === 'channel') logEpoch = write.record.logEpoch;
      else if (write.type === 'swap') {
        this.#staged.delete(write.fetch);
        changes.push({ ...write, logEpoch: logEpoch! });
      } else if (write.type === 'outbox') {
        const shown = this.#shownOf(write.entry.channel);
        const before = shown.get(write.entry.id);
        if (before?.hlc === write.entry.hlc && before.op === write.entry.op) continue;
        shown.set(write.entry.id, write.entry);
        changes.push({ type: 'entry', channel: write.entry.channel, entry: toOverlay(write.entry) });
      } else if (write.type === 'outbox-delete') {
        this.#shownOf(write.channel).delete(write.id);
        changes.push({ type: 'entry-gone', channel: write.channel, id: write.id });
      }
    }
    return changes;
  }

  #shownOf(channel: string): Map<number, ShownEntry> {
    let shown = this.#shown.get(channel);
    if (shown === undefined) {
      shown = new Map();
      this.#shown.set(channel, shown);
    }
    return shown;
  }

  #refused(batch: number, error: DbError): void {
    this.#batches = [];
    this.#failure = error;
    const isFenced = error.code === 'APPEND_CONFLICT' || error.code === 'DATABASE_CLOSED';
    this.#dispatch({ type: 'persist-failed', batch, reason: isFenced ? 'fenced' : 'storage' });
    this.#failAll(error);
    if (isFenced) this.#fail(error);
  }

  /** Whatever was shown and is not stored goes; then everything is as after a crash. */
  async #reopen(): Promise<void> {
    this.#dropAll();
    const { store, replication, clock } = this.#ports;
    try {
      // A full disk answers the next write the same way: not at once.
      await new Promise<void>((resolve) => clock.after(REOPEN_MS, resolve));
      if (this.#isOver) return;
      for (const { channel } of this.#places) {
        const kept = new Set((await store.readChannel(channel)).outbox.map(({ id }) => id));
        const gone = [...this.#shownOf(channel).keys()].filter((id) => !kept.has(id));
        replication.apply(gone.map((id) => ({ type: 'entry-gone', channel, id })));
      }
      this.#machine = this.#createMachine();
      await this.open();
    } catch (thrown) {
      this.#fail(DbError.from(thrown));
    }
  }

  #dropAll(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#closeSocket();
    for (const fetch of [...this.#staged.keys()]) this.#dropFetch(fetch);
  }

  #failAll(error: DbError): void {
    for (const { reject } of this.#requests.values()) reject(error);
    this.#requests.clear();
  }

  #fail(error: DbError): void {
    if (this.#isOver) return;
    this.#end();
    this.#events.onFailed(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#dropAll();
    this.#failAll(this.#failure ?? new DbError('DATABASE_CLOSED', 'the outbox is closed'));
  }
}

/** Between a refused transaction and reading the database again. */
const REOPEN_MS = 100;

/** Ties of stamps are broken by the id it was first written under. */
function toOverlay({ id, op, hlc, clientId, origin }: OutboxEntry): OverlayEntry {
  return { id, op, hlc, clientId: origin?.clientId ?? clientId };
}

/** The entry that a write made: the first one stored that was not sent. */
function entryOf(effects: readonly ClientEffect[], channel: string): OverlayEntry | undefined {
  for (const effect of effects) {
    if (effect.type !== 'persist') continue;
    for (const write of effect.writes) {
      if (write.type === 'outbox' && write.entry.channel === channel) return toOverlay(write.entry);
    }
  }
  return undefined;
}

function storageFailed(): DbError {
  return new DbError('STORAGE_UNAVAILABLE', 'outbox: a stored write expected, got a database that refused it');
}
