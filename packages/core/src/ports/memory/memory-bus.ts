import type { Bus } from '../bus.ts';

/** Everybody on one bus. Shared by what would be tabs. */
export type MemoryBusHub = Set<MemoryBus>;

/** A bus among instances on one hub: for a tab without BroadcastChannel, and for tests. Delivers in order, never during `publish`. */
export class MemoryBus implements Bus {
  readonly #hub: MemoryBusHub;
  readonly #listeners = new Map<string, Set<(message: unknown) => void>>();

  constructor(hub: MemoryBusHub = new Set()) {
    this.#hub = hub;
    hub.add(this);
  }

  publish(topic: string, message: unknown): void {
    for (const peer of this.#hub) if (peer !== this) peer.#deliver(topic, message);
  }

  subscribe(topic: string, listener: (message: unknown) => void): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  #deliver(topic: string, message: unknown): void {
    void Promise.resolve().then(() => {
      for (const listener of this.#listeners.get(topic) ?? []) listener(message);
    });
  }
}
