import { assert, encodedOpBytes, FRAME_BYTES_TARGET, type Frame, type LogRecord, TICKS_PER_MS, type Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import { APPEND_RETRY_MS, BUSY_RETRY_MS, MAX_GROUP_OPS, TICK_MS } from '../limits.ts';
import type { ChannelAnswer, EndReason, KnownClient, ManifestOffer, Push } from '../protocol.ts';
import { ChannelPlan, type PushOutcome } from './plan.ts';
import { type Subscription, Subscriptions } from './subscriptions.ts';
import type { LeaderEffect, LeaderEvent, LeaderOptions, LogEntryFrame, Principal } from './types.ts';

interface WaitingPush {
  readonly principal: Principal;
  readonly message: Push;
}
interface Append {
  readonly id: number;
  readonly expectedLast: number;
  readonly entries: readonly LogEntryFrame[];
  readonly replies: readonly LeaderEffect[];
  readonly pushes: readonly WaitingPush[];
  readonly expired: readonly { readonly channel: string; readonly clientId: string }[];
  isUncertain: boolean;
}
type State = 'folding' | 'leading' | 'serving' | 'done';

/**
 * The leader of one slot, without I/O. It folds the log, appends `lead`, and only then answers anybody (R17). One append is in flight; what
 * arrives meanwhile is the next group. `nowMs` is its wall clock.
 */
export class LeaderMachine {
  readonly #options: LeaderOptions;
  readonly #ablations: Ablations;
  readonly #subscriptions = new Subscriptions();
  readonly #manifests = new Map<string, { readonly offer: ManifestOffer | undefined; readonly firstPosition: number }>();
  #state: State = 'folding';
  #last = 0;
  #appendId = 0;
  #inFlight: Append | undefined;
  #pushes: WaitingPush[] = [];
  #maintenance: { readonly channel: string; readonly records: readonly LogRecord[] }[] = [];
  /** Subscribes that came before it may answer. */
  #early: Extract<LeaderEvent, { type: 'subscribe' }>[] = [];
  #effects: LeaderEffect[] = [];
  #nowMs = 0;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#ablations = options.ablations ?? {};
  }

  get isServing(): boolean {
    return this.#state === 'serving';
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
        if (this.#state === 'serving') this.#subscribe(event);
        else this.#early.push(event);
        return;
      case 'push':
        this.#push(event);
        return;
      case 'credit':
        this.#credit(event);
        return;
      case 'session-closed':
        this.#subscriptions.endSession(event.session);
        this.#early = this.#early.filter(({ principal }) => principal.session !== event.session);
        return;
      case 'read':
        this.#read(event);
        return;
      case 'maintain':
        if (this.#state !== 'serving') return;
        this.#maintenance.push({ channel: event.channel, records: event.records });
        this.#flush();
        return;
      case 'manifest':
        this.#manifests.set(event.channel, { offer: event.offer, firstPosition: event.firstPosition });
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
    this.#append({ entries: [lead], replies: [], pushes: [], expired: [] });
  }

  #serve(): void {
    this.#state = 'serving';
    for (const event of this.#early.splice(0)) this.#subscribe(event);
    this.#flush();
  }

  #stepDown(): void {
    for (const { principal, channel, id } of this.#subscriptions.all()) this.#end(principal.session, channel, id, 'new-leader');
    this.#state = 'done';
    this.#effects.push({ type: 'step-down' });
  }

  /* ---------- appending ---------- */
  #append(parts: Pick<Append, 'entries' | 'replies' | 'pushes' | 'expired'>): void {
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
    if (!this.#ablations['ack-before-append']) this.#effects.push(...append.replies);
    // R15: before anything else is planned, which would find no LMID and take a resent seq 1 for a new client.
    for (const { channel, clientId } of append.expired) this.#endClient(channel, clientId, 'expired');
    for (const entry of append.entries) if ('records' in entry) this.#serveChannel(entry.channel);
    if (this.#state === 'leading') this.#serve();
    else this.#flush();
  }

  /* ---------- pushing ---------- */
  #push({ principal, message }: Extract<LeaderEvent, { type: 'push' }>): void {
    const { channel, subscription } = message;
    const { session } = principal;
    const isCurrent = this.#subscriptions.get(session, channel, subscription) !== undefined;
    if (this.#state !== 'serving' || (!isCurrent && !this.#ablations['no-subscription-fence'])) {
      this.#end(session, channel, subscription, 'not-subscribed');
    } else if (!principal.canWrite) {
      this.#reply(session, { type: 'denied', channel, subscription, access: 'write' });
    } else if (this.#pushes.length >= MAX_GROUP_OPS) {
      this.#busy(principal, message);
    } else {
      this.#pushes.push({ principal, message });
      this.#flush();
    }
  }

  #busy({ session }: Principal, { channel, subscription }: Push): void {
    this.#reply(session, { type: 'busy', channel, subscription, retryMs: BUSY_RETRY_MS });
  }

  /** Group commit: everything that waits, up to the bounds, in one append. Maintenance goes alone, so that it meets no planned record. */
  #flush(): void {
    if (this.#state !== 'serving' || this.#inFlight !== undefined) return;
    if (this.#maintenance.length > 0) {
      this.#appendMaintenance();
      return;
    }
    if (this.#pushes.length === 0) return;
    const plans = new Map<string, ChannelPlan>();
    const replies: LeaderEffect[] = [];
    const taken: WaitingPush[] = [];
    const bytes = new Map<string, number>();
    while (this.#pushes.length > 0) {
      const push = this.#pushes[0]!;
      const { channel, records } = push.message;
      const size = (bytes.get(channel) ?? 0) + records.reduce((sum, { op }) => sum + encodedOpBytes(op), 0);
      if (size > FRAME_BYTES_TARGET && bytes.has(channel)) break;
      bytes.set(channel, size);
      this.#pushes.shift();
      taken.push(push);
      const plan = plans.get(channel) ?? new ChannelPlan(this.#options, channel, this.#nowMs);
      plans.set(channel, plan);
      replies.push(...this.#take(plan, push));
    }
    const entries = [...plans.values()].filter(({ records }) => records.length > 0).map((plan) => plan.frame());
    if (this.#ablations['ack-before-append']) this.#effects.push(...replies);
    if (entries.length > 0) {
      this.#append({ entries, replies, pushes: taken, expired: [] });
    } else {
      if (!this.#ablations['ack-before-append']) this.#effects.push(...replies);
      this.#flush();
    }
  }

  #take(plan: ChannelPlan, { principal, message }: WaitingPush): LeaderEffect[] {
    const { channel, subscription, records } = message;
    const { session } = principal;
    // R18: an answer before this one may have ended it.
    const current = this.#subscriptions.get(session, channel, subscription);
    if (current === undefined && !this.#ablations['no-subscription-fence']) {
      return [{ type: 'reply', session, message: { type: 'ended', channel, subscription, reason: 'not-subscribed' } }];
    }
    const outcome = plan.push(principal, records);
    if (outcome.type === 'restamp' && current !== undefined && !this.#ablations['no-subscription-fence']) this.#subscriptions.end(current);
    return [{ type: 'reply', session, message: this.#answer(outcome, channel, subscription) }];
  }

  #answer(outcome: PushOutcome, channel: string, subscription: number): ChannelAnswer {
    switch (outcome.type) {
      case 'ack':
        return { ...outcome, channel, subscription };
      case 'restamp':
        return { ...outcome, channel, subscription, clock: Math.floor(this.#nowMs) };
      case 'gap':
        return { ...outcome, channel, subscription };
      case 'unknown-client':
        return { type: 'unknown-client', channel, subscription };
      case 'subject':
        return { type: 'denied', channel, subscription, access: 'write' };
    }
  }

  #appendMaintenance(): void {
    const { logEpoch, leaderEpoch, folds } = this.#options;
    const byChannel = new Map<string, LogRecord[]>();
    for (const { channel, records } of this.#maintenance.splice(0)) {
      byChannel.set(channel, [...(byChannel.get(channel) ?? []), ...records]);
    }
    const entries: Frame[] = [];
    const expired: { channel: string; clientId: string }[] = [];
    for (const [channel, records] of byChannel) {
      const { position, hash } = folds.get(channel);
      entries.push({ logEpoch, leaderEpoch, channel, base: position + 1, hashBefore: hash, records });
      for (const record of records) if (record.type === 'expire') expired.push({ channel, clientId: record.clientId });
    }
    this.#append({ entries, replies: [], pushes: [], expired });
  }

  /* ---------- subscriptions ---------- */
  #subscribe({ principal, message }: Extract<LeaderEvent, { type: 'subscribe' }>): void {
    const { channel, subscription } = message;
    const { session, clientId } = principal;
    if (subscription <= this.#subscriptions.newest(session, channel)) return;
    const same = this.#subscriptions.of(channel).filter((other) => other.principal.clientId === clientId);
    if (!this.#ablations['no-term-fence'] && same.some((other) => other.principal.term > principal.term)) {
      this.#end(session, channel, subscription, 'fenced');
      return;
    }
    // R18: what this client, or what it was before, pushed elsewhere is void from here on.
    for (const other of this.#subscriptions.of(channel)) {
      if (other.principal.clientId !== clientId && !message.formers.includes(other.principal.clientId)) continue;
      this.#subscriptions.end(other);
      // This subscribe may be the late one, of a connection that is gone: then the other hears of it and comes back.
      if (other.principal.session !== session) this.#end(other.principal.session, channel, other.id, 'not-subscribed');
    }
    const fold = this.#options.folds.get(channel);
    const author = fold.lmid(clientId)?.author ?? '';
    if (author !== '' && author !== principal.subject) {
      this.#reply(session, { type: 'denied', channel, subscription, access: 'read' });
      return;
    }
    const start = this.#startOf(channel, message);
    const state: Subscription = {
      principal,
      channel,
      id: subscription,
      position: start.from,
      creditBytes: message.credit,
      isReading: false,
      isBehind: false,
    };
    this.#subscriptions.add(state);
    this.#reply(session, {
      type: 'subscribed',
      channel,
      subscription,
      head: fold.position,
      known: this.#known(channel, clientId),
      formers: message.formers.map((former) => this.#known(channel, former)),
      ...start,
    });
    this.#serveOne(state);
  }

  #startOf(
    channel: string,
    { at, hash }: { readonly at?: number; readonly hash?: Frame['hashBefore'] },
  ): {
    readonly from: number;
    readonly manifest?: ManifestOffer;
  } {
    const fold = this.#options.folds.get(channel);
    const { offer, firstPosition } = this.#manifests.get(channel) ?? { offer: undefined, firstPosition: 1 };
    // R13: both know the hash of the same position.
    const hasDiverged =
      !this.#ablations['no-hash-check'] &&
      hash !== undefined &&
      at === fold.position &&
      (hash.lo !== fold.hash.lo || hash.hi !== fold.hash.hi);
    if (at !== undefined && at <= fold.position && at + 1 >= firstPosition && !hasDiverged) return { from: at };
    assert(offer !== undefined || firstPosition === 1, () => `leader: ${channel} is truncated to ${firstPosition} without a manifest`);
    return offer === undefined ? { from: 0 } : { from: offer.upTo, manifest: offer };
  }

  #known(channel: string, clientId: string): KnownClient {
    const lmid = this.#options.folds.get(channel).lmid(clientId);
    if (lmid === undefined) return { clientId, lmid: 0, position: 0, rejected: [] };
    return { clientId, lmid: lmid.seq, position: lmid.position, rejected: lmid.rejected };
  }

  #endClient(channel: string, clientId: string, reason: EndReason): void {
    if (this.#ablations['expire-keeps-subscription']) return;
    for (const subscription of this.#subscriptions.of(channel)) {
      if (subscription.principal.clientId !== clientId) continue;
      this.#subscriptions.end(subscription);
      this.#end(subscription.principal.session, channel, subscription.id, reason);
    }
  }

  #credit(event: Extract<LeaderEvent, { type: 'credit' }>): void {
    const subscription = this.#subscriptions.get(event.session, event.channel, event.subscription);
    if (subscription === undefined) return;
    subscription.creditBytes += event.bytes;
    this.#serveOne(subscription);
  }

  #serveChannel(channel: string): void {
    for (const subscription of this.#subscriptions.of(channel)) this.#serveOne(subscription);
  }

  #serveOne(subscription: Subscription): void {
    const effect = this.#subscriptions.read(subscription, this.#options.folds.get(subscription.channel).position);
    if (effect !== undefined) this.#effects.push(effect);
  }

  #read(event: Extract<LeaderEvent, { type: 'read' }>): void {
    const { session, channel, frames } = event;
    const subscription = this.#subscriptions.get(session, channel, event.subscription);
    if (subscription === undefined) return;
    subscription.isReading = false;
    if (frames === undefined) {
      this.#subscriptions.end(subscription);
      this.#end(session, channel, subscription.id, 'truncated');
      return;
    }
    for (const { frame, bytes } of frames) {
      this.#subscriptions.sent(subscription, frame, bytes);
      this.#reply(session, { type: 'frame', channel, subscription: subscription.id, frame });
    }
    this.#serveOne(subscription);
  }

  #tick(): void {
    this.#effects.push({ type: 'timer', timer: 'tick', delayMs: TICK_MS });
    if (this.#state !== 'serving') return;
    const time = (Math.floor(this.#nowMs) * TICKS_PER_MS) as Timestamp;
    for (const { principal, channel, id, position } of this.#subscriptions.all()) {
      this.#reply(principal.session, { type: 'tick', channel, subscription: id, time, position });
    }
  }

  #end(session: string, channel: string, subscription: number, reason: EndReason): void {
    this.#reply(session, { type: 'ended', channel, subscription, reason });
  }

  #reply(session: string, message: ChannelAnswer): void {
    this.#effects.push({ type: 'reply', session, message });
  }
}
