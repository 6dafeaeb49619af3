import type { ObjectStore } from '@terndb/core';
import { objectsOf } from '@terndb/engine/parts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { FirstSeen } from './first-seen.ts';

/** Deleting is the collector's alone: somebody may still be downloading what a newer manifest has replaced. */
export function withoutDelete(objects: ObjectStore): ObjectStore {
  return {
    put: (name, parts) => objects.put(name, parts),
    head: (name) => objects.head(name),
    read: (name, offset, length) => objects.read(name, offset, length),
    list: (prefix) => objects.list(prefix),
    delete: () => Promise.resolve(),
  };
}

/**
 * Deletes objects that no manifest has named for the grace period: replaced ones, those of dropped channels, and what a crash left between
 * an upload and its manifest. The period begins when a node first sees them so, and goes on over restarts.
 */
export class Garbage {
  readonly #objects: ObjectStore;
  readonly #graceMs: number;
  readonly #seen: FirstSeen;

  constructor(objects: ObjectStore, seen: FirstSeen, graceMs: number) {
    this.#objects = objects;
    this.#seen = seen;
    this.#graceMs = graceMs;
  }

  /** Nothing is published meanwhile. A channel that cannot be read keeps all it has. @returns how many were deleted. Cost: one listing. */
  async collect(channels: Iterable<NodeChannel>, nowMs: number): Promise<number> {
    const named = new Set<string>();
    const damaged = new Set<string>();
    for (const { name, channel } of channels) {
      for (const object of objectsOf(channel)) named.add(object);
      if (channel.damage !== undefined) damaged.add(name);
    }
    const unnamed = (await this.#objects.list(''))
      .map(({ name }) => name)
      .filter((name) => !named.has(name) && !damaged.has(channelOf(name)));
    const kept = new Map<string, number>();
    const due: string[] = [];
    for (const name of unnamed) {
      // A clock that was set back must not keep it for longer than the period.
      const since = Math.min(this.#seen.get(name) ?? nowMs, nowMs);
      if (nowMs - since < this.#graceMs) kept.set(name, since);
      else due.push(name);
    }
    for (const name of due) await this.#objects.delete(name);
    await this.#seen.replace(kept);
    return due.length;
  }
}

function channelOf(object: string): string {
  return object.slice(0, Math.max(0, object.lastIndexOf('/')));
}
