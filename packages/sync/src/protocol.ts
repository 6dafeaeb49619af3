import type { Frame, Hash64, OpRecord, Timestamp } from '@terndb/core';

/**
 * The border between a client and a server: the messages of the sync socket (SPEC.md says what they mean; `protocol/message-codec.ts` how they
 * look as bytes).
 *
 * PROTOCOL_VERSION covers: the set of messages, their fields, and the meaning of both. The formats of frames and ops have versions of their own
 * (core, frame-codec.ts).
 * History: 1 first version; 2 `unsubscribe` (skippable, so it may be sent to a server of version 1), `tick.time` is that of a tick in the log,
 *   `credit.bytes` is a total; 3 `presence` and `present`, both skippable; 4 `denied.access` may be `quota`, which older clients are told as `write`;
 *   5 `altered`, skippable; 6 `hint` and `hinted`, both skippable.
 * Oldest version served: 1. Servers are deployed first: a client may be older than its server, never newer than what it says in `hello`.
 */
export const PROTOCOL_VERSION = 6;
export const OLDEST_PROTOCOL_VERSION = 1;

/** One refusal for good (R3). */
export interface Rejection {
  readonly seq: number;
  readonly code: string;
}

/** What the log knows of one client id on one channel (R1). `lmid` 0: nothing. */
export interface KnownClient {
  readonly clientId: string;
  readonly lmid: number;
  /** Position of the record of `lmid`. */
  readonly position: number;
  readonly rejected: readonly Rejection[];
}

/** Where a channel's state can be had as a whole; `reference` is for the downloader, opaque here. */
export interface ManifestOffer {
  readonly upTo: number;
  readonly reference: Uint8Array;
}

/* ---------- from the client ---------- */
export interface Hello {
  readonly type: 'hello';
  readonly oldest: number;
  readonly newest: number;
  readonly clientId: string;
  /** Of the tab leader (R11). */
  readonly term: number;
  /** Absent before the first connection. */
  readonly logEpoch?: string;
  readonly token: string;
  readonly schemas: readonly string[];
}
export interface Subscribe {
  readonly type: 'subscribe';
  readonly channel: string;
  /** Chosen by the client, growing within a connection (R18). */
  readonly subscription: number;
  /** Applied position; absent when there is nothing of this log epoch. */
  readonly at?: number;
  /** State hash at `at` (R13). */
  readonly hash?: Hash64;
  /** Bytes the server may send before more is granted. */
  readonly credit: number;
  /** Former ids of this device whose ops are still held: the answer says what the log knows of them (R14). */
  readonly formers: readonly string[];
}
export interface Push {
  readonly type: 'push';
  readonly channel: string;
  readonly subscription: number;
  /** Of one client id, seqs contiguous. */
  readonly records: readonly OpRecord[];
}
export interface Credit {
  readonly type: 'credit';
  readonly channel: string;
  readonly subscription: number;
  /**
   * Of `frame` messages, applied since the subscription began, in all: lost, doubled and late ones do no harm, the largest counts. Never less than
   * what the server counts (its frames' bytes).
   */
  readonly bytes: number;
}
/** Nothing more of this subscription; there is no answer. */
export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly channel: string;
  readonly subscription: number;
}
export interface Auth {
  readonly type: 'auth';
  readonly token: string;
}
export interface Ping {
  readonly type: 'ping';
  readonly nonce: number;
}
export type ClientMessage = Hello | Subscribe | Push | Credit | Unsubscribe | Auth | Ping;
export type ChannelRequest = Subscribe | Push | Credit | Unsubscribe;

