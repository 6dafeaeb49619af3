import { type Clock, type CollectionDefinition, type Frame, type SchemaDefinition, utf8Encode } from '@terndb/core';
import { emptyReplica, type Replica } from '@terndb/engine/parts';
import { type Kernel, loadKernel } from '@terndb/kernel';
import {
  type ChannelFold,
  type ClientMessage,
  decodeMessage,
  encodeMessage,
  type Hint,
  type LeaderEffect,
  type LeaderEvent,
  LeaderMachine,
  type LogEntryFrame,
  type Presence,
  type ResolveAnswer,
  type ResolveRequest,
  type ServerMessage,
  type SessionEffect,
  type SessionEvent,
  SessionMachine,
} from '@terndb/sync';
import type { HttpAnswer, HttpRequest, Network, SocketEvents, SyncSocket } from '../network.ts';

interface Line {
  readonly session: string;
  readonly events: SocketEvents;
  readonly machine: SessionMachine;
  /** Channel → its newest subscription. */
  readonly subscriptions: Map<string, number>;
  isOpen: boolean;
}

/** A server in this process: the real session and leader machines over a log in memory. What the network does is the test's to say. */
export class MemoryServer implements Network {
  /** Without it nothing gets through, and what is open breaks. */
  isUp = true;
  logEpoch = 'epoch-1';
  /** Answers of `resolve`; undefined fields are made up. */
  schema: SchemaDefinition;
  /** Status and body that the next resolves get instead. */
  refusal: { readonly status: number; readonly code: string } | undefined;
  /** Resolves are answered after this. */
  gate: Promise<void> | undefined;
  canWrite = true;
  /** Without it pushes are denied as by a quota. */
  hasRoom = true;
  subjectOf: (token: string) => string | undefined = (token) => JSON.parse(atob(token.split('.')[1]!)).sub;
  /** Requests other than resolve; undefined: 404. */
  onRead: ((what: string, body: any) => unknown) | undefined;
  validate: (channel: string) => string | undefined = () => undefined;
  resolves = 0;
  readonly frames: Map<string, Frame[]> = new Map();
  readonly #clock: Clock;
  readonly #kernel: Kernel;
  readonly #folds = new Map<string, Replica>();
  readonly #log: LogEntryFrame[] = [];
  readonly #lines = new Map<string, Line>();
  #leader!: LeaderMachine;
  #nextSession = 1;
  #leaderEpoch = 2;

  private constructor(clock: Clock, kernel: Kernel, schema: SchemaDefinition) {
    this.#clock = clock;
    this.#kernel = kernel;
    this.schema = schema;
  }

  static async start(clock: Clock, schema: SchemaDefinition): Promise<MemoryServer> {
    const server = new MemoryServer(clock, await loadKernel({}), schema);
    server.#startLeader();
    return server;
  }

  /** Rows of a channel, by key. */
  rows(channel: string): Record<string, Record<string, unknown>> {
    const view = this.#fold(channel).view();
    const rows: Record<string, Record<string, unknown>> = {};
    for (const block of view.blocks) {
      for (let offset = 0; offset < block.rows; offset++) {
        if (((block.live[offset >>> 5]! >>> (offset & 31)) & 1) === 0) continue;
        const names = view.definition.fields.map(({ name }) => name);
        rows[String(block.keyAt(offset))] = Object.fromEntries(names.map((name) => [name, block.valueAt(name, offset)]));
      }
    }
    view.release();
    return rows;
  }

