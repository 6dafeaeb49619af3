import type { Frame, Timestamp } from '@terndb/core';
import type { LeaderEffect, Principal } from './types.ts';

/** Bytes of one read of the log: a slice that one subscriber gets before the next one has its turn. */
const READ_BYTES = 256 * 1024;

export interface Subscription {
  readonly principal: Principal;
  readonly channel: string;
  readonly id: number;
  /** Last position sent. A position and a credit are all that is kept: never a queue. */
  position: number;
  /** Granted at the subscribe: so much may be sent ahead of what was applied. */
  readonly windowBytes: number;
  sentBytes: number;
  appliedBytes: number;
  /** LMID that it was told at its start, with every refusal up to there. */
  readonly knownSeq: number;
  isReading: boolean;
  /** The newest tick that it has been served up to; 0: none. */
  freshTime: Timestamp;
  /** A tick that counts when the channel's head at that time has been sent. */
  awaitedTick: { readonly time: Timestamp; readonly head: number } | undefined;
}

const keyOf = (session: string, channel: string): string => `${session} ${channel}`;

/** Who follows which channel of a slot, and how far each has been served (R18). */
export class Subscriptions {
  readonly #bySession = new Map<string, Subscription>();
  readonly #byChannel = new Map<string, Set<Subscription>>();

  get(session: string, channel: string, id: number): Subscription | undefined {
    const found = this.#bySession.get(keyOf(session, channel));
    return found?.id === id ? found : undefined;
  }

  of(channel: string): readonly Subscription[] {
    return [...(this.#byChannel.get(channel) ?? [])];
  }

  newest(session: string, channel: string): number {
    return this.#bySession.get(keyOf(session, channel))?.id ?? 0;
  }

  all(): readonly Subscription[] {
    return [...this.#bySession.values()];
  }

  add(subscription: Subscription): void {
    const { principal, channel } = subscription;
    const before = this.#bySession.get(keyOf(principal.session, channel));
    if (before !== undefined) this.end(before);
    this.#bySession.set(keyOf(principal.session, channel), subscription);
    let set = this.#byChannel.get(channel);
    if (set === undefined) {
      set = new Set();
      this.#byChannel.set(channel, set);
    }
    set.add(subscription);
  }

  end(subscription: Subscription): void {
    this.#bySession.delete(keyOf(subscription.principal.session, subscription.channel));
    const set = this.#byChannel.get(subscription.channel);
    set?.delete(subscription);
    if (set?.size === 0) this.#byChannel.delete(subscription.channel);
  }

  endSession(session: string): void {
    for (const subscription of this.all()) if (subscription.principal.session === session) this.end(subscription);
  }

  /** Asks for the next frames when there are some, there is credit, and none are on their way. */
  read(subscription: Subscription, head: number): LeaderEffect | undefined {
    const { principal, channel, id, position, isReading, windowBytes, sentBytes, appliedBytes } = subscription;
    const creditBytes = windowBytes - (sentBytes - appliedBytes);
    if (isReading || position >= head || creditBytes <= 0) return undefined;
    subscription.isReading = true;
    const maxBytes = Math.min(creditBytes, READ_BYTES);
    return { type: 'read', session: principal.session, channel, subscription: id, from: position + 1, maxBytes };
  }

  sent(subscription: Subscription, frame: Frame, bytes: number): void {
    subscription.position = frame.base + frame.records.length - 1;
    subscription.sentBytes += bytes;
  }

  /** The client may count more than was counted here: that buys nothing. */
  applied(subscription: Subscription, bytes: number): void {
    subscription.appliedBytes = Math.min(Math.max(subscription.appliedBytes, bytes), subscription.sentBytes);
  }

  /** The slot's log has a tick. */
  ticked(subscription: Subscription, time: Timestamp, head: number): void {
    if (subscription.position >= head) {
      subscription.freshTime = time;
      subscription.awaitedTick = undefined;
    } else {
      subscription.awaitedTick ??= { time, head };
    }
  }

  /** Whether it has just been served up to a tick that it was behind of. */
  reachesTick(subscription: Subscription): boolean {
    const { awaitedTick, position } = subscription;
    if (awaitedTick === undefined || position < awaitedTick.head) return false;
    subscription.freshTime = awaitedTick.time;
    subscription.awaitedTick = undefined;
    return true;
  }
}
