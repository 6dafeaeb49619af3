import { assert } from '@terndb/core';
import { ANSWER_TIMEOUT_MS, PING_MS, PRUNE_MS, SILENCE_MS, STABLE_MS, WATCHDOG_MS } from '../limits.ts';
import {
  type ChannelAnswer,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type RefusalCode,
  type ServerMessage,
  type Welcome,
} from '../protocol.ts';
import { reconnectDelay } from './backoff.ts';
import { type ChannelEvent, channelEvent, retryDenied, watchChannel } from './channel-events.ts';
import { ChannelSet } from './channel-set.ts';
import type { ChannelState } from './channel-state.ts';
import { type ClientContext, follow, newIdentity, setDevice } from './context.ts';
import type { DurableState } from './durable.ts';
import { addWrite, pruneKept } from './outbox.ts';
import { pump, sendAgain } from './pushing.ts';
import { CommitLog, Step } from './step.ts';
import { isCaughtUp, receive, sendCredit, subscribe, unsubscribeAll } from './subscription.ts';
import { TokenKeeper } from './token-keeper.ts';
import { LINK_TRANSITIONS, type Link, type LinkInput, mayConnect, ROLE_TRANSITIONS, type Role, type RoleInput } from './transitions.ts';
import type { ClientEffect, ClientEvent, ClientOptions, Now, WriteIntent } from './types.ts';

/** A wall clock that moved this much against the monotonic one has jumped, and what was known of the server's time is void. */
const CLOCK_JUMP_MS = 60_000;

/**
 * The replication of one tab, without I/O: events in, effects out, in their order. State is ahead of the database by the batches in flight, and
 * effects that depend on a batch come when it is durable; when one is refused the machine is thrown away (`reopen`) and the database is read
 * again, exactly as after a crash.
 */
