import { assert, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import { APPEND_RETRY_MS, BUSY_RETRY_MS, MAX_TAIL_BYTES, MAX_WAITING, TICK_MS } from '../limits.ts';
import type { Append, AppendParts, SubscribeEvent } from './append.ts';
import { planGroup, type Waiting } from './group.ts';
import { type Maintenance, planMaintenance } from './maintenance.ts';
import { Manifests } from './manifests.ts';
import { Serving } from './serving.ts';
import type { LeaderEffect, LeaderEvent, LeaderOptions, LogEntryFrame } from './types.ts';

type State = 'folding' | 'leading' | 'serving' | 'done';

/**
 * The leader of one slot, without I/O. It folds the log, appends `lead`, and only then answers anybody (R17). One append is in flight; what
 * arrives meanwhile is the next group. `nowMs` is its wall clock.
 */
export class LeaderMachine {
  readonly #options: LeaderOptions;
  readonly #ablations: Ablations;
  readonly #manifests = new Manifests();
  readonly #serving: Serving;
  #state: State = 'folding';
  #last = 0;
  #appendId = 0;
  #inFlight: Append | undefined;
  #waiting: Waiting[] = [];
  #tickRequests: number[] = [];
  #isTickDue = false;
  #lastTick = 0;
  /** Sessions that closed while an append was in flight: its subscribes may be theirs. */
  readonly #closedInFlight = new Set<string>();
  /** Elsewhere than here. */
  #readers = 0;
  /** Bytes of each channel's log after its manifest. */
  readonly #tail = new Map<string, number>();
  readonly #gone = new Set<string>();
  #maintenance: Maintenance[] = [];
  /** Subscribes that wait for the next append. */
  #arriving: SubscribeEvent[] = [];
  #effects: LeaderEffect[] = [];
  #nowMs = 0;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#ablations = options.ablations ?? {};
    this.#serving = new Serving({
      options,
      manifests: this.#manifests,
      isGone: (channel) => this.#isGone(channel),
      effect: (effect) => this.#effects.push(effect),
    });
  }

  get isServing(): boolean {
    return this.#state === 'serving';
  }

  /** Subscriptions of a channel, for inspection. Cost: linear in them. */
  subscribersOf(channel: string): number {
    return this.#serving.subscriptions.of(channel).length;
  }

  /** To be called once, before any event. */
  start(): LeaderEffect[] {
    return [{ type: 'replay' }, { type: 'timer', timer: 'tick', delayMs: TICK_MS }];
  }

  step(event: LeaderEvent, nowMs: number): LeaderEffect[] {
    this.#nowMs = nowMs;
    this.#effects = [];
    if (this.#state !== 'done') this.#dispatch(event);
    return this.#effects;
  }

  #dispatch(event: LeaderEvent): void {
    switch (event.type) {
      case 'replayed':
        this.#replayed(event);
        return;
      case 'appended':
        this.#appended(event);
        return;
      case 'read-back':
        this.#readBack(event);
        return;
      case 'subscribe':
        this.#arrive(event);
        return;
      case 'push':
        this.#push(event);
        return;
      case 'write':
        this.#write(event);
        return;
      case 'tick-now':
        this.#tickNow(event.request);
        return;
      case 'readers':
        this.#readers = event.count;
        return;
      case 'unsubscribe':
        this.#serving.unsubscribe(event);
        return;
      case 'credit':
        this.#serving.credit(event);
        return;
      case 'session-closed':
        this.#serving.subscriptions.endSession(event.session);
        this.#arriving = this.#arriving.filter(({ principal }) => principal.session !== event.session);
        if (this.#inFlight !== undefined) this.#closedInFlight.add(event.session);
        return;
      case 'read':
        this.#serving.read(event);
        return;
      case 'maintain':
        if (this.#state !== 'serving') return;
        this.#maintenance.push({ channel: event.channel, records: event.records });
        this.#flush();
        return;
      case 'manifest':
        this.#manifests.set(event.channel, event.offer, event.firstPosition);
        return;
      case 'tail':
        this.#tail.set(event.channel, event.bytes);
        return;
      case 'gone':
        this.#dropChannel(event.channel);
        return;
      case 'timer':
        if (event.timer === 'tick') this.#tick();
        else if (this.#inFlight !== undefined && event.timer === `retry:${this.#inFlight.id}`) this.#sendAppend(this.#inFlight);
        return;
    }
  }

  /* ---------- taking over ---------- */
  #replayed({ lastSequence, newestEpoch }: Extract<LeaderEvent, { type: 'replayed' }>): void {
    if (this.#state !== 'folding') return;
    // Somebody newer leads already. Appending after that would leave two leaders, the newer one stale until it appends itself.
    if (newestEpoch > this.#options.leaderEpoch && !this.#ablations['no-lead-record']) {
      this.#stepDown();
      return;
    }
    this.#last = lastSequence;
    const { logEpoch, leaderEpoch } = this.#options;
    if (this.#ablations['no-lead-record']) {
      this.#serve();
      return;
    }
    this.#state = 'leading';
    const lead = { logEpoch, leaderEpoch, record: { type: 'lead', leaderEpoch } } as const;
    this.#append({ entries: [lead] });
  }

  #serve(): void {
    this.#state = 'serving';
    this.#flush();
  }

  #stepDown(): void {
    this.#serving.tellAllEnd('new-leader');
    this.#leaveUnanswered();
    this.#state = 'done';
    this.#effects.push({ type: 'step-down' });
  }

  /** What the host asked itself and will hear nothing else of. Pushes need no word: their subscriptions have ended. */
  #leaveUnanswered(): void {
    const void_ = (request: number, mayBeInLog: boolean): void => {
      this.#effects.push({ type: 'unanswered', request, mayBeInLog });
    };
    for (const request of this.#inFlight?.requests ?? []) void_(request, true);
    for (const request of this.#inFlight?.tick?.requests ?? []) void_(request, false);
    for (const { principal, message } of [...(this.#inFlight?.subscribes ?? []), ...this.#arriving.splice(0)]) {
      this.#serving.tellEnd(principal.session, message.channel, message.subscription, 'new-leader');
    }
    for (const waiting of this.#waiting.splice(0)) if (waiting.type === 'write') void_(waiting.request, false);
    for (const request of this.#tickRequests.splice(0)) void_(request, false);
  }

  /* ---------- appending ---------- */
  #append(parts: AppendParts): void {
    this.#appendId += 1;
    this.#inFlight = { id: this.#appendId, expectedLast: this.#last, isUncertain: false, ...parts };
    this.#sendAppend(this.#inFlight);
  }

  #sendAppend({ id, expectedLast, entries }: Append): void {
    this.#effects.push({ type: 'append', append: id, expectedLast, entries });
  }

  #appended({ append: id, outcome }: Extract<LeaderEvent, { type: 'appended' }>): void {
    const append = this.#inFlight;
    if (append?.id !== id) return;
    if (outcome === 'ok') {
      this.#committed(append);
    } else if (outcome === 'unknown' && this.#ablations['blind-append-retry']) {
      // Append again at the new end, wherever that is.
      this.#effects.push({ type: 'append', append: id, expectedLast: -1, entries: append.entries });
    } else if (outcome === 'unknown') {
      append.isUncertain = true;
      this.#effects.push({ type: 'timer', timer: `retry:${id}`, delayMs: APPEND_RETRY_MS });
    } else if (append.isUncertain) {
      this.#effects.push({ type: 'read-back', append: id, sequence: append.expectedLast + 1, entries: append.entries });
    } else if (this.#state === 'leading') {
      this.#foldAgain();
    } else {
      this.#stepDown();
    }
  }

  /** Design 10: the bytes that stand there tell what became of ours. */
  #readBack({ append: id, isOurs }: Extract<LeaderEvent, { type: 'read-back' }>): void {
    const append = this.#inFlight;
    if (append?.id !== id) return;
    if (isOurs) this.#committed(append);
    else if (this.#state === 'leading') this.#foldAgain();
    else this.#stepDown();
  }

  #foldAgain(): void {
    this.#inFlight = undefined;
    this.#state = 'folding';
    this.#effects.push({ type: 'replay' });
  }

  #committed(append: Append): void {
    this.#inFlight = undefined;
    this.#last = append.expectedLast + append.entries.length;
    for (const entry of append.entries) if ('records' in entry) this.#options.folds.apply(entry);
    for (const [channel, bytes] of append.bytes ?? []) this.#tail.set(channel, (this.#tail.get(channel) ?? 0) + bytes);
    if (!this.#ablations['ack-before-append']) this.#effects.push(...(append.replies ?? []));
    // R15: before anything else is planned, which would find no LMID and take a resent seq 1 for a new client.
    for (const { channel, clientId } of append.expired ?? []) this.#serving.endClient(channel, clientId, 'expired');
    for (const entry of append.entries) if ('records' in entry) this.#serving.serveChannel(entry.channel);
    for (const event of append.subscribes ?? []) if (!this.#closedInFlight.has(event.principal.session)) this.#serving.begin(event);
    this.#closedInFlight.clear();
    if (append.tick !== undefined) this.#ticked(append.tick);
    if (this.#state === 'leading') this.#serve();
    else this.#flush();
  }

  /* ---------- pushing ---------- */
  #push({ principal, message }: Extract<LeaderEvent, { type: 'push' }>): void {
    const { channel, subscription } = message;
    const { session } = principal;
    const isCurrent = this.#serving.subscriptions.get(session, channel, subscription) !== undefined;
    if (this.#isGone(channel)) {
      this.#serving.reply(session, { type: 'gone', channel, subscription });
    } else if (this.#state !== 'serving' || (!isCurrent && !this.#ablations['no-subscription-fence'])) {
      this.#serving.tellEnd(session, channel, subscription, 'not-subscribed');
    } else if (!principal.canWrite) {
      this.#serving.reply(session, { type: 'denied', channel, subscription, access: 'write' });
    } else if (this.#isBusy(channel)) {
      this.#serving.reply(session, { type: 'busy', channel, subscription, retryMs: BUSY_RETRY_MS });
    } else {
      this.#waiting.push({ type: 'push', principal, message });
      this.#flush();
    }
  }

  /** Before it serves it takes writes too: they wait. */
  #write(event: Extract<LeaderEvent, { type: 'write' }>): void {
    const { request, channel, ops } = event;
    assert(ops.length > 0, () => `leader: write ${request} to ${channel}: ops expected, got none`);
    if (this.#isGone(channel) || this.#isBusy(channel)) {
      this.#effects.push({ type: 'write-refused', request, code: this.#isGone(channel) ? 'PARTITION_UNKNOWN' : 'RATE_LIMITED' });
      return;
    }
    this.#waiting.push(event);
    this.#flush();
  }

  #isBusy(channel: string): boolean {
    const isTailFull = (this.#tail.get(channel) ?? 0) > (this.#options.maxTailBytes ?? MAX_TAIL_BYTES);
    return isTailFull || this.#waiting.length >= MAX_WAITING;
  }

  #isGone(channel: string): boolean {
    return this.#gone.has(channel) || this.#options.isGone?.(channel) === true;
  }

  /** Group commit: everything that waits, up to the bounds, in one append. Maintenance goes alone, so that it meets no planned record. */
  #flush(): void {
    while (this.#state === 'serving' && this.#inFlight === undefined) {
      if (this.#maintenance.length > 0) {
        this.#appendMaintenance();
        continue;
      }
      const tick = this.#nextTick();
      if (this.#waiting.length === 0 && tick === undefined) return;
      const { entries, replies, requests, bytes } = planGroup(this.#waiting, {
        options: this.#options,
        subscriptions: this.#serving.subscriptions,
        nowMs: this.#nowMs,
      });
      if (tick !== undefined) entries.push(tick.frame);
      const isAckedEarly = this.#ablations['ack-before-append'] || entries.length === 0;
      if (isAckedEarly) this.#effects.push(...replies);
      if (entries.length === 0) continue;
      this.#append({ entries, replies: isAckedEarly ? [] : replies, requests, bytes, tick, subscribes: this.#arriving.splice(0) });
    }
  }

  #appendMaintenance(): void {
    const { entries, expired } = planMaintenance(this.#maintenance.splice(0), this.#options);
    if (entries.length === 0) return;
    this.#append({ entries, expired });
  }

  /* ---------- subscriptions ---------- */
  /**
   * R17. What this leader knows may be old: another one may lead already. So a subscribe is answered when an append after it has succeeded; a
   * tick, if there is nothing else to append. One serves all that wait.
   */
  #arrive(event: SubscribeEvent): void {
    if (this.#state === 'serving' && this.#ablations['unconfirmed-subscribe']) {
      this.#serving.begin(event);
      return;
    }
    this.#arriving.push(event);
    this.#flush();
  }

  /** What is in flight goes on; it is appended to a log that nobody reads any more. */
  #dropChannel(channel: string): void {
    this.#gone.add(channel);
    this.#serving.dropChannel(channel);
    // Waiting pushes find no subscription when they are taken.
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.type !== 'write' || waiting.channel !== channel) return true;
      this.#effects.push({ type: 'write-refused', request: waiting.request, code: 'PARTITION_UNKNOWN' });
      return false;
    });
    this.#maintenance = this.#maintenance.filter((maintenance) => maintenance.channel !== channel);
  }

  /* ---------- ticks ---------- */
  /** Once a second, while anybody reads. An append that takes long must not look like a dead leader. */
  #tick(): void {
    this.#effects.push({ type: 'timer', timer: 'tick', delayMs: TICK_MS });
    if (this.#state !== 'serving') return;
    const subscriptions = this.#serving.subscriptions.all();
    if (subscriptions.length + this.#readers === 0) return;
    this.#isTickDue = true;
    if (this.#inFlight === undefined) this.#flush();
    else for (const subscription of subscriptions) this.#serving.sendTick(subscription);
  }

  #tickNow(request: number): void {
    if (this.#ablations['tick-not-appended'] && this.#state === 'serving') {
      this.#effects.push({ type: 'ticked', request, time: this.#lastTick as Timestamp, lastSequence: this.#last });
      return;
    }
    this.#tickRequests.push(request);
    this.#flush();
  }

  /** The tick that goes with the next append, if one is due. */
  #nextTick(): (NonNullable<AppendParts['tick']> & { readonly frame: LogEntryFrame }) | undefined {
    if (!this.#isTickDue && this.#tickRequests.length === 0 && this.#arriving.length === 0) return undefined;
    this.#isTickDue = false;
    this.#lastTick = Math.max(this.#lastTick, Math.floor(this.#nowMs) * TICKS_PER_MS);
    const time = this.#lastTick as Timestamp;
    const { logEpoch, leaderEpoch } = this.#options;
    return { time, requests: this.#tickRequests.splice(0), frame: { logEpoch, leaderEpoch, record: { type: 'tick', time } } };
  }

  #ticked({ time, requests }: NonNullable<AppendParts['tick']>): void {
    for (const request of requests) this.#effects.push({ type: 'ticked', request, time, lastSequence: this.#last });
    this.#serving.ticked(time);
  }
}
