import { DbError, type Op } from '@terndb/core';
import { type ClientEffect, type ClientEvent, ClientMachine, type KnownClient, type ManifestOffer } from '@terndb/sync';
import { checkFresh } from './checkers/reads.ts';
import type { Device } from './device.ts';
import type { DeviceDb } from './device-db.ts';
import { type ForwardedCall, Forwarder, repeated, TAB_HOP_MS } from './forwarding.ts';
import { newWrite, type WriteInfo } from './ledger.ts';
import { ModelFold } from './model-fold.ts';
import { agreeOnSchema } from './schema-agreement.ts';
import { Socket } from './socket.ts';

function describe(write: Batch['writes'][number]): string {
  if (write.type === 'frame') return `frame ${write.channel} ${write.frame.base}+${write.frame.records.length}`;
  if ('entry' in write)
    return `${write.type} ${write.entry.channel} ${write.entry.id} ${write.entry.clientId.slice(0, 4)}:${write.entry.seq} ${write.entry.hlc}`;
  if ('id' in write) return `${write.type} ${write.channel} ${write.id}`;
  return write.type;
}

/** Life of a token; short where tokens expire. */
const TOKEN_MS = 3_600_000;
const SHORT_TOKEN_MS = 45_000;

interface Batch {
  readonly batch: number;
  readonly term: number;
  readonly writes: Extract<ClientEffect, { type: 'persist' }>['writes'];
  /** True wall clock: a long sleep may lie between this and the commit, which may be refused. */
  readonly madeAtMs: number;
}

type Settled = (made: WriteInfo | 'failed') => void;

/** One tab: the effects of a `ClientMachine` against database, network and clock. */
export class Tab {
  readonly name: string;
  readonly #device: Device;
  readonly #machine: ClientMachine;
  #db: DeviceDb | undefined;
  #socket: { readonly id: number; readonly socket: Socket } | undefined;
  #isDead = false;
  isFrozen = false;
  #deferred: (() => void)[] = [];
  #batches: Batch[] = [];
  #isWriting = false;
  readonly #staged = new Map<string, ModelFold>();
  readonly #requests = new Map<number, { readonly info: WriteInfo; readonly settled: Settled }>();
  readonly #byEntry = new Map<string, WriteInfo>();
  #nextRequest = 1;
  #term = 0;
  /** Of the page of this tab. */
  readonly forwarder: Forwarder;

