import type { Frame, Op, Timestamp } from '@terndb/core';
import type { KnownClient } from '../protocol.ts';
import type { ChannelRecord, DurableChannel, KeptEntry, OutboxEntry } from './durable.ts';

/** An outbox entry with what only this session knows of it. */
export interface PendingEntry {
  stored: OutboxEntry;
  /** In the log, or refused for good; it stays shown until the applied position covers it (R4). */
  settled: { readonly position: number; readonly code?: string } | undefined;
}

/** What a replica's fold knows of ids of this device. */
export type Covered = Map<string, { lmid: number; readonly rejected: Map<number, string> }>;

/** A bootstrap built aside (R6). */
export interface Staging {
  readonly fetch: number;
  /** Shown when it reaches this position. */
  readonly target: number;
  /** The shown replica goes on meanwhile: nothing is wrong with it. */
  readonly isAside: boolean;
  /** Undefined while it is downloaded. */
  position: number | undefined;
  readonly covered: Covered;
  /** Frames that came while it was downloaded; bounded by the credit. */
  waiting: { readonly frame: Frame; readonly bytes: number }[];
}

export interface ChannelState {
  readonly channel: string;
  clientId: string;
  nextSeq: number;
  everSent: boolean;
  logEpoch: string | null;
  /** Applied, or on its way into the database. */
  position: number;
  /** Highest stamp seen in this channel's log (R10). A restamp puts the device's clock back, never below this. */
  seenHlc: Timestamp;
  outbox: PendingEntry[];
  kept: KeptEntry[];
  /** `paused` until a timer; `denied` and `gone` until the app or a new token. */
  status: 'idle' | 'subscribing' | 'following' | 'paused' | 'denied' | 'gone';
  /** 0: none. */
  subscription: number;
  subscribedAtMs: number;
  /** Last message of the subscription, monotonic. */
  heardAtMs: number;
  /** R6: the head named at subscription, reached or not. */
  head: number;
  staging: Staging | undefined;
  sentUpTo: number;
  /** Of the subscription's frames. */
  appliedBytes: number;
  /** When the oldest unanswered push left, monotonic. */
  waitingSinceMs: number | undefined;
  pushDenied: boolean;
  pushPaused: boolean;
  /** The replica is wrong: subscribe without a position. */
  mustBootstrap: boolean;
  /** The next subscription asks for a manifest above this. */
  adoptAbove: number | undefined;
  /** Of the newest tick that was told. */
  freshTime: Timestamp;
}

/** A channel that nothing is stored of. */
export function emptyChannel(channel: string, clientId: string): DurableChannel {
  const none = { nextSeq: 1, everSent: false, logEpoch: null, position: 0, maxHlc: 0 as Timestamp };
  return { channel, clientId, ...none, outbox: [], kept: [] };
}

export function openChannelState(durable: DurableChannel): ChannelState {
  return {
    channel: durable.channel,
    clientId: durable.clientId,
    nextSeq: durable.nextSeq,
    everSent: durable.everSent,
    logEpoch: durable.logEpoch,
    position: durable.position,
    seenHlc: durable.maxHlc,
    outbox: [...durable.outbox].sort((a, b) => a.id - b.id).map((stored) => ({ stored, settled: undefined })),
    kept: [...durable.kept].sort((a, b) => a.id - b.id),
    status: 'idle',
    subscription: 0,
    subscribedAtMs: 0,
    heardAtMs: 0,
    head: 0,
    staging: undefined,
    sentUpTo: 0,
    appliedBytes: 0,
    waitingSinceMs: undefined,
    pushDenied: false,
    pushPaused: false,
    mustBootstrap: false,
    adoptAbove: undefined,
    freshTime: 0 as Timestamp,
  };
}

export function recordOf(state: ChannelState): ChannelRecord {
  const { channel, clientId, nextSeq, everSent, logEpoch } = state;
  return { channel, clientId, nextSeq, everSent, logEpoch };
}

export function keysOf(op: Op): readonly (string | number | bigint)[] {
  return op.type === 'batch' ? op.ops.map((single) => single.pk) : [op.pk];
}

export function newestStamp(state: ChannelState): Timestamp {
  let newest = 0;
  for (const { stored } of state.outbox) if (stored.hlc > newest) newest = stored.hlc;
  return newest as Timestamp;
}

/** Everything at or below is settled: where pushing starts again. */
export function firstUnsettled(state: ChannelState, clientId: string): number {
  for (const { stored, settled } of state.outbox) if (stored.clientId === clientId && settled === undefined) return stored.seq;
  return state.nextSeq;
}

export function coveredBy(known: readonly KnownClient[]): Covered {
  const covered: Covered = new Map();
  for (const { clientId, lmid, rejected } of known) {
    if (lmid > 0) covered.set(clientId, { lmid, rejected: new Map(rejected.map(({ seq, code }) => [seq, code])) });
  }
  return covered;
}

/** What the records of a frame say of any id; ids that are nobody's here cost one entry each, so only `ids` are kept. */
export function coverFrame(covered: Covered, frame: Frame, ids: ReadonlySet<string>): void {
  for (const record of frame.records) {
    if ((record.type !== 'op' && record.type !== 'reject') || !ids.has(record.clientId)) continue;
    let entry = covered.get(record.clientId);
    if (entry === undefined) {
      entry = { lmid: 0, rejected: new Map() };
      covered.set(record.clientId, entry);
    }
    entry.lmid = Math.max(entry.lmid, record.seq);
    if (record.type === 'reject') entry.rejected.set(record.seq, record.code);
  }
}

export function heldIds(state: ChannelState): Set<string> {
  return new Set(state.outbox.map(({ stored }) => stored.clientId));
}
