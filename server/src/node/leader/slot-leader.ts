import {
  assertNever,
  type Clock,
  DbError,
  type ErrorCode,
  type LogEntry,
  type SingleOp,
  type Span,
  TICKS_PER_MS,
  type Timestamp,
} from '@terndb/core';
import { fromKernel } from '@terndb/engine/parts';
import { type ChannelAnswer, type ChannelRequest, type LeaderEffect, type LeaderEvent, LeaderMachine, type Principal } from '@terndb/sync';
import type { ChannelTable } from '../channels/channel-table.ts';
import type { FrameCache, SizedFrame } from '../channels/frame-cache.ts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { TracedPush } from '../types.ts';
import { AppendTrouble } from './append-trouble.ts';
import { Appends } from './appends.ts';
import { Asked } from './asked.ts';
import { checkOp } from './check-op.ts';
import { SLOT_ENTRY, type SlotLog } from './slot-log.ts';
import { WriteSpans } from './write-spans.ts';

export interface SlotLeaderOptions {
  readonly slot: number;
  readonly logEpoch: string;
  readonly leaderEpoch: number;
  readonly log: SlotLog;
  readonly append: (expectedLast: number, entries: readonly LogEntry[]) => Promise<number>;
  readonly clock: Clock;
  readonly channels: ChannelTable;
  readonly cache: FrameCache;
  readonly maxTailBytes: number;
  readonly isGone: (channel: string) => boolean;
  /** It takes nothing more, as if it were gone, and what it took is folded. */
  readonly isClosing?: (channel: string) => boolean;
  readonly deliver: (session: string, message: ChannelAnswer) => void;
  /** An append has failed; it is tried again. */
  readonly onAppendFailed: () => void;
  /** Frames of these channels, or a tick, are folded. */
  readonly onApplied: (channels: ReadonlySet<string>) => void;
  /** It leads no more, for good: another leader, or a bug. */
  readonly onStopped: (error: DbError) => void;
}

export interface ServerWrite {
  readonly channel: string;
  readonly ops: readonly SingleOp[];
  readonly author: string;
  readonly schemaVersion: number;
  readonly hlc?: Timestamp;
  /** Of a traced request. */
  readonly span?: Span;
}

/** After the last bounded read ticks go on for so long, so that the next one finds a young one and waits for nothing. */
const READER_MS = 10_000;

/** Leads one slot: the effects of a `LeaderMachine` against broker and clock. Everything but the appends and the reads is synchronous. */
export class SlotLeader {
  readonly slot: number;
  readonly leaderEpoch: number;
  readonly #options: SlotLeaderOptions;
  readonly #machine: LeaderMachine;
  readonly #events: LeaderEvent[] = [];
  readonly #appends: Appends;
  readonly #writes = new Asked<{ readonly position: number }>();
  readonly #ticks = new Asked<Timestamp>();
  readonly #spans = new WriteSpans();
  readonly #timers = new Set<() => void>();
  readonly #trouble = new AppendTrouble();
  #applied = new Set<string>();
  #isStepping = false;
  #request = 0;
  #lastTick = 0 as Timestamp;
  #hasReader = false;
  #readUntilMs = 0;
  #stopped: DbError | undefined;
  /** Of `start`. */
  #starting: { readonly resolve: () => void; readonly reject: (error: DbError) => void } | undefined;