  constructor(device: Device, name: string) {
    this.#device = device;
    this.name = name;
    this.forwarder = new Forwarder(device.world.ledger, name);
    const { world, channels } = device;
    const isOld = world.swarm.faults.has('newer-server');
    this.#machine = new ClientMachine({
      rng: world.random.rng,
      channels,
      ablations: world.ablations,
      ...(world.swarm.creditBytes === undefined ? {} : { creditBytes: world.swarm.creditBytes }),
      ...(isOld ? { protocol: { oldest: 1, newest: 1 } } : {}),
      replicaOf: (channel) => this.#db?.channels.get(channel)?.fold,
    });
  }

  get isLeading(): boolean {
    return !this.#isDead && this.#machine.role === 'leader';
  }

  get link(): string {
    return this.#machine.link;
  }

  statusOf(channel: string): string | undefined {
    return this.#machine.inspect(channel)?.status;
  }

  held(channel: string): number {
    return this.#machine.outbox(channel).length;
  }

  lead(term: number, db: DeviceDb): void {
    this.#db = db;
    this.#staged.clear();
    this.#batches = [];
    this.#isWriting = false;
    this.#term = term;
    const agreesOnSchema = this.#device.world.swarm.faults.has('schema-conflict');
    if (agreesOnSchema) this.event({ type: 'stop' });
    this.event({ type: 'elected', term, durable: db.read() });
    if (!agreesOnSchema) return;
    const isCurrent = (): boolean => this.#term === term && this.isLeading;
    agreeOnSchema(this.#device, { isCurrent, event: (next) => this.event(next), after: (delayMs, next) => this.#after(delayMs, next) });
  }

  /** From now on the writes of this tab's page go to `leader`, beginning with those that nobody has answered. */
  followLeader(leader: Tab, term: number): void {
    this.#whenAwake(() => {
      this.forwarder.follow(term, (call, to) => {
        if (leader === this) this.take(this, call, to);
        else this.#device.world.queue.after(TAB_HOP_MS, () => leader.take(this, call, to));
      });
    });
  }

  /** A write of the page of another tab, or of one that followed until now. */
  take(from: Tab, call: ForwardedCall, term: number): void {
    this.#whenAwake(() => {
      const { world, name, subject, db } = this.#device;
      const { channel, sawPosition, sawEpoch, attempts } = call;
      const answer = (made: WriteInfo | 'failed'): void => {
        if (from === this) this.forwarder.answer(call.id, term, made);
        else world.queue.after(TAB_HOP_MS, () => from.hear(call.id, term, made));
      };
      // The page closed the partition meanwhile.
      if (this.isLeading && this.statusOf(channel) === undefined) {
        answer('failed');
        return;
      }
      const uid = world.nextUid();
      const op = repeated(call.op, uid);
      const info = newWrite({ uid, device: name, database: db.generation, channel, op, subject, sawPosition, sawEpoch });
      if (attempts.some(({ isLocal }) => isLocal)) world.ledger.count('forwarded writes made twice');
      attempts.push(info);
      world.ledger.addWrite(info);
      this.write(op, channel, info, answer);
    });
  }

  hear(call: number, term: number, made: WriteInfo | 'failed'): void {
    this.#whenAwake(() => this.forwarder.answer(call, term, made));
  }

  #whenAwake(run: () => void): void {
    if (this.#isDead) return;
    if (this.isFrozen) this.#deferred.push(() => this.#whenAwake(run));
    else run();
  }

  kill(): void {
    this.#isDead = true;
    this.#socket?.socket.break();
    this.#socket = undefined;
  }

  thaw(): void {
    if (this.#isDead) return;
    this.isFrozen = false;
    for (const run of this.#deferred.splice(0)) run();
  }

  breakSocket(): void {
    this.#socket?.socket.break();
  }

  halfOpenSocket(): void {
    this.#socket?.socket.halfOpen();
  }

  /** A write of the app on this device. */
  write(op: Op, channel: string, info: WriteInfo, settled: Settled = () => undefined): void {
    const request = this.#nextRequest++;
    this.#requests.set(request, { info, settled });
    this.event({ type: 'write', request, channel, op, schemaVersion: this.#device.schemaVersion });
  }

  event(event: ClientEvent): void {
    if (this.#isDead) return;
    if (this.isFrozen) {
      this.#deferred.push(() => this.event(event));
      return;
    }
    const { world } = this.#device;
    const now = { wallMs: this.#device.wallMs(), monotonicMs: world.monotonicMs() };
    for (const effect of this.#machine.step(event, now)) this.#perform(effect);
  }

  #after(delayMs: number, event: () => ClientEvent | undefined): void {
    this.#device.world.queue.after(delayMs, () => {
      if (this.#isDead) return;
      const run = (): void => {
        const next = event();
        if (next !== undefined) this.event(next);
      };
      if (this.isFrozen) this.#deferred.push(run);
      else run();
    });
  }

  #perform(effect: ClientEffect): void {
    const { world } = this.#device;
    switch (effect.type) {
      case 'persist':
        this.#batches.push({ ...effect, madeAtMs: world.wallMs() });
        this.#writeNext();
        return;
      case 'connect':
        this.#connect(effect.socket);
        return;
      case 'disconnect':
        this.#socket?.socket.break();
        this.#socket = undefined;
        return;
      case 'send':
        if (this.#socket?.id === effect.socket) this.#socket.socket.send(effect.message);
        return;
      case 'get-token':
        this.#after(world.random.between(5, 200), () => this.#token());
        return;
      case 'fetch':
        this.#fetch(effect.channel, effect.fetch, effect.offer, effect.clientIds);
        return;
      case 'stage':
        this.#staged.get(`${effect.channel} ${effect.fetch}`)?.apply(effect.frame);
        return;
      case 'drop-fetch':
        this.#staged.delete(`${effect.channel} ${effect.fetch}`);
        return;
      case 'timer':
        this.#after(effect.delayMs, () => ({ type: 'timer', timer: effect.timer }));
        return;
      case 'reopen':
        this.#device.reopen(this);
        return;
      default:
        this.#report(effect);
    }
  }

  #report(
    effect: Extract<
      ClientEffect,
      { type: 'local' | 'write-failed' | 'acked' | 'rejected' | 'restamped' | 'denied' | 'gone' | 'fresh' | 'status' }
    >,
  ): void {
    const { world } = this.#device;
    switch (effect.type) {
      case 'local': {
        const request = this.#requests.get(effect.request);
        this.#requests.delete(effect.request);
        if (request === undefined) return;
        request.info.isLocal = true;
        if (!request.info.isStored) world.ledger.fail('local-not-stored', `${this.name}: write ${request.info.uid}`);
        world.ledger.count('local writes');
        request.settled(request.info);
        return;
      }
      case 'write-failed': {
        const request = this.#requests.get(effect.request);
        this.#requests.delete(effect.request);
        world.ledger.count('failed writes');
        request?.settled('failed');
        return;
      }
      case 'acked': {
        const info = this.#byEntry.get(`${effect.channel} ${effect.id}`);
        if (info !== undefined) {
          info.isAcked = true;
          info.ackedEpoch = this.#db?.device.logEpoch ?? undefined;
        }
        world.ledger.count('acks');
        return;
      }
      case 'restamped':
        world.ledger.count('restamped writes', effect.ids.length);
        return;
      case 'status':
        world.trace(`${this.name} ${effect.role} ${effect.link}${effect.detail === undefined ? '' : ` ${effect.detail}`}`);
        return;
      case 'fresh':
        if (this.#db?.device.logEpoch === world.ledger.logEpoch) checkFresh(world.ledger, effect.channel, effect.time, effect.position);
        return;
      default:
        world.trace(`${this.name} ${effect.type} ${effect.channel}`);
    }
  }

  /* ---------- storage ---------- */
  #writeNext(): void {
    const batch = this.#batches[0];
    if (batch === undefined || this.#isWriting) return;
    this.#isWriting = true;
    const db = this.#db;
    this.#after(this.#device.world.random.between(1, 12), () => {
      if (this.#db !== db || this.#batches[0] !== batch) return undefined;
      this.#isWriting = false;
      this.#commit(batch);
      return undefined;
    });
  }

  #commit({ batch, term, writes, madeAtMs }: Batch): void {
    const { world } = this.#device;
    const db = this.#db!;
    const isFenced = db !== this.#device.db || (term < db.term && !world.ablations['no-term-fence']);
    const isRefused = world.fault('storage-abort', 0.003) || world.fault('storage-quota', 0.003);
    if (isFenced || isRefused) {
      // Those after it belong to the same term, unless the tab was elected anew while it stood still.
      this.#batches = this.#batches.filter((later) => later.term > term);
      world.ledger.count(isFenced ? 'fenced batches' : 'refused batches');
      this.event({ type: 'persist-failed', batch, reason: isFenced ? 'fenced' : 'storage' });
      this.#writeNext();
      return;
    }
    for (const write of writes) {
      if (write.type !== 'outbox' && write.type !== 'kept') continue;
      const info = world.ledger.infoOf(write.entry.op);
      if (info !== undefined && write.type === 'kept') info.keptAtMs = madeAtMs;
      else if (info !== undefined) this.#byEntry.set(`${write.entry.channel} ${write.entry.id}`, info);
    }
    const { changed, diverged } = db.commit(writes, this.#staged);
    this.#batches.shift();
    world.trace(`${this.name} batch ${batch}: ${writes.length} writes`);
    world.detail(() => `${this.name} ${writes.map(describe).join(', ')}`);
    this.#device.checkShown(changed);
    this.event({ type: 'persisted', batch });
    for (const channel of diverged) {
      world.ledger.count('divergences seen');
      this.event({ type: 'diverged', channel });
    }
    this.#writeNext();
  }

  /* ---------- network ---------- */
  #connect(id: number): void {
    const { world, cluster } = this.#device;
    if (this.#device.isOffline || world.fault('partition', 0.1)) {
      this.#after(world.random.between(50, 3_000), () => ({ type: 'socket-closed', socket: id }));
      return;
    }
    const ends = {
      toClient: (message: Extract<ClientEvent, { type: 'message' }>['message'], bytes: number) => {
        this.event({ type: 'message', socket: id, message, bytes });
      },
      clientClosed: () => this.event({ type: 'socket-closed', socket: id }),
    };
    this.#after(world.random.between(5, 60), () => {
      let server: ReturnType<typeof cluster.accept> | undefined;
      const socket = new Socket(world, `${this.name}#${id}`, {
        ...ends,
        toServer: (message) => server?.message(message),
        serverClosed: () => server?.closed(),
      });
      server = cluster.accept(socket);
      this.#socket?.socket.break();
      this.#socket = { id, socket };
      return { type: 'socket-open', socket: id };
    });
  }

  #token(): ClientEvent {
    const { world, subject } = this.#device;
    if (this.#device.tokenFails || world.fault('token-expiry', 0.1)) return { type: 'token-failed' };
    const lifeMs = world.swarm.faults.has('token-expiry') && world.hasFaults ? SHORT_TOKEN_MS : TOKEN_MS;
    // The first token names the device's subject; a later one may be somebody else's.
    const who = this.#db?.device.subject !== '' && world.fault('wrong-subject', 0.1) ? 'somebody-else' : subject;
    const expiry = this.#device.cluster.serverWallMs() + lifeMs;
    return { type: 'token', token: `${who}|${expiry}`, subject: who, expiresInMs: lifeMs };
  }

  #fetch(channel: string, fetch: number, offer: ManifestOffer | undefined, clientIds: readonly string[]): void {
    const { world, cluster } = this.#device;
    const universe = cluster.universe;
    this.#after(world.random.between(5, world.fault('object-error', 0.2) ? 8_000 : 150), () => {
      if (world.fault('object-error', 0.15)) return { type: 'fetch-failed', channel, fetch };
      if (world.fault('object-flip', 0.1)) {
        // The checksum of the chunk says so.
        const damage = new DbError('CHECKSUM_MISMATCH', `${channel}: a damaged segment`);
        world.trace(damage.message);
        return { type: 'fetch-failed', channel, fetch };
      }
      if (universe !== cluster.universe) return { type: 'fetch-failed', channel, fetch };
      const fold = offer === undefined ? new ModelFold(channel, world.ablations) : cluster.newestState(channel);
      if (offer !== undefined && fold.position < offer.upTo) return { type: 'fetch-failed', channel, fetch };
      this.#staged.set(`${channel} ${fetch}`, fold);
      const known = clientIds.map((clientId): KnownClient => {
        const lmid = fold.lmid(clientId);
        return { clientId, lmid: lmid?.seq ?? 0, position: lmid?.position ?? 0, rejected: lmid?.rejected ?? [] };
      });
      const maxHlc = world.ablations['manifest-without-hlc'] ? (0 as typeof fold.maxHlc) : fold.maxHlc;
      return { type: 'fetched', channel, fetch, snapshot: { position: fold.position, maxHlc, known } };
    });
  }
}
