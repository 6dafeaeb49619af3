import { type LogRecord, type SchemaDefinition, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import {
  type ChannelAnswer,
  type ClientMessage,
  type Grants,
  type LogEntryFrame,
  PROTOCOL_VERSION,
  type SessionEffect,
  SessionMachine,
  TOMBSTONE_HORIZON_MS,
} from '@terndb/sync';
import { Broker, lastOf } from './broker.ts';
import { checkManifest } from './checkers/shown.ts';
import { LeaderHost } from './leader-host.ts';
import { ModelFold } from './model-fold.ts';
import { FIRST_SCHEMA, resolveSchema } from './schemas.ts';
import type { Socket } from './socket.ts';
import type { World } from './world.ts';

/** Idle ids go earlier than in production, so that a run sees it. */
const SIM_EXPIRE_IDLE_MS = 45 * 24 * 3600_000;
const SERVER_CLOCK_ERROR_MS = 500;
const MAX_BACKUPS = 3;
/** Times to live that the schema gets: what a sleep ends, and what most runs do not see the end of. */
const TIMES_TO_LIVE_MS = [6 * 3600_000, 24 * 3600_000, 10 * 24 * 3600_000, undefined] as const;
/** Frames and ticks. */
const MAX_LOST_ENTRIES = 12;

export interface StoredManifest {
  readonly version: number;
  readonly fold: ModelFold;
}
interface Session {
  readonly machine: SessionMachine;
  readonly socket: Socket;
}
interface Backup {
  readonly broker: Broker;
  readonly manifests: ReadonlyMap<string, StoredManifest>;
}

/** The server side: access with its sessions, a leader per slot and sometimes one that does not know that it is none, broker, manifests. */
export class Cluster {
  readonly world: World;
  readonly channels: readonly string[];
  broker: Broker;
  manifests: Map<string, StoredManifest> = new Map();
  logEpoch = '';
  /** Counts restores: nothing of an older one acts on this one. */
  universe = 0;
  /** What the leaders have heard of the catalog. */
  schemaVersion = 1;
  /** What the catalog has. */
  schema: SchemaDefinition = FIRST_SCHEMA;
  /** Tokens let an app add fields. */
  grantsSchema = false;
  readonly revoked: Set<string> = new Set();
  /** Channels that were dropped. */
  readonly gone: Set<string> = new Set();
  #sessions = new Map<string, Session>();
  #nextSession = 1;
  #leaderEpoch = 0;
  #leaders: (LeaderHost | undefined)[];
  #zombies: (LeaderHost | undefined)[];
  #backups: Backup[] = [];
  readonly #clockErrorMs: number;

  constructor(world: World, channels: readonly string[]) {
    this.world = world;
    this.channels = channels;
    this.broker = new Broker(world.swarm.slots);
    this.#clockErrorMs = world.random.between(-SERVER_CLOCK_ERROR_MS, SERVER_CLOCK_ERROR_MS);
    this.#leaders = Array.from({ length: world.swarm.slots }, () => undefined);
    this.#zombies = [...this.#leaders];
    world.ledger.gone = this.gone;
    world.ledger.serverMs = () => this.serverWallMs();
    this.#newEpoch();
    if (world.swarm.faults.has('expiry')) this.alterTimeToLive();
    for (let slot = 0; slot < world.swarm.slots; slot++) this.#elect(slot);
  }

  #newEpoch(): void {
    this.universe += 1;
    this.logEpoch = `epoch-${this.universe}`;
    this.world.ledger.logEpoch = this.logEpoch;
  }

  serverWallMs(): number {
    return this.world.wallMs() + this.#clockErrorMs;
  }

  slotOf(channel: string): number {
    return this.channels.indexOf(channel) % this.world.swarm.slots;
  }

  channelsOf(slot: number): readonly string[] {
    return this.channels.filter((channel) => this.slotOf(channel) === slot);
  }

  append(slot: number, expected: number, entries: readonly LogEntryFrame[]): 'ok' | 'conflict' {
    const outcome = this.broker.append(slot, expected, entries);
    this.world.trace(`slot ${slot}: append ${entries.length} after ${expected}: ${outcome}`);
    if (outcome === 'ok') for (const entry of entries) if ('records' in entry) this.world.ledger.append(entry);
    if (outcome === 'conflict') this.world.ledger.count('append conflicts');
    return outcome;
  }

  /* ---------- access ---------- */
  accept(socket: Socket): { message: (message: ClientMessage) => void; closed: () => void } {
    const session = `s${this.#nextSession++}`;
    const isNewer = this.world.swarm.faults.has('newer-server');
    const machine = new SessionMachine({
      session,
      logEpoch: this.logEpoch,
      ...(isNewer ? { protocol: { oldest: 1, newest: PROTOCOL_VERSION + 1 } } : {}),
    });
    this.#sessions.set(session, { machine, socket });
    const event = (next: Parameters<SessionMachine['step']>[0]): void => {
      if (this.#sessions.get(session)?.machine === machine) this.#perform(session, machine.step(next, this.serverWallMs()));
    };
    return {
      message: (message) => event({ type: 'message', message }),
      closed: () => {
        event({ type: 'closed' });
        this.#sessions.delete(session);
      },
    };
  }

  #perform(session: string, effects: readonly SessionEffect[]): void {
    const { world } = this;
    const found = this.#sessions.get(session);
    if (found === undefined) return;
    const { machine, socket } = found;
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          socket.answer(effect.message);
          break;
        case 'close':
          // What was sent before is still to arrive.
          world.queue.after(200, () => socket.break());
          break;
        case 'verify': {
          const { verify, token } = effect;
          world.queue.after(world.random.between(0, 5), () => {
            this.#perform(session, machine.step({ type: 'verified', verify, grants: this.#grants(token) }, this.serverWallMs()));
          });
          break;
        }
        case 'timer':
          world.queue.after(effect.delayMs, () => this.#perform(session, machine.step({ type: 'timer' }, this.serverWallMs())));
          break;
        case 'end':
          this.#endSession(session);
          break;
        case 'route': {
          const { principal, message } = effect;
          const slot = this.slotOf(message.channel);
          const universe = this.universe;
          this.#hop(() => {
            if (universe !== this.universe) return;
            const zombie = this.#zombies[slot];
            const leader = zombie !== undefined && world.random.chance(0.3) ? zombie : this.#leaders[slot];
            if (message.type === 'credit' || message.type === 'unsubscribe') leader?.event({ ...message, session });
            else if (message.type === 'subscribe') leader?.event({ type: 'subscribe', principal, message });
            else leader?.event({ type: 'push', principal, message });
          });
          break;
        }
      }
    }
  }

  #endSession(session: string): void {
    this.#hop(() => {
      for (const leader of [...this.#leaders, ...this.#zombies]) leader?.event({ type: 'session-closed', session });
    });
  }

  /** token = subject|expiry */
  #grants(token: string): Grants | undefined {
    const [subject, expiry] = token.split('|') as [string, string];
    const granted = (channel: string): boolean => !this.revoked.has(`${subject} ${channel}`);
    return { subject, expiresAtMs: Number(expiry), canRead: () => true, canWrite: granted };
  }

  reply(session: string, message: ChannelAnswer): void {
    this.#hop(() => {
      const found = this.#sessions.get(session);
      if (found !== undefined) this.#perform(session, found.machine.step({ type: 'answer', message }, this.serverWallMs()));
      else this.#endSession(session);
    });
  }

  /** Between access and leader: messages may be late, twice, out of order, or lost. */
  #hop(deliver: () => void): void {
    const { world } = this;
    const { random } = world;
    if (world.fault('hop-loss', 0.015)) {
      world.ledger.count('hop losses');
      return;
    }
    const delay = (): number => (world.fault('hop-delay', 0.08) ? random.between(1, 4_000) : 1);
    world.queue.after(delay(), deliver);
    if (world.fault('hop-doubling', 0.03)) world.queue.after(delay() + 1, deliver);
  }

  drain(): void {
    for (const [session, { machine }] of this.#sessions) {
      this.#perform(session, machine.step({ type: 'drain', retryMs: 1_000 }, this.serverWallMs()));
    }
  }

  /* ---------- leaders ---------- */
  #elect(slot: number): void {
    this.#leaderEpoch += 1;
    this.#leaders[slot] = new LeaderHost(this, slot, this.#leaderEpoch);
    this.world.trace(`slot ${slot}: leader ${this.#leaderEpoch}`);
  }

  leaderGone(leader: LeaderHost): void {
    const { slot } = leader;
    if (this.#zombies[slot] === leader) this.#zombies[slot] = undefined;
    if (this.#leaders[slot] !== leader) return;
    this.#leaders[slot] = undefined;
    const universe = this.universe;
    this.world.queue.after(100, () => {
      if (universe === this.universe && this.#leaders[slot] === undefined) this.#elect(slot);
    });
  }

  /** The lease is lost; the old leader may not have noticed. */
  failOver(slot: number): void {
    const old = this.#leaders[slot];
    this.#zombies[slot]?.kill();
    this.#zombies[slot] = undefined;
    if (old !== undefined && this.world.random.chance(0.6)) {
      this.#zombies[slot] = old;
      const lifeMs = this.world.random.between(500, 8_000);
      this.world.queue.after(lifeMs, () => {
        if (this.#zombies[slot] === old) this.#zombies[slot] = undefined;
        old.kill();
      });
    } else {
      old?.kill();
    }
    this.world.ledger.count('fail-overs');
    this.#elect(slot);
  }

  /** kill -9 of the whole server. */
  crash(): void {
    this.world.ledger.count('server crashes');
    this.world.trace('server crash');
    for (const leader of [...this.#leaders, ...this.#zombies]) leader?.kill();
    this.#zombies = this.#zombies.map(() => undefined);
    for (const { socket } of this.#sessions.values()) socket.break();
    this.#sessions = new Map();
    for (let slot = 0; slot < this.#leaders.length; slot++) this.#elect(slot);
  }

  /* ---------- maintenance ---------- */
  maintain(channel: string): void {
    const leader = this.#leaders[this.slotOf(channel)];
    if (leader === undefined || !leader.isServing) return;
    const fold = leader.folds.get(channel);
    const records: LogRecord[] = [];
    const wallMs = Math.floor(this.serverWallMs());
    const floor = ((wallMs - TOMBSTONE_HORIZON_MS) * TICKS_PER_MS) as Timestamp;
    const hasOld = [...fold.docs.values()].some((doc) => doc.delete !== undefined && doc.delete.hlc < floor);
    if (this.world.swarm.faults.has('gc') && hasOld) {
      if (this.world.ablations['gc-in-manifest-only']) {
        this.#publish(channel, fold, floor);
        fold.floor = floor;
        return;
      }
      records.push({ type: 'gc', floor });
      this.world.ledger.count('tombstone collections');
    }
    const expiredBefore = this.world.expiryCutoff(wallMs);
    const expired = fold.expiredAt(expiredBefore).length;
    if (expired > 0) {
      records.push({ type: 'gc', floor: fold.floor, expiredBefore });
      this.world.ledger.count('expiry records');
      this.world.ledger.count('expired rows', expired);
    }
    if (this.world.swarm.faults.has('expire')) {
      for (const [clientId, { lastHlc }] of fold.lmids) {
        if (wallMs - lastHlc / TICKS_PER_MS <= SIM_EXPIRE_IDLE_MS) continue;
        records.push({ type: 'expire', clientId });
        this.world.ledger.count('expired ids');
      }
    }
    if (records.length > 0) leader.event({ type: 'maintain', channel, records });
  }

  /* ---------- the catalog ---------- */
  alterTimeToLive(): void {
    this.world.ttlMs = this.world.random.pick(TIMES_TO_LIVE_MS);
    this.world.trace(`time to live: ${this.world.ttlMs ?? 'none'}`);
  }

  /** What the servers have then; undefined: it does not fit. */
  agreeOnSchema(app: SchemaDefinition): SchemaDefinition | undefined {
    const answer = resolveSchema(this.schema, app, this.grantsSchema);
    if (typeof answer === 'string') return undefined;
    this.schema = answer;
    return answer;
  }

  /* ---------- requests of the server itself ---------- */
  /** Where a request goes; undefined while nobody is believed to lead. */
  leaderFor(channel: string): LeaderHost | undefined {
    const slot = this.slotOf(channel);
    const zombie = this.#zombies[slot];
    return zombie !== undefined && this.world.random.chance(0.3) ? zombie : this.#leaders[slot];
  }

  seal(channel: string): void {
    const leader = this.#leaders[this.slotOf(channel)];
    if (leader?.isServing) this.#publish(channel, leader.folds.get(channel));
  }

  #publish(channel: string, fold: ModelFold, floor?: Timestamp): void {
    const { world } = this;
    if (world.fault('object-error', 0.3)) return;
    const copy = fold.clone();
    if (floor !== undefined) copy.forget(floor);
    const universe = this.universe;
    world.queue.after(world.random.between(5, 500), () => {
      const before = this.manifests.get(channel);
      if (universe !== this.universe || (before !== undefined && before.fold.position >= copy.position)) return;
      this.manifests.set(channel, { version: (before?.version ?? 0) + 1, fold: copy });
      checkManifest(world.ledger, copy);
      if (world.random.chance(0.6)) this.broker.firstPosition.set(channel, copy.position + 1);
      world.ledger.count('manifests');
      world.trace(`${channel}: manifest up to ${copy.position}`);
      for (const leader of [...this.#leaders, ...this.#zombies]) leader?.manifestChanged(channel);
    });
  }

  backUp(): void {
    this.#backups.push({ broker: this.broker.backup(), manifests: new Map(this.manifests) });
    if (this.#backups.length > MAX_BACKUPS) this.#backups.shift();
  }

  restore(): void {
    const backup = this.#backups.length === 0 ? undefined : this.world.random.pick(this.#backups);
    if (backup === undefined) return;
    this.world.ledger.count('restores');
    this.#newEpoch();
    this.world.trace(`restore into ${this.logEpoch}`);
    this.broker = backup.broker.backup();
    this.manifests = new Map(backup.manifests);
    this.world.ledger.restore((channel) => this.broker.frames(channel));
    this.crash();
  }

  /** A slot's log loses its end and keeps its epoch. What is sealed is not lost: the log is at least as long as its manifests say. */
  loseTail(slot: number): void {
    const { random, ledger } = this.world;
    const { entries } = this.broker.slots[slot]!;
    const isSealed = (entry: LogEntryFrame): boolean =>
      'records' in entry && lastOf(entry) <= (this.manifests.get(entry.channel)?.fold.position ?? 0);
    const sealed = entries.findLastIndex(isSealed) + 1;
    const length = Math.max(sealed, entries.length - 1 - random.int(MAX_LOST_ENTRIES));
    if (length >= entries.length) return;
    ledger.count('lost tails');
    this.world.trace(`slot ${slot}: its log ends at ${length} of ${entries.length}`);
    // Nothing on its way belongs to this log any more.
    this.universe += 1;
    this.broker.cut(slot, length);
    ledger.loseTail(this.channelsOf(slot), (channel) => this.broker.frames(channel));
    this.crash();
  }

  /** The app drops a partition. */
  dropChannel(channel: string): void {
    if (this.gone.has(channel)) return;
    this.gone.add(channel);
    this.world.ledger.count('dropped channels');
    this.world.trace(`${channel} dropped`);
    const slot = this.slotOf(channel);
    for (const leader of [this.#leaders[slot], this.#zombies[slot]]) leader?.event({ type: 'gone', channel });
  }

  /** The end of all faults: one leader per slot, and everything granted. */
  heal(): void {
    for (const zombie of this.#zombies) zombie?.kill();
    this.#zombies = this.#zombies.map(() => undefined);
    this.revoked.clear();
    this.grantsSchema = true;
  }

  /** What a new device starts from. */
  newestState(channel: string): ModelFold {
    return this.manifests.get(channel)?.fold.clone() ?? new ModelFold(channel, this.world.ablations);
  }
}
