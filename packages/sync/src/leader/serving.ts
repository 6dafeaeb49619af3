import type { Timestamp } from '@terndb/core';
import type { Ablations } from '../ablations.ts';
import type { ChannelAnswer, EndReason } from '../protocol.ts';
import type { SubscribeEvent } from './append.ts';
import { knownOf, type Manifests } from './manifests.ts';
import { type Subscription, Subscriptions } from './subscriptions.ts';
import type { LeaderEffect, LeaderEvent, LeaderOptions } from './types.ts';

export interface ServingPorts {
  readonly options: LeaderOptions;
  readonly manifests: Manifests;
  readonly isGone: (channel: string) => boolean;
  readonly effect: (effect: LeaderEffect) => void;
}

/** What subscribers are told: how they begin, frames as far as their credit goes, ticks, and why they end. */
export class Serving {
  /** Read by who plans pushes; changed here, and where a push ends one. */
  readonly subscriptions: Subscriptions = new Subscriptions();
  readonly #ports: ServingPorts;
  readonly #ablations: Ablations;

  constructor(ports: ServingPorts) {
    this.#ports = ports;
    this.#ablations = ports.options.ablations ?? {};
  }

  /** R17: to be called when an append after the subscribe has succeeded. */
  begin({ principal, message }: SubscribeEvent): void {
    const { channel, subscription } = message;
    const { session, clientId } = principal;
    if (subscription <= this.subscriptions.newest(session, channel)) return;
    if (this.#ports.isGone(channel)) {
      this.reply(session, { type: 'gone', channel, subscription });
      return;
    }
    const same = this.subscriptions.of(channel).filter((other) => other.principal.clientId === clientId);
    if (!this.#ablations['no-term-fence'] && same.some((other) => other.principal.term > principal.term)) {
      this.tellEnd(session, channel, subscription, 'fenced');
      return;
    }
    this.#endOthers({ principal, message });
    const fold = this.#ports.options.folds.get(channel);
    const author = fold.lmid(clientId)?.author ?? '';
    if (author !== '' && author !== principal.subject) {
      this.reply(session, { type: 'denied', channel, subscription, access: 'read' });
      return;
    }
    const hash = this.#ablations['no-hash-check'] ? undefined : message.hash;
    const start = this.#ports.manifests.startOf(channel, fold, { at: message.at, hash });
    const state: Subscription = {
      principal,
      channel,
      id: subscription,
      position: start.from,
      windowBytes: message.credit,
      sentBytes: 0,
      appliedBytes: 0,
      knownSeq: fold.lmid(clientId)?.seq ?? 0,
      isReading: false,
      freshTime: 0 as Timestamp,
      awaitedTick: undefined,
    };
    this.subscriptions.add(state);
    this.reply(session, {
      type: 'subscribed',
      channel,
      subscription,
      head: fold.position,
      known: knownOf(fold, clientId),
      formers: message.formers.map((former) => knownOf(fold, former)),
      ...start,
    });
    this.#serveOne(state);
  }

  /** R18: what this client, or what it was before, pushed elsewhere is void from here on. */
  #endOthers({ principal: { session, clientId }, message: { channel, formers } }: Pick<SubscribeEvent, 'principal' | 'message'>): void {
    for (const other of this.subscriptions.of(channel)) {
      if (other.principal.clientId !== clientId && !formers.includes(other.principal.clientId)) continue;
      this.subscriptions.end(other);
      // This subscribe may be the late one, of a connection that is gone: then the other hears of it and comes back.
      if (other.principal.session !== session) this.tellEnd(other.principal.session, channel, other.id, 'not-subscribed');
    }
  }

  /** R15. */
  endClient(channel: string, clientId: string, reason: EndReason): void {
    if (this.#ablations['expire-keeps-subscription']) return;
    for (const subscription of this.subscriptions.of(channel)) {
      if (subscription.principal.clientId !== clientId) continue;
      this.subscriptions.end(subscription);
      this.tellEnd(subscription.principal.session, channel, subscription.id, reason);
    }
  }

  unsubscribe(event: Extract<LeaderEvent, { type: 'unsubscribe' }>): void {
    const subscription = this.subscriptions.get(event.session, event.channel, event.subscription);
    if (subscription !== undefined) this.subscriptions.end(subscription);
  }

  /** The channel is no more. */
  dropChannel(channel: string): void {
    for (const subscription of this.subscriptions.of(channel)) {
      this.subscriptions.end(subscription);
      this.reply(subscription.principal.session, { type: 'gone', channel, subscription: subscription.id });
    }
  }

  /** Somebody else leads: they are to ask there. */
  tellAllEnd(reason: EndReason): void {
    for (const { principal, channel, id } of this.subscriptions.all()) this.tellEnd(principal.session, channel, id, reason);
  }

  credit(event: Extract<LeaderEvent, { type: 'credit' }>): void {
    const subscription = this.subscriptions.get(event.session, event.channel, event.subscription);
    if (subscription === undefined) return;
    this.subscriptions.applied(subscription, event.bytes);
    this.#serveOne(subscription);
  }

  /** There is more of it. */
  serveChannel(channel: string): void {
    for (const subscription of this.subscriptions.of(channel)) this.#serveOne(subscription);
  }

  /** What was read of the log for one of them. */
  read(event: Extract<LeaderEvent, { type: 'read' }>): void {
    const { session, channel, frames } = event;
    const subscription = this.subscriptions.get(session, channel, event.subscription);
    if (subscription === undefined) return;
    subscription.isReading = false;
    if (frames === undefined) {
      this.subscriptions.end(subscription);
      this.tellEnd(session, channel, subscription.id, 'truncated');
      return;
    }
    for (const { frame, bytes } of frames) {
      this.subscriptions.sent(subscription, frame, bytes);
      this.reply(session, { type: 'frame', channel, subscription: subscription.id, frame });
    }
    if (this.subscriptions.reachesTick(subscription)) this.sendTick(subscription);
    this.#serveOne(subscription);
  }

  /** The slot's log has a tick of this time. */
  ticked(time: Timestamp): void {
    for (const subscription of this.subscriptions.all()) {
      this.subscriptions.ticked(subscription, time, this.#ports.options.folds.get(subscription.channel).position);
      this.sendTick(subscription);
    }
  }

  sendTick({ principal, channel, id, position, freshTime }: Subscription): void {
    this.reply(principal.session, { type: 'tick', channel, subscription: id, time: freshTime, position });
  }

  tellEnd(session: string, channel: string, subscription: number, reason: EndReason): void {
    this.reply(session, { type: 'ended', channel, subscription, reason });
  }

  reply(session: string, message: ChannelAnswer): void {
    this.#ports.effect({ type: 'reply', session, message });
  }

  #serveOne(subscription: Subscription): void {
    const effect = this.subscriptions.read(subscription, this.#ports.options.folds.get(subscription.channel).position);
    if (effect !== undefined) this.#ports.effect(effect);
  }
}
