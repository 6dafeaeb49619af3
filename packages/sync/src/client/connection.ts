import { ANSWER_TIMEOUT_MS, PING_MS, SILENCE_MS, STABLE_MS } from '../limits.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, type RefusalCode } from '../protocol.ts';
import { reconnectDelay } from './backoff.ts';
import { retryDenied } from './channel-events.ts';
import type { ChannelSet } from './channel-set.ts';
import type { ClientContext } from './context.ts';
import type { Step } from './step.ts';
import { isCaughtUp, sendCredit, unsubscribeAll } from './subscription.ts';
import { TokenKeeper } from './token-keeper.ts';
import { LINK_TRANSITIONS, type Link, type LinkInput, mayConnect, type Role } from './transitions.ts';
import type { ClientOptions } from './types.ts';

export interface ConnectionPorts {
  readonly options: ClientOptions;
  readonly channels: ChannelSet;
  readonly role: () => Role;
}

/** The way of a tab to the server: its link, one socket after the other, and the token for them. */
export class Connection {
  link: Link = 'offline';
  readonly tokens: TokenKeeper = new TokenKeeper();
  readonly #ports: ConnectionPorts;
  /** What is said of an older one is void. */
  #socket = 0;
  #attempt = 0;
  #floorMs = 0;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  /** Since the last refusal for want of a right. */
  #wasWelcomed = false;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
  }

  isCurrent(socket: number): boolean {
    return socket === this.#socket;
  }

  change(input: LinkInput, step: Step, detail?: string): void {
    const next = LINK_TRANSITIONS[this.link][input];
    if (next === this.link) return;
    this.link = next;
    step.effect({ type: 'status', role: this.#ports.role(), link: next, ...(detail === undefined ? {} : { detail }) });
  }

  /** Whether every channel is at its head. */
  settle(step: Step): void {
    if (this.link !== 'live' && this.link !== 'catching-up') return;
    this.change([...this.#ports.channels.states()].every(isCaughtUp) ? 'caught-up' : 'behind', step);
  }

  /** If it may and is not under way. */
  connect(cx: ClientContext | undefined): void {
    if (cx === undefined || !mayConnect(this.#ports.role()) || this.link !== 'offline') return;
    this.change('connect', cx.step);
    this.#openSocket(cx);
  }

  #openSocket(cx: ClientContext): void {
    if (!this.tokens.isUsable(cx)) {
      this.tokens.ask(cx, 'start');
      return;
    }
    this.#socket += 1;
    this.#heardAtMs = cx.step.now.monotonicMs;
    cx.step.effect({ type: 'connect', socket: this.#socket });
  }

  setToken(event: { readonly token: string; readonly subject: string; readonly expiresInMs: number }, cx: ClientContext): void {
    if (!this.tokens.take(cx, event)) {
      this.close(cx);
      this.change('unauthorised', cx.step, 'subject');
      this.tokens.askLater(cx);
      return;
    }
    if (cx.socket !== undefined) {
      cx.step.effect({ type: 'send', socket: cx.socket, message: { type: 'auth', token: event.token } });
      for (const state of this.#ports.channels.states()) retryDenied(cx, state);
      return;
    }
    this.change('authorised', cx.step);
    if (this.link === 'connecting') this.#openSocket(cx);
  }

  tokenFailed(cx: ClientContext): void {
    this.tokens.unanswered();
    this.close(cx);
    this.change('unauthorised', cx.step);
    this.tokens.askLater(cx);
  }

  /** After the batches before it: `term` is stored by then (R11). */
  hello(cx: ClientContext, term: number): void {
    const { protocol, schemas = [] } = this.#ports.options;
    const { oldest, newest } = protocol ?? { oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION };
    const { clientId, logEpoch } = cx.device;
    const epoch = logEpoch === null ? {} : { logEpoch };
    cx.step.after({
      type: 'send',
      socket: this.#socket,
      message: { type: 'hello', oldest, newest, clientId, term, token: this.tokens.token!, schemas, ...epoch },
    });
  }

  heard({ step }: ClientContext): void {
    this.#heardAtMs = step.now.monotonicMs;
  }

  welcomed({ step }: ClientContext): void {
    this.#openedAtMs = step.now.monotonicMs;
    this.#pingedAtMs = step.now.monotonicMs;
    this.#wasWelcomed = true;
  }

  /** From now on it may be used. */
  open(cx: ClientContext): void {
    cx.socket = this.#socket;
    cx.isOpen = true;
    this.change('welcomed', cx.step);
  }

  /** The server goes: what is asked may still be answered. */
  drain(cx: ClientContext, retryMs: number): void {
    this.#floorMs = retryMs;
    this.change('drain', cx.step);
    cx.isOpen = false;
    cx.step.effect({ type: 'timer', timer: 'drained', delayMs: ANSWER_TIMEOUT_MS });
  }

  refused(code: RefusalCode, cx: ClientContext): void {
    if (code === 'auth' || code === 'subject') {
      this.tokens.drop();
      this.close(cx);
      this.change('unauthorised', cx.step, code);
      // A token that served until now has run out: the next one is asked for at once. One that never served has a source that is wrong for now.
      if (this.#wasWelcomed) this.tokens.ask(cx, 'rejected');
      else this.tokens.askLater(cx);
      this.#wasWelcomed = false;
    } else if (code === 'overloaded') {
      this.lost(cx);
    } else {
      // Local use goes on; only an upgrade helps.
      this.close(cx);
      this.change('stop', cx.step, code);
    }
  }

  close(cx: ClientContext | undefined): void {
    if (cx === undefined) return;
    cx.step.effect({ type: 'disconnect', socket: this.#socket });
    this.#socket += 1;
    cx.socket = undefined;
    cx.isOpen = false;
    unsubscribeAll(this.#ports.channels.states(), cx);
  }

  /** Tried again after a while. */
  lost(cx: ClientContext): void {
    this.close(cx);
    this.change('lost', cx.step);
    this.#attempt = cx.step.now.monotonicMs - this.#openedAtMs > STABLE_MS ? 0 : this.#attempt + 1;
    const delayMs = reconnectDelay(this.#ports.options.rng, this.#attempt, this.#floorMs);
    cx.step.effect({ type: 'timer', timer: 'reconnect', delayMs });
    this.#floorMs = 0;
  }

  /** Under a new id, at once: the server is there. */
  reconnectNow(cx: ClientContext): void {
    cx.mustReconnect = false;
    this.close(cx);
    this.change('lost', cx.step);
    cx.step.effect({ type: 'timer', timer: 'reconnect', delayMs: 0 });
  }

  /** Asks for what was not answered, ends a socket that says nothing. @returns whether there is a welcomed one to look after. */
  watch(cx: ClientContext): boolean {
    const { monotonicMs } = cx.step.now;
    this.tokens.watchQuestion(cx);
    if (this.link === 'offline') return false;
    const hasToken = this.tokens.token !== undefined;
    if (this.link === 'connecting' && !hasToken) this.tokens.ask(cx, 'start');
    const isTalking = (this.link === 'connecting' && hasToken) || cx.socket !== undefined;
    if (isTalking && monotonicMs - this.#heardAtMs > SILENCE_MS) {
      this.lost(cx);
      return false;
    }
    if (cx.socket === undefined) return false;
    if (monotonicMs - this.#pingedAtMs >= PING_MS) {
      this.#pingedAtMs = monotonicMs;
      cx.step.effect({ type: 'send', socket: cx.socket, message: { type: 'ping', nonce: Math.floor(monotonicMs) } });
      for (const state of this.#ports.channels.states()) sendCredit(cx, state);
    }
    return true;
  }
}