  /** The schema is another one, and who follows hears of it. */
  alter(schema: SchemaDefinition): void {
    this.schema = schema;
    for (const line of this.#lines.values()) for (const channel of line.subscriptions.keys()) this.#sayVersion(line, channel);
  }

  /** The connection of everybody is cut. */
  cut(): void {
    for (const line of [...this.#lines.values()]) this.#close(line);
  }

  /** As from a copy: the same data in another universe (R14). */
  restore(): void {
    this.logEpoch = `${this.logEpoch}'`;
    this.cut();
    this.#startLeader();
  }

  openSocket(_url: string, events: SocketEvents): SyncSocket {
    const session = `s${this.#nextSession++}`;
    const line: Line = {
      session,
      events,
      machine: new SessionMachine({ session, logEpoch: this.logEpoch }),
      subscriptions: new Map(),
      isOpen: true,
    };
    this.#clock.after(1, () => {
      if (!line.isOpen) return;
      if (!this.isUp) return this.#close(line);
      this.#lines.set(session, line);
      events.onOpen();
    });
    return {
      send: (bytes) => {
        const message = decodeMessage(bytes)!;
        this.#clock.after(1, () => {
          if (!line.isOpen) return;
          if (message.type === 'presence') this.#present(line, message);
          else if (message.type === 'hint') this.#hint(line, message);
          else this.#session(line, { type: 'message', message: message as ClientMessage });
        });
      },
      close: () => {
        if (!line.isOpen) return;
        line.isOpen = false;
        this.#lines.delete(session);
        this.#leaderEvent({ type: 'session-closed', session });
      },
    };
  }

  request(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      request.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      this.#answer(request).then(resolve, reject);
    });
  }

  async #answer({ url, headers, body }: HttpRequest): Promise<HttpAnswer> {
    await new Promise<void>((resolve) => this.#clock.after(1, resolve));
    if (!this.isUp) throw new TypeError('network');
    const answer = (status: number, value: unknown): HttpAnswer => ({ status, bytes: async () => utf8Encode(JSON.stringify(value)) });
    const what = url.split('/v1/')[1] ?? '';
    if (this.subjectOf(headers!['authorization']!.slice('Bearer '.length)) === undefined)
      return answer(401, { code: 'AUTH_REQUIRED', message: 'no' });
    if (what === 'resolve') {
      this.resolves += 1;
      await this.gate;
      if (this.refusal !== undefined) return answer(this.refusal.status, { code: this.refusal.code, message: 'refused', details: {} });
      return answer(200, this.#resolve(JSON.parse(body!)));
    }
    const read = this.onRead?.(what, JSON.parse(body!));
    return read === undefined ? answer(404, {}) : answer(200, await (read as Promise<unknown>));
  }

  channelOf(collection: string, partition: string): string {
    return `c${collection}/p${partition}/0`;
  }

  #resolve({ collections, partitions }: ResolveRequest): ResolveAnswer {
    const known = collections.flatMap(({ name, definition: given }) => {
      const definition = this.schema.collections[name] ?? given;
      return definition === undefined ? [] : [{ name, collectionId: `c${name}`, schemaVersion: this.schema.version, definition }];
    });
    const channels = known.flatMap(({ name }) =>
      partitions.map((partition) => ({ collection: name, partition, channel: this.channelOf(name, partition), access: 'write' as const })),
    );
    return { logEpoch: this.logEpoch, collections: known, channels, denied: [] };
  }

  /** As the real server's room, without its bounds. */
  #present(line: Line, { channel, topic, peer, state }: Presence): void {
    const bytes = encodeMessage({ type: 'present', channel, topic, peer, subject: 'somebody', state });
    for (const other of this.#lines.values()) if (other !== line) this.#clock.after(1, () => other.isOpen && other.events.onMessage(bytes));
  }

  /** To everybody: who has not joined does not show it. */
  #hint(line: Line, { channel, topic, what, update }: Hint): void {
    if (what !== 'update') return;
    const bytes = encodeMessage({ type: 'hinted', channel, topic, update });
    for (const other of this.#lines.values()) if (other !== line) this.#clock.after(1, () => other.isOpen && other.events.onMessage(bytes));
  }

  /* ---------- session ---------- */
  #session(line: Line, event: SessionEvent): void {
    for (const effect of line.machine.step(event, this.#clock.nowMs())) this.#sessionEffect(line, effect);
  }

  #sessionEffect(line: Line, effect: SessionEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(line, effect.message);
        return;
      case 'close':
        this.#clock.after(2, () => this.#close(line));
        return;
      case 'verify': {
        const subject = this.subjectOf(effect.token);
        const grants =
          subject === undefined
            ? undefined
            : { subject, expiresAtMs: this.#clock.nowMs() + 3_600_000, canRead: () => true, canWrite: () => this.canWrite };
        this.#session(line, { type: 'verified', verify: effect.verify, grants } as SessionEvent);
        return;
      }
      case 'route':
        if (effect.message.type === 'push' && !this.hasRoom) {
          const { channel, subscription } = effect.message;
          this.#session(line, { type: 'answer', message: { type: 'denied', channel, subscription, access: 'quota' } });
          return;
        }
        if (effect.message.type === 'subscribe') {
          line.subscriptions.set(effect.message.channel, effect.message.subscription);
          this.#sayVersion(line, effect.message.channel);
        }
        this.#leaderEvent({
          ...effect.message,
          type: effect.message.type,
          principal: effect.principal,
          message: effect.message,
          session: line.session,
        } as never);
        return;
      case 'end':
        this.#leaderEvent({ type: 'session-closed', session: line.session });
        return;
      case 'timer':
        return;
    }
  }

  #sayVersion(line: Line, channel: string): void {
    const subscription = line.subscriptions.get(channel)!;
    this.#session(line, { type: 'answer', message: { type: 'altered', channel, subscription, schemaVersion: this.schema.version } });
  }

  #send(line: Line, message: ServerMessage): void {
    const bytes = encodeMessage(message);
    this.#clock.after(1, () => line.isOpen && line.events.onMessage(bytes));
  }

  #close(line: Line): void {
    if (!line.isOpen) return;
    line.isOpen = false;
    this.#lines.delete(line.session);
    this.#leaderEvent({ type: 'session-closed', session: line.session });
    line.events.onClose();
  }

  /* ---------- leader ---------- */
  #startLeader(): void {
    const fold = (channel: string): ChannelFold => this.#foldOf(channel);
    const folds = { get: fold, apply: (frame: Frame) => void this.#fold(frame.channel).applyFrame(frame) };
    this.#leader = new LeaderMachine({
      logEpoch: this.logEpoch,
      leaderEpoch: this.#leaderEpoch++,
      folds,
      validate: (channel) => this.validate(channel),
    });
    for (const effect of this.#leader.start()) this.#leaderEffect(effect);
  }

  #leaderEvent(event: LeaderEvent): void {
    for (const effect of this.#leader.step(event, this.#clock.nowMs())) this.#leaderEffect(effect);
  }

  #leaderEffect(effect: LeaderEffect): void {
    const later = (event: LeaderEvent): void => void this.#clock.after(1, () => this.#leaderEvent(event));
    switch (effect.type) {
      case 'replay':
        later({ type: 'replayed', lastSequence: this.#log.length, newestEpoch: this.#leaderEpoch - 2 } as never);
        return;
      case 'append':
        this.#log.push(...effect.entries);
        for (const entry of effect.entries)
          if ('records' in entry) this.frames.set(entry.channel, [...(this.frames.get(entry.channel) ?? []), entry]);
        later({ type: 'appended', append: effect.append, outcome: 'ok' });
        return;
      case 'reply': {
        const line = this.#lines.get(effect.session);
        if (line !== undefined) this.#session(line, { type: 'answer', message: effect.message });
        return;
      }
      case 'read': {
        const { session, channel, subscription, from } = effect;
        const frames = (this.frames.get(channel) ?? []).filter(({ base, records }) => base + records.length > from);
        later({ type: 'read', session, channel, subscription, frames: frames.map((frame) => ({ frame, bytes: 100 })) });
        return;
      }
      case 'timer':
        this.#clock.after(effect.delayMs, () => this.#leaderEvent({ type: 'timer', timer: effect.timer }));
        return;
      default:
        return;
    }
  }

  #fold(channel: string): Replica {
    let fold = this.#folds.get(channel);
    if (fold === undefined) {
      const definition = this.schema.collections[channel.slice(1, channel.indexOf('/'))] as CollectionDefinition;
      fold = emptyReplica({ channel, logEpoch: null, definition, kernel: this.#kernel });
      this.#folds.set(channel, fold);
    }
    return fold;
  }

  #foldOf(channel: string): ChannelFold {
    const replica = this.#fold(channel);
    return {
      get position() {
        return replica.position;
      },
      get hash() {
        return replica.hash;
      },
      get floor() {
        return replica.floor;
      },
      get maxHlc() {
        return replica.maxHlc;
      },
      lmid: (clientId) => {
        const entry = replica.lmids.get(clientId);
        return entry && { seq: entry.lmid, position: entry.position, author: entry.author, rejected: entry.rejected };
      },
      entity: (pk) => {
        const place = replica.entities.find(pk);
        return place === undefined ? replica.entities.tombstones.get(pk) : { put: place.block.source.stampsAt(place.offset).put };
      },
    };
  }
}

/** A JSON Web Token that nobody signed. */
export function tokenOf(subject: string): string {
  return `x.${btoa(JSON.stringify({ sub: subject }))}.x`;
}
