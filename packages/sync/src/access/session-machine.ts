import type { OpRecord } from '@terndb/core';
import type { Principal } from '../leader/types.ts';
import { RESOLVED_ID_PREFIX, SERVER_ID_PREFIX } from '../limits.ts';
import {
  type ChannelRequest,
  type ClientMessage,
  negotiate,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type ServerMessage,
} from '../protocol.ts';

/** What a verified token says. */
export interface Grants {
  readonly subject: string;
  /** Wall clock of the server. */
  readonly expiresAtMs: number;
  readonly canRead: (channel: string) => boolean;
  readonly canWrite: (channel: string) => boolean;
}

export interface SessionOptions {
  readonly session: string;
  readonly logEpoch: string;
  readonly protocol?: { readonly oldest: number; readonly newest: number };
}

export type SessionEvent =
  | { readonly type: 'message'; readonly message: ClientMessage }
  /** Undefined: the token is not valid. */
  | { readonly type: 'verified'; readonly verify: number; readonly grants: Grants | undefined }
  | { readonly type: 'answer'; readonly message: ServerMessage }
  | { readonly type: 'drain'; readonly retryMs: number }
  | { readonly type: 'timer' }
  | { readonly type: 'closed' };

export type SessionEffect =
  | { readonly type: 'send'; readonly message: ServerMessage }
  | { readonly type: 'close' }
  | { readonly type: 'verify'; readonly verify: number; readonly token: string }
  /** To the leader of the channel's slot. */
  | { readonly type: 'route'; readonly principal: Principal; readonly message: ChannelRequest }
  /** To every leader. */
  | { readonly type: 'end' }
  | { readonly type: 'timer'; readonly delayMs: number };

/** Timers fire this much early at most. */
const EARLY_TIMER_MS = 1_000;

/** Under the connection's id, and of no server's making. */
function isOwn({ clientId, origin }: OpRecord, id: string): boolean {
  if (clientId !== id) return false;
  return origin === undefined || !origin.clientId.startsWith(SERVER_ID_PREFIX) || origin.clientId.startsWith(RESOLVED_ID_PREFIX);
}

/** One connection at the access layer, without I/O: hello, tokens, grants, routing. It keeps nothing of the log. */
export class SessionMachine {
  readonly #options: SessionOptions;
  #state: 'new' | 'verifying' | 'open' | 'closed' = 'new';
  /** Of the hello. There are thousands of connections: its token and its list of schemas are not kept. */
  #device: { readonly clientId: string; readonly term: number; readonly protocol: number } | undefined;
  #grants: Grants | undefined;
  #verify = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  step(event: SessionEvent, nowMs: number): SessionEffect[] {
    if (this.#state === 'closed') return [];
    switch (event.type) {
      case 'message':
        return this.#message(event.message, nowMs);
      case 'verified':
        return event.verify === this.#verify ? this.#verified(event.grants, nowMs) : [];
      case 'answer':
        return this.#state === 'open' ? [{ type: 'send', message: this.#understood(event.message) }] : [];
      case 'drain':
        return this.#state === 'open' ? [{ type: 'send', message: { type: 'goaway', retryMs: event.retryMs } }] : this.#close();
      case 'timer':
        return this.#state === 'open' ? this.#expire(nowMs) : [];
      case 'closed':
        this.#state = 'closed';
        return [{ type: 'end' }];
    }
  }

  #message(message: ClientMessage, nowMs: number): SessionEffect[] {
    if (message.type === 'hello') return this.#state === 'new' ? this.#start(message) : this.#close();
    if (this.#state !== 'open') return this.#close();
    if (message.type === 'auth') return this.#verifyToken(message.token);
    if (this.#hasExpired(nowMs)) return this.#refuse('auth');
    if (message.type === 'ping') {
      const expiresInMs = Math.max(0, Math.floor(this.#grants!.expiresAtMs - nowMs));
      return [{ type: 'send', message: { type: 'pong', nonce: message.nonce, clock: Math.floor(nowMs), expiresInMs } }];
    }
    return this.#route(message);
  }

  #start(hello: Extract<ClientMessage, { type: 'hello' }>): SessionEffect[] {
    const versions = this.#options.protocol ?? { oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION };
    const version = negotiate(hello, versions);
    if (typeof version === 'string') return this.#refuse(version);
    // The server's own id, and a nameless one, are nobody's.
    if (hello.clientId === '' || hello.clientId.startsWith(SERVER_ID_PREFIX)) return this.#close();
    this.#device = { clientId: hello.clientId, term: hello.term, protocol: version };
    this.#state = 'verifying';
    return this.#verifyToken(hello.token);
  }

  #verifyToken(token: string): SessionEffect[] {
    this.#verify += 1;
    return [{ type: 'verify', verify: this.#verify, token }];
  }

  #verified(grants: Grants | undefined, nowMs: number): SessionEffect[] {
    if (grants === undefined || grants.expiresAtMs <= nowMs) return this.#refuse('auth');
    // A connection is one subject's, whatever token comes later.
    if (this.#grants !== undefined && this.#grants.subject !== grants.subject) return this.#refuse('subject');
    const isFirst = this.#grants === undefined;
    this.#grants = grants;
    const expiresInMs = Math.max(0, Math.floor(grants.expiresAtMs - nowMs));
    const timer: SessionEffect = { type: 'timer', delayMs: expiresInMs };
    if (!isFirst) return [timer];
    this.#state = 'open';
    const { protocol } = this.#device!;
    const { logEpoch } = this.#options;
    return [timer, { type: 'send', message: { type: 'welcome', protocol, logEpoch, clock: Math.floor(nowMs), expiresInMs } }];
  }

  #route(message: ChannelRequest): SessionEffect[] {
    const { channel, subscription } = message;
    if (!this.#grants!.canRead(channel)) {
      return [{ type: 'send', message: { type: 'denied', channel, subscription, access: 'read' } }];
    }
    const { clientId, term } = this.#device!;
    const canWrite = this.#grants!.canWrite(channel);
    const principal = { session: this.#options.session, clientId, term, subject: this.#grants!.subject, canWrite };
    if (message.type === 'push' && message.records.some((record) => !isOwn(record, clientId))) return this.#close();
    return [{ type: 'route', principal, message }];
  }

  /** Versions before 4 know of two reasons. The device keeps its outbox for both. */
  #understood(message: ServerMessage): ServerMessage {
    if (message.type !== 'denied' || message.access !== 'quota' || this.#device!.protocol >= 4) return message;
    return { ...message, access: 'write' };
  }

  /** A timer may be early by its clock's grain; one that is early by more belongs to a token that has been renewed. */
  #expire(nowMs: number): SessionEffect[] {
    if (this.#hasExpired(nowMs)) return this.#refuse('auth');
    const leftMs = this.#grants!.expiresAtMs - nowMs;
    return leftMs <= EARLY_TIMER_MS ? [{ type: 'timer', delayMs: Math.ceil(leftMs) }] : [];
  }

  #hasExpired(nowMs: number): boolean {
    return this.#grants === undefined || this.#grants.expiresAtMs <= nowMs;
  }

  #refuse(code: 'auth' | 'subject' | 'incompatible-client' | 'incompatible-server'): SessionEffect[] {
    return [{ type: 'send', message: { type: 'refused', code } }, ...this.#close()];
  }

  #close(): SessionEffect[] {
    this.#state = 'closed';
    return [{ type: 'end' }, { type: 'close' }];
  }
}
