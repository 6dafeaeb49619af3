import type { ObjectStore } from '@terndb/core';
import { objectsOf } from '@terndb/engine/parts';
import type { NodeChannel } from '../channels/node-channel.ts';

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
 * an upload and its manifest. The period begins when this process first sees them so; a restart begins it anew.
 */
export class Garbage {
  readonly #objects: ObjectStore;
  readonly #graceMs: number;
  readonly #since = new Map<string, number>();

  constructor(objects: ObjectStore, graceMs: number) {
    this.#objects = objects;
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
    const before = new Map(this.#since);
    this.#since.clear();
    let deleted = 0;
    for (const name of unnamed) {
      const since = before.get(name) ?? nowMs;
      if (nowMs - since < this.#graceMs) {
        this.#since.set(name, since);
        continue;
      }
      await this.#objects.delete(name);
      deleted += 1;
    }
    return deleted;
  }
}

function channelOf(object: string): string {
  return object.slice(0, Math.max(0, object.lastIndexOf('/')));
}