  constructor(options: SlotLeaderOptions) {
    this.#options = options;
    this.slot = options.slot;
    this.leaderEpoch = options.leaderEpoch;
    this.#appends = new Appends(options);
    this.#machine = new LeaderMachine({
      logEpoch: options.logEpoch,
      leaderEpoch: options.leaderEpoch,
      folds: options.channels,
      maxTailBytes: options.maxTailBytes,
      isGone: (channel) => options.isGone(channel) || options.isClosing?.(channel) === true,
      validate: (channel, op) => checkOp(options.channels.get(channel), op),
      // Of a catalog that is older than the device's answer, as after a restore: not yet is not no.
      schemaVersionOf: (channel) => options.channels.get(channel).channel.collection.schemaVersion,
    });
  }

  get log(): SlotLog {
    return this.#options.log;
  }

  get state(): 'starting' | 'serving' | 'stopped' {
    if (this.#stopped !== undefined) return 'stopped';
    return this.#machine.isServing ? 'serving' : 'starting';
  }

  /** STORAGE_FULL, STORAGE_UNAVAILABLE: the log has taken nothing for a while. Writes would wait in vain. */
  get trouble(): DbError | undefined {
    return this.#trouble.error(this.#options.clock.monotonicMs(), { slot: this.slot, mayBeInLog: false });
  }

  /** The newest tick that is folded: everything acknowledged before it has been seen here. 0: none yet. */
  get lastTick(): Timestamp {
    return this.#lastTick;
  }

  subscribers(channel: string): number {
    return this.#machine.subscribersOf(channel);
  }

  /** Resolves when it serves. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      this.#perform(this.#machine.start());
    });
  }

  event(event: LeaderEvent): void {
    if (this.#stopped !== undefined) return;
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      this.#stepAll();
    } catch (error) {
      this.stop(fromKernel(error));
    } finally {
      this.#isStepping = false;
    }
  }

  push(principal: Principal, message: Extract<ChannelRequest, { type: 'push' }>, traced: TracedPush | undefined): void {
    if (traced !== undefined) this.#spans.waitForPush(traced, { slot: this.slot, channel: message.channel, ops: message.records.length });
    this.event({ type: 'push', principal, message });
  }

  /** Durable and folded when it resolves. Ops together at most MAX_OP_BYTES. Errors of the plan (NOT_FOUND, RATE_LIMITED …). */
  write({ span, ...write }: ServerWrite): Promise<{ readonly position: number }> {
    const trouble = this.trouble;
    if (trouble !== undefined) return Promise.reject(trouble);
    return this.#ask(this.#writes, (request) => {
      this.#spans.wait(request, write.channel, span);
      this.event({ type: 'write', request, ...write });
    });
  }

  /** Appends a tick, or shares one; when it resolves, everything acknowledged before the call is folded. */
  tick(): Promise<Timestamp> {
    return this.#ask(this.#ticks, (request) => this.event({ type: 'tick-now', request }));
  }

  /** A read wants young ticks: they come once a second for a while (design 7). */
  noteReader(): void {
    if (this.#stopped !== undefined) return;
    const { clock } = this.#options;
    this.#readUntilMs = clock.monotonicMs() + READER_MS;
    if (this.#hasReader) return;
    this.#hasReader = true;
    this.event({ type: 'readers', count: 1 });
    this.#checkReader();
  }

  /** The newest manifest of a channel has changed, or where its log begins. */
  announce(channel: NodeChannel): void {
    const { published } = channel.channel;
    const firstPosition = channel.index.firstPosition(channel.position);
    const reference = published && Buffer.from(published.pointer.object);
    const offer = published && reference && { upTo: published.manifest.upTo, reference: Uint8Array.from(reference) };
    this.event({ type: 'manifest', channel: channel.name, offer, firstPosition });
    this.event({ type: 'tail', channel: channel.name, bytes: channel.tailBytes });
  }

  /** Answers nobody any more. Idempotent. */
  stop(error: DbError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#writes.rejectAll(error);
    this.#ticks.rejectAll(error);
    this.#spans.clear();
    this.#starting?.reject(error);
    this.#options.onStopped(error);
  }

  #checkReader(): void {
    const leftMs = this.#readUntilMs - this.#options.clock.monotonicMs();
    if (leftMs > 0) {
      this.#callAfter(leftMs, () => this.#checkReader());
      return;
    }
    this.#hasReader = false;
    this.event({ type: 'readers', count: 0 });
  }

  #ask<T>(asked: Asked<T>, send: (request: number) => void): Promise<T> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    this.#request += 1;
    const request = this.#request;
    const answer = asked.wait(request);
    send(request);
    return answer;
  }

  #stepAll(): void {
    for (let event = this.#events.shift(); event !== undefined && this.#stopped === undefined; event = this.#events.shift()) {
      this.#perform(this.#machine.step(event, this.#options.clock.nowMs()));
    }
    if (this.#machine.isServing) this.#starting?.resolve();
    if (this.#applied.size === 0) return;
    const applied = this.#applied;
    this.#applied = new Set();
    this.#options.onApplied(applied);
  }

  #perform(effects: readonly LeaderEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: LeaderEffect): void {
    switch (effect.type) {
      case 'replay':
        this.#replay().catch((error: unknown) => this.stop(DbError.from(error)));
        return;
      case 'append':
        this.#append(effect);
        return;
      case 'read-back':
        this.#readBack(effect).catch((error: unknown) => this.stop(DbError.from(error)));
        return;
      case 'reply':
        this.#options.deliver(effect.session, effect.message);
        return;
      case 'read':
        this.#read(effect);
        return;
      case 'written':
        this.#spans.forget(effect.request);
        this.#writes.resolve(effect.request, { position: effect.position });
        return;
      case 'write-refused':
        this.#spans.forget(effect.request);
        this.#writes.reject(effect.request, refused(effect.code));
        return;
      case 'ticked':
        this.#ticks.resolve(effect.request, effect.time);
        return;
      case 'unanswered':
        this.#spans.forget(effect.request);
        this.#writes.reject(effect.request, unanswered(this.slot, effect.mayBeInLog));
        this.#ticks.reject(effect.request, unanswered(this.slot, false));
        return;
      case 'timer':
        this.#after(effect.delayMs, { type: 'timer', timer: effect.timer });
        return;
      case 'step-down':
        this.stop(
          new DbError('APPEND_CONFLICT', `slot ${this.slot}: another leader has appended to its log`, { details: { slot: this.slot } }),
        );
        return;
      default:
        assertNever(effect, 'leader effect');
    }
  }

  #after(delayMs: number, event: LeaderEvent): void {
    this.#callAfter(delayMs, () => this.event(event));
  }

  /** Not after it has stopped. */
  #callAfter(delayMs: number, callback: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      callback();
    });
    this.#timers.add(cancel);
  }

  async #replay(): Promise<void> {
    const { lastSequence, newestEpoch } = await this.#options.log.replay();
    for (const channel of this.#options.channels.all()) if (channel.slot === this.slot) this.announce(channel);
    this.event({ type: 'replayed', lastSequence, newestEpoch });
  }

  /* ---------- appending ---------- */
  #append(effect: Extract<LeaderEffect, { type: 'append' }>): void {
    const { append } = effect;
    const pending = this.#appends.take(effect);
    if (!this.#appends.reserve(pending)) {
      // Nothing was sent, so it is sent again later: rows that are sealed or dropped meanwhile make room.
      this.#after(0, { type: 'appended', append, outcome: 'unknown' });
      return;
    }
    const { frames, entries, expectedLast } = pending;
    const spans = this.#spans.append(this.slot, frames, entries);
    this.#options.append(expectedLast, entries).then(
      () => {
        for (const span of spans) span.end();
        this.#appended(append, 'ok');
      },
      (error: unknown) => {
        for (const span of spans) span.end(error);
        const cause = DbError.from(error);
        if (cause.code !== 'APPEND_CONFLICT') this.#failed(cause);
        this.#appended(append, cause.code === 'APPEND_CONFLICT' ? 'conflict' : 'unknown');
      },
    );
  }

  /** The append goes on being tried; those who asked for writes are told what became of them so far. */
  #failed(cause: DbError): void {
    const { clock, onAppendFailed } = this.#options;
    this.#trouble.failed(cause, clock.monotonicMs());
    onAppendFailed();
    const error = this.#trouble.error(clock.monotonicMs(), { slot: this.slot, mayBeInLog: true });
    if (error === undefined) return;
    this.#writes.rejectAll(error);
    this.#spans.clear();
  }

  #appended(append: number, outcome: 'ok' | 'conflict' | 'unknown'): void {
    if (outcome === 'ok') this.#committed(append);
    this.event({ type: 'appended', append, outcome });
  }

  /** Before the machine folds them and serves its subscribers: they are found by position from now on. */
  #committed(append: number): void {
    if (this.#stopped !== undefined) return;
    const pending = this.#appends.committed(append);
    if (pending === undefined) return;
    this.#trouble.ended();
    const { frames, entries, expectedLast } = pending;
    for (const [index, frame] of frames.entries()) {
      const sequence = expectedLast + 1 + index;
      const bytes = entries[index]!.bytes.length;
      if ('records' in frame) {
        this.#options.log.appended(sequence, frame, bytes);
        this.#options.cache.add({ frame, bytes });
        this.#applied.add(frame.channel);
      } else {
        this.#options.log.appendedSlotFrame(sequence);
        if (frame.record.type !== 'tick') continue;
        this.#lastTick = frame.record.time;
        this.#applied.add(SLOT_ENTRY);
      }
    }
  }

  async #readBack(effect: Extract<LeaderEffect, { type: 'read-back' }>): Promise<void> {
    const { append } = effect;
    const isOurs = await this.#appends.isInLog(effect);
    if (isOurs) this.#committed(append);
    this.event({ type: 'read-back', append, isOurs, lastSequence: this.#options.log.lastSequence });
  }

  /* ---------- subscribers ---------- */
  #read(effect: Extract<LeaderEffect, { type: 'read' }>): void {
    const { session, channel: name, subscription, from, maxBytes } = effect;
    const answer = (frames: Extract<LeaderEvent, { type: 'read' }>['frames']): void =>
      this.event({ type: 'read', session, channel: name, subscription, frames });
    const channel = this.#options.channels.get(name);
    const cached = this.#options.cache.read(name, from, maxBytes);
    if (cached !== undefined) answer(cached);
    else this.#options.log.read(channel, from, maxBytes).then(answer, () => answer(undefined));
  }

  /** Frames of a channel from the one that holds `position` on, about `maxBytes` but at least one; undefined when the log does not have it any more. */
  async frames(channel: NodeChannel, position: number, maxBytes: number): Promise<readonly SizedFrame[] | undefined> {
    return this.#options.cache.read(channel.name, position, maxBytes) ?? this.#options.log.read(channel, position, maxBytes);
  }
}

function refused(code: string): DbError {
  return new DbError(code as ErrorCode, `write: refused by the leader of its channel with ${code}`, { details: { code } });
}

function unanswered(slot: number, mayBeInLog: boolean): DbError {
  const outcome = mayBeInLog ? 'it may be in the log' : 'nothing was appended';
  return new DbError('STORAGE_UNAVAILABLE', `slot ${slot}: another leader has taken over; ${outcome}`, { details: { slot, mayBeInLog } });
}

/** Milliseconds of the wall clock that a tick stands for. */
export function tickMs(tick: Timestamp): number {
  return Math.floor(tick / TICKS_PER_MS);
}