export class ClientMachine {
  role: Role = 'opening';
  link: Link = 'offline';
  readonly #options: ClientOptions;
  #cx: ClientContext | undefined;
  readonly #channels: ChannelSet;
  #log = new CommitLog();
  #socket = 0;
  /** Downloads are numbered on, so that a late one of an earlier term is nobody's. */
  #lastFetch = 0;
  #attempt = 0;
  #floorMs = 0;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  #prunedAtMs = 0;
  readonly #tokens = new TokenKeeper();
  /** Since the last refusal for want of a right. */
  #wasWelcomed = false;
  #last: Now | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#channels = new ChannelSet(options.channels);
  }

  step(event: ClientEvent, now: Now): ClientEffect[] {
    const step = new Step(now, this.#log);
    if (this.#cx !== undefined) this.#cx.step = step;
    this.#noticeJump(now);
    this.#dispatch(event, step);
    if (this.#cx?.mustReconnect) this.#reconnectNow();
    this.#settleLink(step);
    return step.end();
  }

  /** For hosts and tests: what is held of a channel. */
  outbox(channel: string): readonly ChannelState['outbox'][number]['stored'][] {
    return (this.#channels.get(channel)?.outbox ?? []).map(({ stored }) => stored);
  }

  /** For hosts: where a channel stands. Undefined: not followed, or not by this tab. */
  inspect(
    channel: string,
  ): { readonly status: ChannelState['status']; readonly position: number; readonly isCaughtUp: boolean } | undefined {
    const state = this.#channels.get(channel);
    return state === undefined ? undefined : { status: state.status, position: state.position, isCaughtUp: isCaughtUp(state) };
  }

  #noticeJump(now: Now): void {
    const last = this.#last;
    this.#last = now;
    if (last === undefined || this.#cx === undefined) return;
    const drift = now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs);
    if (Math.abs(drift) > CLOCK_JUMP_MS) this.#cx.serverClock = undefined;
  }

  #dispatch(event: ClientEvent, step: Step): void {
    switch (event.type) {
      case 'elected':
        this.#changeRole('elected', step);
        this.#open(event.durable, event.term, step);
        return;
      case 'alone':
        this.#changeRole('alone', step);
        this.#open(event.durable, 1, step);
        return;
      case 'demoted':
        this.#stepDown('demoted', step);
        return;
      case 'start':
        this.#changeLink('start', step);
        this.#connect();
        return;
      case 'stop':
        this.#closeSocket();
        this.#changeLink('stop', step);
        return;
      case 'persisted':
        for (const effect of this.#log.persisted(event.batch)) step.effect(effect);
        return;
      case 'persist-failed':
        // Of an earlier term: who leads now has read the database since.
        if (!this.#log.isPending(event.batch)) return;
        this.#stepDown(event.reason === 'fenced' ? 'demoted' : 'failed', step);
        return;
      case 'follow':
        this.#channels.follow(this.#cx, event.channel);
        return;
      case 'leave':
        this.#channels.leave(this.#cx, event.channel);
        return;
      default:
        if (this.#cx !== undefined) this.#dispatchOpen(event, this.#cx);
        else if (event.type === 'write' || event.type === 'write-batch') step.effect({ type: 'write-failed', request: event.request });
    }
  }

  #dispatchOpen(
    event: Exclude<
      ClientEvent,
      { type: 'elected' | 'alone' | 'demoted' | 'start' | 'stop' | 'persisted' | 'persist-failed' | 'follow' | 'leave' }
    >,
    cx: ClientContext,
  ): void {
    switch (event.type) {
      case 'write':
        this.#write(event.request, [event], cx);
        return;
      case 'write-batch':
        this.#write(event.request, event.writes, cx);
        return;
      case 'socket-open':
        if (event.socket === this.#socket) this.#hello(cx);
        return;
      case 'socket-closed':
        if (event.socket === this.#socket) this.#lost(cx);
        return;
      case 'message':
        if (event.socket === this.#socket) this.#receive(event.message, event.bytes, cx);
        return;
      case 'timer':
        this.#timer(event.timer, cx);
        return;
      case 'token':
        this.#setToken(event, cx);
        return;
      case 'token-failed':
        this.#tokens.unanswered();
        this.#closeSocket();
        this.#changeLink('unauthorised', cx.step);
        this.#tokens.askLater(cx);
        return;
      default:
        this.#dispatchChannel(event, cx);
    }
  }

  /** What may come after its channel was left: then it is void. */
  #dispatchChannel(event: ChannelEvent, cx: ClientContext): void {
    const state = this.#channels.get(event.channel);
    if (state === undefined) {
      if (event.type === 'fetched') cx.step.effect({ type: 'drop-fetch', channel: event.channel, fetch: event.fetch });
      return;
    }
    channelEvent(cx, state, event);
  }

  #write(request: number, writes: readonly WriteIntent[], cx: ClientContext): void {
    assert(writes.length > 0, () => `client: write ${request}: writes expected, got none`);
    const ids = writes.map((write) => addWrite(cx, this.#channels.mustGet(write.channel), write));
    const local = { type: 'local', request, id: ids[0]! } as const;
    if (cx.ablations['local-before-durable']) cx.step.effect(local);
    else cx.step.after(local);
    for (const channel of new Set(writes.map((write) => write.channel))) pump(cx, this.#channels.mustGet(channel));
  }

  /* ---------- role ---------- */
  #open(durable: DurableState, term: number, step: Step): void {
    // Elected again before it heard that it had been deposed: what it knew and what it had under way belongs to the term before.
    if (this.#cx !== undefined) this.#forget(step);
    this.#log.term = term;
    const serverClock = undefined;
    const { ablations = {} } = this.#options;
    const common = { socket: undefined, isOpen: false, nextSubscription: 0, nextFetch: this.#lastFetch, serverClock, mustReconnect: false };
    this.#cx = { options: this.#options, ablations, device: durable.device, step, ...common };
    this.#channels.open(this.#cx, durable.channels);
    for (const { maxHlc } of durable.channels) follow(this.#cx, maxHlc);
    this.#tokens.bind(this.#cx);
    step.effect({ type: 'timer', timer: 'watchdog', delayMs: WATCHDOG_MS });
    this.#connect();
  }

  #stepDown(input: RoleInput, step: Step): void {
    this.#forget(step);
    this.#changeRole(input, step);
    if (input === 'failed') step.effect({ type: 'reopen' });
  }

  #forget(step: Step): void {
    for (const request of this.#log.failedRequests()) step.effect({ type: 'write-failed', request });
    this.#closeSocket();
    this.#changeLink('step-down', step);
    this.#tokens.unanswered();
    this.#lastFetch = this.#cx?.nextFetch ?? this.#lastFetch;
    this.#cx = undefined;
    this.#channels.forget();
    this.#log = this.#log.renew();
    step.restart(this.#log);
  }

  #changeRole(input: RoleInput, step: Step): void {
    const next = ROLE_TRANSITIONS[this.role][input];
    if (next === this.role) return;
    this.role = next;
    step.effect({ type: 'status', role: this.role, link: this.link });
  }

  /* ---------- link ---------- */
  #changeLink(input: LinkInput, step: Step, detail?: string): void {
    const next = LINK_TRANSITIONS[this.link][input];
    if (next === this.link) return;
    this.link = next;
    step.effect({ type: 'status', role: this.role, link: next, ...(detail === undefined ? {} : { detail }) });
  }

  #settleLink(step: Step): void {
    if (this.link !== 'live' && this.link !== 'catching-up') return;
    this.#changeLink([...this.#channels.states()].every(isCaughtUp) ? 'caught-up' : 'behind', step);
  }

  #connect(): void {
    const cx = this.#cx;
    if (cx === undefined || !mayConnect(this.role) || this.link !== 'offline') return;
    this.#changeLink('connect', cx.step);
    this.#openSocket(cx);
  }

  #openSocket(cx: ClientContext): void {
    if (!this.#tokens.isUsable(cx)) {
      this.#tokens.ask(cx, 'start');
      return;
    }
    this.#socket += 1;
    this.#heardAtMs = cx.step.now.monotonicMs;
    cx.step.effect({ type: 'connect', socket: this.#socket });
  }

  #setToken(event: { readonly token: string; readonly subject: string; readonly expiresInMs: number }, cx: ClientContext): void {
    if (!this.#tokens.take(cx, event)) {
      this.#closeSocket();
      this.#changeLink('unauthorised', cx.step, 'subject');
      this.#tokens.askLater(cx);
      return;
    }
    if (cx.socket !== undefined) {
      cx.step.effect({ type: 'send', socket: cx.socket, message: { type: 'auth', token: event.token } });
      for (const state of this.#channels.states()) retryDenied(cx, state);
      return;
    }
    this.#changeLink('authorised', cx.step);
    if (this.link === 'connecting') this.#openSocket(cx);
  }

  #hello(cx: ClientContext): void {
    const { oldest, newest } = this.#options.protocol ?? { oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION };
    const { clientId, logEpoch } = cx.device;
    cx.step.after({
      type: 'send',
      socket: this.#socket,
      message: {
        type: 'hello',
        oldest,
        newest,
        clientId,
        term: this.#log.term,
        token: this.#tokens.token!,
        schemas: this.#options.schemas ?? [],
        ...(logEpoch === null ? {} : { logEpoch }),
      },
    });
  }

  #receive(message: ServerMessage, bytes: number, cx: ClientContext): void {
    this.#heardAtMs = cx.step.now.monotonicMs;
    switch (message.type) {
      case 'welcome':
        this.#welcome(message, cx);
        return;
      case 'refused':
        this.#refused(message.code, cx);
        return;
      case 'pong':
        cx.serverClock = { wallMs: message.clock, monotonicMs: cx.step.now.monotonicMs };
        return;
      case 'goaway':
        this.#floorMs = message.retryMs;
        this.#changeLink('drain', cx.step);
        cx.isOpen = false;
        cx.step.effect({ type: 'timer', timer: 'drained', delayMs: ANSWER_TIMEOUT_MS });
        return;
      case 'altered':
        return;
      case 'ended':
        if (message.reason === 'fenced') this.#stepDown('demoted', cx.step);
        else if (cx.isOpen) this.#receiveOf(message, bytes, cx);
        return;
      default: {
        if (cx.socket !== undefined && !cx.mustReconnect) this.#receiveOf(message, bytes, cx);
        if (this.link === 'draining' && this.#isAnswered()) this.#lost(cx);
      }
    }
  }

  /** A channel that was left may still be spoken of. */
  #receiveOf(message: ChannelAnswer, bytes: number, cx: ClientContext): void {
    const state = this.#channels.get(message.channel);
    if (state !== undefined) receive(cx, state, message, bytes);
  }

  #isAnswered(): boolean {
    return [...this.#channels.states()].every(({ waitingSinceMs }) => waitingSinceMs === undefined);
  }

  #welcome(message: Welcome, cx: ClientContext): void {
    const { wallMs: _, monotonicMs } = cx.step.now;
    cx.serverClock = { wallMs: message.clock, monotonicMs };
    this.#openedAtMs = monotonicMs;
    this.#pingedAtMs = monotonicMs;
    this.#wasWelcomed = true;
    const before = cx.device.logEpoch;
    this.#prune(cx);
    if (before !== message.logEpoch) {
      // R14: another universe. The first one is no other.
      if (before !== null && !cx.ablations['keep-id-on-restore']) {
        newIdentity(cx, message.logEpoch);
        return;
      }
      setDevice(cx, { logEpoch: message.logEpoch });
    }
    cx.socket = this.#socket;
    cx.isOpen = true;
    this.#changeLink('welcomed', cx.step);
    for (const state of this.#channels.states()) subscribe(cx, state);
  }

  /** R16, while the server's clock is known: a device's own may be wrong by any amount. */
  #prune(cx: ClientContext): void {
    this.#prunedAtMs = cx.step.now.monotonicMs;
    for (const states of [this.#channels.states(), this.#channels.parked()]) for (const state of states) pruneKept(cx, state);
  }

  #refused(code: RefusalCode, cx: ClientContext): void {
    if (code === 'auth' || code === 'subject') {
      this.#tokens.drop();
      this.#closeSocket();
      this.#changeLink('unauthorised', cx.step, code);
      // A token that served until now has run out: the next one is asked for at once. One that never served has a source that is wrong for now.
      if (this.#wasWelcomed) this.#tokens.ask(cx, 'rejected');
      else this.#tokens.askLater(cx);
      this.#wasWelcomed = false;
    } else if (code === 'overloaded') {
      this.#lost(cx);
    } else {
      // Local use goes on; only an upgrade helps.
      this.#closeSocket();
      this.#changeLink('stop', cx.step, code);
    }
  }

  #closeSocket(): void {
    const cx = this.#cx;
    if (cx === undefined) return;
    cx.step.effect({ type: 'disconnect', socket: this.#socket });
    this.#socket += 1;
    cx.socket = undefined;
    cx.isOpen = false;
    unsubscribeAll(this.#channels.states(), cx);
  }

  #lost(cx: ClientContext): void {
    this.#closeSocket();
    this.#changeLink('lost', cx.step);
    this.#attempt = cx.step.now.monotonicMs - this.#openedAtMs > STABLE_MS ? 0 : this.#attempt + 1;
    cx.step.effect({ type: 'timer', timer: 'reconnect', delayMs: reconnectDelay(this.#options.rng, this.#attempt, this.#floorMs) });
    this.#floorMs = 0;
  }

  /** Under a new id, at once: the server is there. */
  #reconnectNow(): void {
    const cx = this.#cx!;
    cx.mustReconnect = false;
    this.#closeSocket();
    this.#changeLink('lost', cx.step);
    cx.step.effect({ type: 'timer', timer: 'reconnect', delayMs: 0 });
  }

  /* ---------- timers ---------- */
  #timer(timer: string, cx: ClientContext): void {
    if (timer === 'reconnect') this.#connect();
    else if (timer === 'watchdog') this.#watch(cx);
    else if (timer === 'drained') {
      if (this.link === 'draining') this.#lost(cx);
    } else if (timer === 'token') {
      if (this.link === 'needs-auth') this.#tokens.ask(cx, 'rejected');
    } else if (timer.startsWith('resend:')) {
      const state = this.#channels.get(timer.slice('resend:'.length));
      if (state?.pushPaused) sendAgain(cx, state);
    } else if (timer.startsWith('subscribe:')) {
      const state = this.#channels.get(timer.slice('subscribe:'.length));
      if (state?.status === 'paused') subscribe(cx, state);
    }
  }

  /** Nothing waits for ever: lost answers are asked for again, dead sockets are closed, tokens renewed. */
  #watch(cx: ClientContext): void {
    cx.step.effect({ type: 'timer', timer: 'watchdog', delayMs: WATCHDOG_MS });
    const { monotonicMs } = cx.step.now;
    this.#tokens.watchQuestion(cx);
    if (this.link === 'offline') return;
    const hasToken = this.#tokens.token !== undefined;
    if (this.link === 'connecting' && !hasToken) this.#tokens.ask(cx, 'start');
    if ((this.link === 'connecting' && hasToken) || cx.socket !== undefined) {
      if (monotonicMs - this.#heardAtMs > SILENCE_MS) {
        this.#lost(cx);
        return;
      }
    }
    if (cx.socket === undefined) return;
    if (monotonicMs - this.#pingedAtMs >= PING_MS) {
      this.#pingedAtMs = monotonicMs;
      cx.step.effect({ type: 'send', socket: cx.socket, message: { type: 'ping', nonce: Math.floor(monotonicMs) } });
      for (const state of this.#channels.states()) sendCredit(cx, state);
    }
    if (monotonicMs - this.#prunedAtMs >= PRUNE_MS && cx.serverClock !== undefined) this.#prune(cx);
    this.#tokens.watchExpiry(cx);
    for (const state of this.#channels.states()) watchChannel(cx, state);
  }
}
