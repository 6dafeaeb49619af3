import { type Clock, DbError } from '@terndb/core';
import {
  type ClientMessage,
  decodeMessage,
  type Hint,
  type Hinted,
  type Presence,
  type Present,
  type ServerMessage,
  type SessionEffect,
  type SessionEvent,
  SessionMachine,
} from '@terndb/sync';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import type { Config } from '../../config/config.ts';
import type { NodeSession, ServerNode } from '../../node/types.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { type AccessPrincipal, canRead, canWrite } from '../auth/principal.ts';
import type { AccessMetrics } from '../metrics.ts';
import { type BootstrapSource, withBootstrap } from './bootstrap.ts';
import type { HintListener, HintRoom } from './hint-room.ts';
import type { Guest, PresenceRoom } from './presence.ts';
import { encodeShared } from './shared-frames.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConnectionServices {
  readonly node: ServerNode;
  readonly authenticator: Authenticator;
  readonly bootstrap: BootstrapSource;
  readonly metrics: AccessMetrics;
  readonly clock: Clock;
  readonly presence: PresenceRoom;
  readonly hints: HintRoom;
  readonly limits: Config['limits'];
}

/** Who has not said hello by then does not speak our language. */
const HELLO_TIMEOUT_MS = 10_000;
/** A client pings every 15 s. Without a byte for this long the socket is half-open. */
const SILENCE_MS = 35_000;
/** Bytes wait and none leaves: the other end does not read. */
const STALL_MS = 30_000;
/** Above this nothing more is read from the socket: its requests would make us send more. */
const PAUSE_BYTES: number = 1024 * 1024;
/** A peer that does not answer our close has no more time than this. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Timers hold 31 bits; a longer one is asked again. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Close codes of RFC 6455. */
const CODES = { normal: 1000, goingAway: 1001, protocol: 1002, unsupported: 1003, tryAgain: 1013 } as const;
type CloseReason = 'ended' | 'drain' | 'protocol' | 'text' | 'slow' | 'silent' | 'no-hello' | 'overloaded' | 'unavailable';
const CODE_OF: Readonly<Record<CloseReason, number>> = {
  ended: CODES.normal,
  drain: CODES.goingAway,
  protocol: CODES.protocol,
  text: CODES.unsupported,
  slow: CODES.tryAgain,
  silent: CODES.tryAgain,
  'no-hello': CODES.protocol,
  overloaded: CODES.tryAgain,
  unavailable: CODES.tryAgain,
};

/** One sync socket: hosts a SessionMachine, and holds its peer to what is agreed. */
export class SyncConnection {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #services: ConnectionServices;
  readonly #log: FastifyBaseLogger;
  readonly #machine: SessionMachine;
  readonly #session: NodeSession;
  readonly #bucket: TokenBucket;
  readonly #channels = new Set<string>();
  readonly #readable = new Map<string, boolean>();
  /** Of the grants that `#readable` is from. */
  #grantsVersion: number | undefined;
  #principal: AccessPrincipal | undefined;
  #guest: (Guest & HintListener) | undefined;
  /** What waits behind a manifest that is being read, in order. */
  #outgoing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  readonly #startedAtMs: number;
  #heardAtMs: number;
  #sentAtMs: number;
  #paused = 0;
  #saidHello = false;
  #isClosing = false;
  #isOver = false;

