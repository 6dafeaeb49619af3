import { assert } from '@terndb/core';
import { type ChannelState, emptyChannel, openChannelState } from './channel-state.ts';
import type { ClientContext } from './context.ts';
import type { DurableChannel } from './durable.ts';
import { subscribe, unsubscribe } from './subscription.ts';

/** The channels of a device: those that are followed, and those that are stored or were left. Only a tab that leads has states of them. */
export class ChannelSet {
  /** By name, whatever the role. */
  readonly #wanted: Set<string>;
  #followed = new Map<string, ChannelState>();
  /** Stored or left, and not followed. */
  #parked = new Map<string, ChannelState>();

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  /** Of the channels that are followed. */
  states(): IterableIterator<ChannelState> {
    return this.#followed.values();
  }

  parked(): IterableIterator<ChannelState> {
    return this.#parked.values();
  }

  get(name: string): ChannelState | undefined {
    return this.#followed.get(name);
  }

  mustGet(name: string): ChannelState {
    const state = this.#followed.get(name);
    assert(state !== undefined, () => `client: one of ${this.#followed.size} channels expected, got ${name}`);
    return state;
  }

  /** Takes up what was stored. */
  open(cx: ClientContext, stored: readonly DurableChannel[]): void {
    this.#followed = new Map();
    this.#parked = new Map(stored.map((channel) => [channel.channel, openChannelState(channel)]));
    for (const name of this.#wanted) this.#take(cx, name);
  }

  /** The tab leads no more. */
  forget(): void {
    this.#followed = new Map();
    this.#parked = new Map();
  }

  follow(cx: ClientContext | undefined, name: string): void {
    this.#wanted.add(name);
    if (cx !== undefined) this.#take(cx, name);
  }

  leave(cx: ClientContext | undefined, name: string): void {
    this.#wanted.delete(name);
    const state = this.#followed.get(name);
    if (cx === undefined || state === undefined) return;
    unsubscribe(cx, state);
    state.status = 'idle';
    this.#followed.delete(name);
    this.#parked.set(name, state);
  }

  #take(cx: ClientContext, name: string): void {
    if (this.#followed.has(name)) return;
    const state = this.#parked.get(name) ?? openChannelState(emptyChannel(name, cx.device.clientId));
    this.#parked.delete(name);
    this.#followed.set(name, state);
    subscribe(cx, state);
  }
}
