import { DbError, type Op, type Timestamp } from '@terndb/core';
import type { OverlayEntry } from '@terndb/engine';
import { type ClientEffect, type ClientEvent, ClientMachine, type DeviceRecord, type Hint, type Presence } from '@terndb/sync';
import { BatchWriter, type Persist } from './batch-writer.ts';
import { Bootstraps } from './bootstraps.ts';
import type { HostEvents, HostPorts, SyncPlace } from './host-types.ts';
import { LocalRequests } from './local-requests.ts';
import { MachineSocket } from './machine-socket.ts';
import { openReplicas } from './open-replicas.ts';
import { entryOf, ShownEntries } from './shown-entries.ts';
import type { Adopted } from './store/sync-store.ts';
import type { ReadToken } from './token.ts';

/** Between a refused transaction and reading the database again. */
const REOPEN_MS = 100;

/**
 * Hosts the client machine of this device: performs its effects against database, network, clock and engine, and takes writes into the outbox.
 * Batches become durable in their order, those that wait for one transaction together in the next one; only then do readers see them.
 */
export class SyncHost {
  readonly #ports: HostPorts;
  readonly #events: HostEvents;
  #places: readonly SyncPlace[];
  readonly #device: DeviceRecord;
  readonly #term: number;
  #machine: ClientMachine;
  #logEpoch: string | null;
  #isOver = false;
  #isOpen = false;
  readonly #socket: MachineSocket;
  readonly #timers = new Set<() => void>();
  readonly #writer: BatchWriter;
  /** Why the last transaction was refused. */
  #failure: DbError | undefined;
  readonly #bootstraps: Bootstraps;
  readonly #requests = new LocalRequests();
  readonly #shown = new ShownEntries();
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
    const dispatch = (event: ClientEvent): void => this.#dispatch(event);
    const { replication, downloader } = ports;
    const onProgress: HostEvents['onProgress'] = (channel, doneBytes, totalBytes) => events.onProgress(channel, doneBytes, totalBytes);
    this.#writer = new BatchWriter({
      commit: (batches) => ports.store.commit(this.#term, batches, this.#adopted(batches)),
      onPersisted: (batch) => this.#persisted(batch),
      onRefused: (batch, error) => this.#refused(batch, error),
      isOver: () => this.#isOver,
    });
    this.#socket = new MachineSocket(ports, dispatch, (message) => {
      if (message.type === 'present') events.onPresent(message);
      else if (message.type === 'hinted') events.onHinted(message);
      else events.onAltered(message);
    });
    const budgetOf = (channel: string): number | null => this.#places.find((place) => place.channel === channel)?.budgetBytes ?? null;
    this.#bootstraps = new Bootstraps({ replication, downloader, budgetOf, dispatch, onProgress });
  }

  /** The universe that acks are of; null before the first connection. */
  get logEpoch(): string | null {
    return this.#logEpoch;
  }

  /** The stored outbox is read: until then nobody knows how much is unsent. */
  get isOpen(): boolean {
    return this.#isOpen;
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
    const channels = await openReplicas(this.#ports, { places: this.#places, clientId: this.#device.clientId, shown: this.#shown });
    const device = (await this.#ports.store.readDevice()) ?? this.#device;
    this.#dispatch({ type: 'stop' });
    this.#dispatch({ type: 'elected', term: this.#term, durable: { device, channels } });
    this.#isOpen = true;
    for (const { channel, budgetBytes } of this.#places) {
      const state = this.#ports.replication.state(channel);
      // Rows are missing here: the server has them. Or another share of them is to be here: what is here already is not asked for again.
      const isOther = state !== undefined && state.logEpoch !== null && (await this.#ports.store.readBudget(channel)) !== budgetBytes;
      if (isOther || (state?.quarantined.length ?? 0) > 0) this.#dispatch({ type: 'diverged', channel });
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

  /** The same channels as the server has them now: what is read again is shown by that. */
  setPlaces(places: readonly SyncPlace[]): void {
    this.#places = places;
  }

  /** Tries now what would be tried later. */
  wake(): void {
    this.#dispatch({ type: 'timer', timer: 'reconnect' });
  }

  /** A bootstrap of this channel is under way. */
  isBringing(channel: string): boolean {
    return this.#bootstraps.isBringing(channel);
  }

  /** Sheds a long tail, if the server has a newer manifest. */
  adopt(channel: string, above: number): void {
    this.#dispatch({ type: 'adopt', channel, above });
  }

  /** Beside the log: lost where there is no connection. */
  say(message: Presence | Hint): void {
    if (this.#machine.link === 'live' || this.#machine.link === 'catching-up') this.#socket.say(message);
  }

  /** `OutboxPort` of the engine. What is written before this returns to the event loop is stored together. */
  add(
    channel: string,
    op: Op,
    options: { readonly hlc?: Timestamp } = {},
  ): { readonly entry: OverlayEntry; readonly durable: Promise<void> } {
    if (this.#isOver)
      throw new DbError('STORAGE_UNAVAILABLE', `write to ${channel}: an open outbox expected, got one that is being read again; try again`);
    const { request, durable } = this.#requests.begin();
    const schemaVersion = this.#places.find((place) => place.channel === channel)?.schemaVersion ?? 1;
    const effects = this.#step({ type: 'write', request, channel, op, schemaVersion, ...options });
    const entry = entryOf(effects, channel);
    if (entry === undefined) {
      this.#requests.forget(request);
      throw new DbError('STORAGE_UNAVAILABLE', `write to ${channel}: an open outbox expected, got one that is being read again; try again`);
    }
    this.#shown.add(channel, entry);
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
    await this.#writer.flush();
  }

  #createMachine(): ClientMachine {
    const { rng, replication } = this.#ports;
    return new ClientMachine({
      rng,
      channels: this.#places.map(({ channel }) => channel),
      // Of a replica that lacks segments nobody can compare the hash.
      replicaOf: (channel) => {
        const state = replication.state(channel);
        return state === undefined || state.leftOut.length > 0 ? undefined : state;
      },
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
        this.#writer.add(effect);
        return;
      case 'connect':
        this.#socket.open(effect.socket);
        return;
      case 'disconnect':
        this.#socket.close();
        return;
      case 'send':
        this.#socket.send(effect.socket, effect.message);
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
        void this.#bootstraps.fetch(effect);
        return;
      case 'stage':
        this.#bootstraps.stage(effect.fetch, effect.frame);
        return;
      case 'drop-fetch':
        this.#bootstraps.drop(effect.fetch);
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
        this.#requests.resolve(effect.request);
        return;
      case 'write-failed':
        this.#requests.reject(effect.request, this.#failure ?? storageFailed());
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

  /* ---------- storage ---------- */
  #adopted(batches: readonly Persist[]): Map<number, Adopted> {
    const adopted = new Map<number, Adopted>();
    for (const write of batches.flatMap(({ writes }) => writes)) {
      if (write.type !== 'swap') continue;
      adopted.set(write.fetch, this.#bootstraps.adopted(write.fetch));
    }
    return adopted;
  }

  #persisted({ batch, writes }: Persist): void {
    let diverged: readonly string[];
    try {
      const changes = this.#shown.changesOf(writes, (fetch) => this.#bootstraps.swapped(fetch));
      ({ diverged } = this.#ports.replication.apply(changes));
    } catch (thrown) {
      // Durable and not shown (MEMORY_LIMIT): nothing may be said to be applied.
      if (!(thrown instanceof DbError)) throw thrown;
      this.#fail(thrown);
      return;
    }
    this.#dispatch({ type: 'persisted', batch });
    for (const channel of diverged) this.#dispatch({ type: 'diverged', channel });
    for (const write of writes) if (write.type === 'swap') this.#events.onSwapped(write.channel);
    this.#events.onChange();
  }

  #refused({ batch }: Persist, error: DbError): void {
    this.#failure = error;
    const isFenced = error.code === 'APPEND_CONFLICT' || error.code === 'DATABASE_CLOSED';
    this.#dispatch({ type: 'persist-failed', batch, reason: isFenced ? 'fenced' : 'storage' });
    this.#requests.rejectAll(error);
    if (isFenced) this.#fail(error);
  }

  /** Whatever was shown and is not stored goes; then everything is as after a crash. */
  async #reopen(): Promise<void> {
    this.#isOpen = false;
    this.#dropAll();
    const { store, replication, clock } = this.#ports;
    try {
      // A full disk answers the next write the same way: not at once.
      await new Promise<void>((resolve) => clock.after(REOPEN_MS, resolve));
      if (this.#isOver) return;
      for (const { channel } of this.#places) {
        const kept = new Set((await store.readChannel(channel)).outbox.map(({ id }) => id));
        const gone = this.#shown.ids(channel).filter((id) => !kept.has(id));
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
    this.#socket.close();
    this.#bootstraps.dropAll();
  }

  #fail(error: DbError): void {
    if (this.#isOver) return;
    this.#end();
    this.#events.onFailed(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#dropAll();
    this.#requests.rejectAll(this.#failure ?? new DbError('DATABASE_CLOSED', 'the outbox is closed'));
  }
}

function storageFailed(): DbError {
  return new DbError('STORAGE_UNAVAILABLE', 'outbox: a stored write expected, got a database that refused it');
}