  constructor(id: string, socket: WebSocket, services: ConnectionServices, log: FastifyBaseLogger) {
    const { node, clock, limits, metrics } = services;
    this.id = id;
    this.#socket = socket;
    this.#services = services;
    this.#log = log;
    this.#machine = new SessionMachine({ session: id, logEpoch: node.logEpoch });
    this.#session = node.openSession(id, (message) => this.#step({ type: 'answer', message }));
    this.#bucket = new TokenBucket(limits.messagesPerSecond, clock.monotonicMs());
    this.#startedAtMs = clock.monotonicMs();
    this.#heardAtMs = this.#startedAtMs;
    this.#sentAtMs = this.#heardAtMs;
    metrics.sockets.inc();
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('ping', () => this.#heard());
    socket.on('pong', () => this.#heard());
    // Whoever handed it over listened with what it knew of the request, all of it: nothing of that is needed any more.
    socket.removeAllListeners('error');
    // Too large a message, a bad frame: `ws` has closed it already, and says so here.
    socket.on('error', (error) => this.#log.info({ session: id, reason: error.message }, 'sync socket failed'));
    socket.on('close', () => this.#over());
  }

  /** Asks the client to leave and to come back after `retryMs`. */
  goaway(retryMs: number): void {
    this.#step({ type: 'drain', retryMs });
  }

  close(reason: CloseReason): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#services.metrics.closes.inc({ reason });
    this.#log.info({ session: this.id, reason }, 'sync socket closed');
    this.#socket.close(CODE_OF[reason], reason);
    // Nothing more is asked of a peer that does not read.
    if (this.#paused > 0) this.#socket.resume();
    this.#services.clock.after(CLOSE_TIMEOUT_MS, () => this.#socket.terminate());
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #heard(): void {
    this.#heardAtMs = this.#services.clock.monotonicMs();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#isClosing) return;
    const { metrics, clock } = this.#services;
    this.#heard();
    metrics.messages.inc({ direction: 'in' });
    metrics.bytes.inc({ direction: 'in', door: 'sync' }, data.length);
    const waitMs = this.#bucket.take(clock.monotonicMs());
    if (waitMs > 0) this.#pause((resume) => clock.after(waitMs, resume));
    const refusal = isBinary ? this.#take(data) : 'text';
    if (refusal !== undefined) this.close(refusal);
  }

  /** @returns why the socket has to end. */
  #take(data: Buffer): CloseReason | undefined {
    let message: ReturnType<typeof decodeMessage>;
    try {
      message = decodeMessage(data);
    } catch (error) {
      this.#log.info({ session: this.id, code: DbError.from(error).code }, 'sync message refused');
      return 'protocol';
    }
    // Of a newer client, and not needed.
    if (message === undefined) return undefined;
    if (message.type === 'presence' || message.type === 'hint') {
      this.#beside(message);
      return undefined;
    }
    if (!isFromClient(message)) return 'protocol';
    if (message.type === 'hello') this.#saidHello = true;
    if (message.type === 'subscribe' && !this.#mayFollow(message.channel)) {
      this.#send({ type: 'refused', code: 'overloaded' });
      return 'overloaded';
    }
    if (message.type === 'unsubscribe') this.#channels.delete(message.channel);
    this.#step({ type: 'message', message });
    return undefined;
  }

  /** Beside the machine: it may be dropped. Who may read the channel may be seen in it; only who may write it has something to hint. */
  #beside(message: Presence | Hint): void {
    const { presence, hints, node, clock } = this.#services;
    const principal = this.#principal;
    if (principal === undefined || principal.expiresAtMs <= clock.nowMs()) return;
    const place = node.catalog.placeOf(message.channel);
    if (place === undefined || !this.#canRead(message.channel)) return;
    this.#guest ??= { tell: (news) => this.#tell(news) };
    if (message.type === 'presence') presence.say(this.#guest, principal.subject, message);
    else if (message.what !== 'update' || canWrite(principal, place)) hints.say(this.#guest, message);
  }

  /** Not to a peer that reads slowly, nor to one that may not read this any more. */
  #tell(news: Present | Hinted): void {
    if (this.#socket.bufferedAmount < PAUSE_BYTES && this.#canRead(news.channel)) this.#send(news);
  }

  #mayFollow(channel: string): boolean {
    this.#channels.add(channel);
    return this.#channels.size <= this.#services.limits.subscriptions;
  }

  #step(event: SessionEvent): void {
    for (const effect of this.#machine.step(event, this.#services.clock.nowMs())) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    switch (effect.type) {
      case 'send':
        this.#enqueue(effect.message);
        break;
      case 'close':
        if (this.#outgoing === undefined) this.close('ended');
        else void this.#outgoing.then(() => this.close('ended'));
        break;
      case 'verify':
        void this.#verify(effect.verify, effect.token);
        break;
      case 'route':
        this.#session.route(effect.principal, effect.message);
        break;
      case 'end':
        this.#session.close();
        break;
      case 'timer':
        this.#cancelTimer?.();
        this.#cancelTimer = this.#services.clock.after(Math.min(effect.delayMs, MAX_TIMER_MS), () => this.#step({ type: 'timer' }));
        break;
    }
  }

  async #verify(verify: number, token: string): Promise<void> {
    const { authenticator, node } = this.#services;
    try {
      const principal = await authenticator.authenticate(token);
      this.#principal = principal;
      this.#readable.clear();
      const grants = {
        subject: principal.subject,
        expiresAtMs: principal.expiresAtMs,
        canRead: (channel: string) => this.#canRead(channel),
        canWrite: (channel: string) => {
          const place = node.catalog.placeOf(channel);
          return place !== undefined && canWrite(principal, place);
        },
      };
      this.#step({ type: 'verified', verify, grants });
    } catch (thrown) {
      const error = DbError.from(thrown);
      this.#log.info({ session: this.id, code: error.code, reason: error.details['reason'] }, 'sync token refused');
      // A key set that cannot be read says nothing about the token.
      if (error.code === 'AUTH_REQUIRED') this.#step({ type: 'verified', verify, grants: undefined });
      else this.close('unavailable');
    }
  }

  /** A channel that does not exist is the leader's to answer: there is nothing of it to read. */
  #canRead(channel: string): boolean {
    const version = this.#principal?.version;
    if (version !== this.#grantsVersion) this.#readable.clear();
    this.#grantsVersion = version;
    const known = this.#readable.get(channel);
    if (known !== undefined) return known;
    const place = this.#services.node.catalog.placeOf(channel);
    const isReadable = this.#principal !== undefined && (place === undefined || canRead(this.#principal, place));
    if (place !== undefined) this.#readable.set(channel, isReadable);
    return isReadable;
  }

  /** In order. A renewed token may grant less than the one that a subscription began with. */
  #enqueue(message: ServerMessage): void {
    const granted = this.#ifGranted(message);
    const isOffer = granted.type === 'subscribed' && granted.manifest !== undefined;
    if (!isOffer && this.#outgoing === undefined) {
      this.#send(granted);
      return;
    }
    const work = (this.#outgoing ?? Promise.resolve()).then(() => this.#sendPrepared(granted));
    this.#outgoing = work;
    void work.then(() => {
      if (this.#outgoing === work) this.#outgoing = undefined;
    });
  }

  #ifGranted(message: ServerMessage): ServerMessage {
    if (!('channel' in message) || message.type === 'denied' || message.type === 'gone' || this.#canRead(message.channel)) return message;
    const { channel, subscription } = message;
    return { type: 'denied', channel, subscription, access: 'read' };
  }

  async #sendPrepared(message: ServerMessage): Promise<void> {
    try {
      this.#send(message.type === 'subscribed' ? await withBootstrap(this.#services.bootstrap, message) : message);
    } catch (thrown) {
      this.#log.error({ session: this.id, err: DbError.from(thrown) }, 'bootstrap could not be offered');
      this.close('unavailable');
    }
  }

  #send(message: ServerMessage | Present | Hinted): void {
    if (this.#isClosing || this.#isOver) return;
    const { metrics, limits } = this.#services;
    const bytes = encodeShared(message);
    metrics.messages.inc({ direction: 'out' });
    metrics.bytes.inc({ direction: 'out', door: 'sync' }, bytes.length);
    this.#socket.send(bytes, () => {
      this.#sentAtMs = this.#services.clock.monotonicMs();
    });
    const waiting = this.#socket.bufferedAmount;
    if (waiting > limits.bufferedBytes) this.close('slow');
    else if (waiting > PAUSE_BYTES && this.#paused === 0) this.#pause((resume) => this.#onceDrained(resume));
  }

  /** Stops reading until every cause is gone. */
  #pause(until: (resume: () => void) => void): void {
    this.#paused += 1;
    this.#socket.pause();
    until(() => {
      this.#paused -= 1;
      if (this.#paused > 0 || this.#isOver) return;
      this.#heard();
      this.#socket.resume();
    });
  }

  #onceDrained(resume: () => void): void {
    const look = (): void => {
      if (this.#isOver || this.#socket.bufferedAmount < PAUSE_BYTES / 2) resume();
      else this.#services.clock.after(50, look);
    };
    this.#services.clock.after(50, look);
  }

  /** Ends what is half-open, mute or stuck. To be called now and then. */
  check(nowMs: number): void {
    if (!this.#saidHello && nowMs - this.#startedAtMs >= HELLO_TIMEOUT_MS) this.close('no-hello');
    else if (this.#socket.bufferedAmount > 0 && nowMs - this.#sentAtMs >= STALL_MS) this.close('slow');
    else if (this.#paused === 0 && nowMs - this.#heardAtMs >= SILENCE_MS) this.close('silent');
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isClosing = true;
    this.#cancelTimer?.();
    this.#services.metrics.sockets.dec();
    if (this.#guest !== undefined) {
      this.#services.presence.leave(this.#guest);
      this.#services.hints.end(this.#guest);
    }
    this.#step({ type: 'closed' });
    this.#session.close();
  }
}

/** Every type of a client, held to the protocol by the compiler. */
const CLIENT_TYPES: Readonly<Record<ClientMessage['type'], true>> = {
  hello: true,
  subscribe: true,
  unsubscribe: true,
  push: true,
  credit: true,
  auth: true,
  ping: true,
};

function isFromClient(message: { readonly type: string }): message is ClientMessage {
  return Object.hasOwn(CLIENT_TYPES, message.type);
}
