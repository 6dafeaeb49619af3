import { type Frame, type Hash64, type Op, type OpRecord, type PrimaryKey, type SingleOp, type Stamp, stampOf } from '@terndb/core';
import type { Ablations } from '@terndb/sync/testing';
import { lastOf } from './broker.ts';
import { checkBases } from './checkers/bases.ts';
import { checkCausality, type Register } from './checkers/causality.ts';
import { checkDeleted } from './checkers/deleted.ts';
import { checkFrame, checkOnce } from './checkers/once.ts';
import { checkStamp } from './checkers/stamps.ts';
import { ModelFold, singlesOf } from './model-fold.ts';

/** One write of an app, whatever becomes of it. */
export interface WriteInfo {
  readonly uid: number;
  readonly device: string;
  /** The device's database generation: a lost one takes its unsent writes with it. */
  readonly database: number;
  readonly channel: string;
  readonly op: Op;
  readonly subject: string;
  readonly sawPosition: number;
  readonly sawEpoch: string | null;
  /** In the device's database. */
  isStored: boolean;
  /** The app was told that it is durable on the device: from here on it counts. */
  isLocal: boolean;
  isAcked: boolean;
  /** Log epoch that it was acknowledged in. */
  ackedEpoch: string | undefined;
  /** When the device put it among the kept ops, true wall clock. */
  keptAtMs: number | undefined;
  wasPruned: boolean;
  /** Taken away again by a restore from backup. */
  wasRestored: boolean;
  rejected: string | undefined;
  /** Log epoch and key of each of its entities that died since → position of the death, and of that of the field registers. */
  readonly buriedAt: Map<string, number>;
}

type Fate = 'isStored' | 'isLocal' | 'isAcked' | 'ackedEpoch' | 'keptAtMs' | 'wasPruned' | 'wasRestored' | 'rejected' | 'buriedAt';

/** A write of which nothing has become yet. */
export function newWrite(what: Omit<WriteInfo, Fate>): WriteInfo {
  const fate = {
    isStored: false,
    isLocal: false,
    isAcked: false,
    ackedEpoch: undefined,
    keptAtMs: undefined,
    wasPruned: false,
    wasRestored: false,
  };
  return { ...what, ...fate, rejected: undefined, buriedAt: new Map() };
}

export interface ChannelLedger {
  truth: ModelFold;
  hashAt: Map<number, Hash64>;
  accepted: Map<WriteInfo, { readonly clientId: string; readonly stamp: Stamp }>;
  lastSeq: Map<string, number>;
  expired: Set<string>;
  newestDelete: Map<PrimaryKey, Stamp>;
  touches: Map<string, Register>;
  /** Server's clock and position of each frame, since the last restore. */
  /** Frames of its log. */
  readonly frames: Set<Frame>;
  readonly appendedAt: { readonly ms: number; readonly position: number }[];
  /** Writes to fields of an entity since it was last dead. */
  fieldWrites: Map<PrimaryKey, Set<WriteInfo>>;
}

/** What is true of the log and of the writes, whatever the participants believe. Checkers read it; nothing under test does. */
export class Ledger {
  readonly failures: string[] = [];
  readonly writes: WriteInfo[] = [];
  readonly counts: Map<string, number> = new Map();
  /** Dropped channels: what was written there has nowhere to go. */
  gone: ReadonlySet<string> = new Set();
  readonly #channels = new Map<string, ChannelLedger>();
  readonly #byOp = new Map<Op | readonly SingleOp[], WriteInfo>();
  /** True wall clock, for the checkers. */
  wallMs: () => number = () => 0;
  /** The servers' clock, whose ticks say how fresh a reader is. */
  serverMs: () => number = () => 0;
  onFailure: (text: string) => void = () => undefined;
  logEpoch = '';
  /** How often a log lost its end in this epoch. */
  #cuts = 0;

