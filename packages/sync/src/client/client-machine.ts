import { assert } from '@terndb/core';
import { PRUNE_MS, WATCHDOG_MS } from '../limits.ts';
import type { ChannelAnswer, ServerMessage, Welcome } from '../protocol.ts';
import { type ChannelEvent, channelEvent, watchChannel } from './channel-events.ts';
import { ChannelSet } from './channel-set.ts';
import type { ChannelState } from './channel-state.ts';
import { Connection } from './connection.ts';
import { type ClientContext, follow, newIdentity, setDevice } from './context.ts';
import type { DurableState } from './durable.ts';
import { addWrite, pruneKept } from './outbox.ts';
import { pump, sendAgain } from './pushing.ts';
import { CommitLog, Step } from './step.ts';
import { isCaughtUp, receive, subscribe } from './subscription.ts';
import { type Link, ROLE_TRANSITIONS, type Role, type RoleInput } from './transitions.ts';
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
  readonly #options: ClientOptions;
  #cx: ClientContext | undefined;
  readonly #channels: ChannelSet;
  readonly #connection: Connection;
  #log = new CommitLog();
  /** Downloads are numbered on, so that a late one of an earlier term is nobody's. */
  #lastFetch = 0;
  #prunedAtMs = 0;
  #last: Now | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#channels = new ChannelSet(options.channels);
    this.#connection = new Connection({ options, channels: this.#channels, role: () => this.role });
  }

  get link(): Link {
    return this.#connection.link;
  }

  step(event: ClientEvent, now: Now): ClientEffect[] {
    const step = new Step(now, this.#log);
    if (this.#cx !== undefined) this.#cx.step = step;
    this.#noticeJump(now);
    this.#dispatch(event, step);
    if (this.#cx?.mustReconnect) this.#connection.reconnectNow(this.#cx);
    this.#connection.settle(step);
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
        this.#connection.change('start', step);
        this.#connection.connect(this.#cx);
        return;
      case 'stop':
        this.#connection.close(this.#cx);
        this.#connection.change('stop', step);
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
        if (this.#connection.isCurrent(event.socket)) this.#connection.hello(cx, this.#log.term);
        return;
      case 'socket-closed':
        if (this.#connection.isCurrent(event.socket)) this.#connection.lost(cx);
        return;
      case 'message':
        if (this.#connection.isCurrent(event.socket)) this.#receive(event.message, event.bytes, cx);
        return;
      case 'timer':
        this.#timer(event.timer, cx);
        return;
      case 'token':
        this.#connection.setToken(event, cx);
        return;
      case 'token-failed':
        this.#connection.tokenFailed(cx);
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
    this.#connection.tokens.bind(this.#cx);
    step.effect({ type: 'timer', timer: 'watchdog', delayMs: WATCHDOG_MS });
    this.#connection.connect(this.#cx);
  }

  #stepDown(input: RoleInput, step: Step): void {
    this.#forget(step);
    this.#changeRole(input, step);
    if (input === 'failed') step.effect({ type: 'reopen' });
  }

  #forget(step: Step): void {
    for (const request of this.#log.failedRequests()) step.effect({ type: 'write-failed', request });
    this.#connection.close(this.#cx);
    this.#connection.change('step-down', step);
    this.#connection.tokens.unanswered();
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

  /* ---------- what the server says ---------- */
  #receive(message: ServerMessage, bytes: number, cx: ClientContext): void {
    this.#connection.heard(cx);
    switch (message.type) {
      case 'welcome':
        this.#welcome(message, cx);
        return;
      case 'refused':
        this.#connection.refused(message.code, cx);
        return;
      case 'pong':
        cx.serverClock = { wallMs: message.clock, monotonicMs: cx.step.now.monotonicMs };
        return;
      case 'goaway':
        this.#connection.drain(cx, message.retryMs);
        return;
      case 'altered':
        return;
      case 'ended':
        if (message.reason === 'fenced') this.#stepDown('demoted', cx.step);
        else if (cx.isOpen) this.#receiveOf(message, bytes, cx);
        return;
      default: {
        if (cx.socket !== undefined && !cx.mustReconnect) this.#receiveOf(message, bytes, cx);
        if (this.link === 'draining' && this.#isAnswered()) this.#connection.lost(cx);
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
    cx.serverClock = { wallMs: message.clock, monotonicMs: cx.step.now.monotonicMs };
    this.#connection.welcomed(cx);
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
    this.#connection.open(cx);
    for (const state of this.#channels.states()) subscribe(cx, state);
  }

  /** R16, while the server's clock is known: a device's own may be wrong by any amount. */
  #prune(cx: ClientContext): void {
    this.#prunedAtMs = cx.step.now.monotonicMs;
    for (const states of [this.#channels.states(), this.#channels.parked()]) for (const state of states) pruneKept(cx, state);
  }

  /* ---------- timers ---------- */
  #timer(timer: string, cx: ClientContext): void {
    if (timer === 'reconnect') this.#connection.connect(cx);
    else if (timer === 'watchdog') this.#watch(cx);
    else if (timer === 'drained') {
      if (this.link === 'draining') this.#connection.lost(cx);
    } else if (timer === 'token') {
      if (this.link === 'needs-auth') this.#connection.tokens.ask(cx, 'rejected');
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
    if (!this.#connection.watch(cx)) return;
    if (cx.step.now.monotonicMs - this.#prunedAtMs >= PRUNE_MS && cx.serverClock !== undefined) this.#prune(cx);
    this.#connection.tokens.watchExpiry(cx);
    for (const state of this.#channels.states()) watchChannel(cx, state);
  }
}