/* ---------- from the server ---------- */
export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly logEpoch: string;
  /** Server's wall clock in ms. */
  readonly clock: number;
  readonly expiresInMs: number;
}
export type RefusalCode = 'incompatible-client' | 'incompatible-server' | 'auth' | 'subject' | 'overloaded';
/** The connection ends; nothing is said about any op. */
export interface Refused {
  readonly type: 'refused';
  readonly code: RefusalCode;
}
export interface Subscribed {
  readonly type: 'subscribed';
  readonly channel: string;
  readonly subscription: number;
  /** Head of the channel's log (R6, R14). */
  readonly head: number;
  readonly known: KnownClient;
  readonly formers: readonly KnownClient[];
  /** Present when the tail does not follow `at`: bootstrap from here. */
  readonly manifest?: ManifestOffer;
  /** Records follow from `from + 1`. */
  readonly from: number;
}
export interface FrameMessage {
  readonly type: 'frame';
  readonly channel: string;
  readonly subscription: number;
  readonly frame: Frame;
}
/** Everything of this client up to `seq` is in the log, at or below `position`, apart from the rejected. */
export interface Ack {
  readonly type: 'ack';
  readonly channel: string;
  readonly subscription: number;
  readonly seq: number;
  readonly position: number;
  readonly rejected: readonly Rejection[];
}
/** R9: nothing was appended from `seq` on; stamp it above `hlc` and send again. Ends the subscription. */
export interface Restamp {
  readonly type: 'restamp';
  readonly channel: string;
  readonly subscription: number;
  readonly seq: number;
  readonly hlc: Timestamp;
  /** Leader's wall clock in ms. */
  readonly clock: number;
}
export interface Gap {
  readonly type: 'gap';
  readonly channel: string;
  readonly subscription: number;
  readonly expected: number;
}
export interface UnknownClient {
  readonly type: 'unknown-client';
  readonly channel: string;
  readonly subscription: number;
}
/** The outcome is unknown (R3): the same bytes may be sent again after `retryMs`. */
export interface Busy {
  readonly type: 'busy';
  readonly channel: string;
  readonly subscription: number;
  readonly retryMs: number;
}
/** R3: nothing was appended. `quota`: it may be written, but there is no room for more. */
export type DeniedAccess = 'read' | 'write' | 'quota';
export interface Denied {
  readonly type: 'denied';
  readonly channel: string;
  readonly subscription: number;
  readonly access: DeniedAccess;
}
export type EndReason = 'not-subscribed' | 'new-leader' | 'expired' | 'truncated' | 'fenced';
/** The subscription is over; subscribe again, except after `fenced` (R11). */
export interface Ended {
  readonly type: 'ended';
  readonly channel: string;
  readonly subscription: number;
  readonly reason: EndReason;
}
/** The channel does not exist (any more): nothing of it can be read or written, and its outbox has nowhere to go. */
export interface Gone {
  readonly type: 'gone';
  readonly channel: string;
  readonly subscription: number;
}
/**
 * Everything up to `position` was sent on this subscription: who has less lost something (R12). It holds all that was acknowledged before `time`,
 * the newest tick of the slot's log that this subscription has been served up to (0: none yet).
 */
export interface Tick {
  readonly type: 'tick';
  readonly channel: string;
  readonly subscription: number;
  readonly time: Timestamp;
  readonly position: number;
}
export interface Goaway {
  readonly type: 'goaway';
  readonly retryMs: number;
}
export interface Pong {
  readonly type: 'pong';
  readonly nonce: number;
  readonly clock: number;
  readonly expiresInMs: number;
}
/* ---------- beside the log ---------- */
/**
 * Version of the schema that the channel's collection has on the server: said after each subscribe, and when there is another. A device that knows
 * another one asks `resolve` again. Not the machines' business; one that is lost is said again with the next subscription.
 */
export interface Altered {
  readonly type: 'altered';
  readonly channel: string;
  readonly subscription: number;
  readonly schemaVersion: number;
}
/**
 * Where somebody is in what the entities of a channel show: told to the others in the same topic, and forgotten. Not the machines' business: nothing
 * durable depends on it, it may be lost, and a server may leave it out.
 */
export interface Presence {
  readonly type: 'presence';
  readonly channel: string;
  /** Whatever the application's devices agree on: an entity and a field. */
  readonly topic: string;
  /** Chosen by the device, distinct within the topic. */
  readonly peer: number;
  /** Opaque; empty: gone. */
  readonly state: Uint8Array;
}
/** What somebody else said, and under whose token. */
export interface Present {
  readonly type: 'present';
  readonly channel: string;
  readonly topic: string;
  readonly peer: number;
  readonly subject: string;
  readonly state: Uint8Array;
}
/**
 * An update of a document that its writer pushes, too: told at once to the others in the topic, who know how to do without. Not the machines'
 * business; whoever may not write the channel is not heard.
 */
export interface Hint {
  readonly type: 'hint';
  readonly channel: string;
  /** Whatever the application's devices agree on: an entity, a field, and which document of it. */
  readonly topic: string;
  /** `join` and `leave`: this connection is told what others say there, from now on or no more. */
  readonly what: 'join' | 'leave' | 'update';
  /** Opaque; empty unless `what` is `update`. */
  readonly update: Uint8Array;
}
export interface Hinted {
  readonly type: 'hinted';
  readonly channel: string;
  readonly topic: string;
  readonly update: Uint8Array;
}
export type ChannelAnswer = Subscribed | FrameMessage | Ack | Restamp | Gap | UnknownClient | Busy | Denied | Ended | Gone | Tick;
export type ServerMessage = Welcome | Refused | ChannelAnswer | Goaway | Pong | Altered;
export type Message = ClientMessage | ServerMessage | Presence | Present | Hint | Hinted;

/** The version both speak, or who has to upgrade. */
export function negotiate(
  client: { readonly oldest: number; readonly newest: number },
  server: { readonly oldest: number; readonly newest: number } = { oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION },
): number | 'incompatible-client' | 'incompatible-server' {
  if (client.newest < server.oldest) return 'incompatible-client';
  if (client.oldest > server.newest) return 'incompatible-server';
  return Math.min(client.newest, server.newest);
}