  fail(check: string, detail: string): void {
    this.failures.push(`${check}: ${detail}`);
    this.onFailure(`FAILED ${check}: ${detail}`);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  channel(name: string): ChannelLedger {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = emptyLedger(name);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  addWrite(info: WriteInfo): void {
    this.writes.push(info);
    this.#byOp.set(info.op, info);
    // A leader makes the batch of a server's own write itself, of the same ops.
    if (info.op.type === 'batch') this.#byOp.set(info.op.ops, info);
  }

  /** An op that was queued again is another object and the same write. */
  sameWrite(op: Op, before: Op): void {
    const info = this.infoOf(before);
    if (info !== undefined) this.#byOp.set(op, info);
  }

  infoOf(op: Op): WriteInfo | undefined {
    return this.#byOp.get(op) ?? (op.type === 'batch' ? this.#byOp.get(op.ops) : undefined);
  }

  /** A frame was appended. */
  append(frame: Frame): void {
    const channel = this.channel(frame.channel);
    checkFrame(this, channel, frame);
    this.#fold(channel, frame, false);
    channel.appendedAt.push({ ms: this.serverMs(), position: lastOf(frame) });
    this.count('frames');
  }

  /** Names what positions belong to: a log that lost its end gives them out again, under the same epoch. */
  get universe(): string {
    return this.#cuts === 0 ? this.logEpoch : `${this.logEpoch} cut ${this.#cuts}`;
  }

  /** The log is another one now: a backup. */
  restore(frames: (channel: string) => readonly Frame[]): void {
    this.#cuts = 0;
    this.#replace([...this.#channels.keys()], frames);
  }

  /** The logs of these channels end earlier than they did. */
  loseTail(channels: readonly string[], frames: (channel: string) => readonly Frame[]): void {
    this.#cuts += 1;
    this.#replace(channels, frames);
  }

  #replace(names: readonly string[], frames: (channel: string) => readonly Frame[]): void {
    for (const name of names) {
      const before = this.channel(name);
      const channel = emptyLedger(name);
      this.#channels.set(name, channel);
      for (const frame of frames(name)) this.#fold(channel, frame, true);
      for (const info of before.accepted.keys()) if (!channel.accepted.has(info)) info.wasRestored = true;
    }
  }

  #fold(channel: ChannelLedger, frame: Frame, isReplay: boolean): void {
    channel.frames.add(frame);
    for (const [index, record] of frame.records.entries()) {
      const position = frame.base + index;
      if (record.type === 'expire') channel.expired.add(record.clientId);
      if (record.type === 'op' || record.type === 'reject') checkOnce(this, channel, record, isReplay);
      const info = record.type === 'op' ? this.infoOf(record.op) : undefined;
      if (record.type === 'op' && info !== undefined) this.#accept(channel, record, info, position, isReplay);
      if (record.type === 'op' && !isReplay) checkBases(this, channel.truth, record);
      channel.truth.apply({ ...frame, base: position, records: [record] });
      if (record.type === 'gc') buryExpired(channel, { epoch: this.logEpoch, position });
      if (record.type === 'op') noteFields(channel, record, info, { epoch: this.logEpoch, position });
    }
    channel.hashAt.set(lastOf(frame), channel.truth.hash);
    if (!isReplay) checkDeleted(this, channel, frame);
  }

  #accept(channel: ChannelLedger, record: OpRecord, info: WriteInfo, position: number, isReplay: boolean): void {
    if (!isReplay) {
      checkStamp(this, record, info);
      checkCausality(this, channel, record, info, position);
      this.count('ops in the log');
    }
    channel.accepted.set(info, { clientId: record.clientId, stamp: stampOf(record) });
  }
}

/** A write of several entities is buried once for each of them, and a device may show a universe before this one. */
export function graveOf(epoch: string, pk: PrimaryKey): string {
  return `${epoch} ${typeof pk} ${pk}`;
}

function noteFields(
  channel: ChannelLedger,
  { op }: OpRecord,
  info: WriteInfo | undefined,
  at: { readonly epoch: string; readonly position: number },
): void {
  for (const { pk, type } of singlesOf(op)) {
    const writes = channel.fieldWrites.get(pk) ?? new Set();
    if (!channel.truth.isLive(pk)) {
      const grave = graveOf(at.epoch, pk);
      for (const write of writes) if (!write.buriedAt.has(grave)) write.buriedAt.set(grave, at.position);
      writes.clear();
    } else if (info !== undefined && type !== 'put' && type !== 'delete') {
      writes.add(info);
      channel.fieldWrites.set(pk, writes);
    }
  }
}

/** Rows that went by their age took field registers with them, and no op names them. */
function buryExpired(channel: ChannelLedger, { epoch, position }: { readonly epoch: string; readonly position: number }): void {
  for (const [pk, writes] of channel.fieldWrites) {
    if (channel.truth.isLive(pk)) continue;
    const grave = graveOf(epoch, pk);
    for (const write of writes) if (!write.buriedAt.has(grave)) write.buriedAt.set(grave, position);
    writes.clear();
  }
}

const NO_ABLATIONS: Ablations = {};

function emptyLedger(name: string): ChannelLedger {
  return {
    truth: new ModelFold(name, NO_ABLATIONS),
    hashAt: new Map(),
    accepted: new Map(),
    lastSeq: new Map(),
    expired: new Set(),
    newestDelete: new Map(),
    touches: new Map(),
    appendedAt: [],
    fieldWrites: new Map(),
    frames: new Set(),
  };
}
