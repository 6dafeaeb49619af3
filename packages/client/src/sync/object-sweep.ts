import type { Clock, MetaStore } from '@terndb/core';
import { loadManifest, readFollowedPointer } from '@terndb/engine/parts';
import type { ObjectsInParts } from '../storage/object-parts.ts';
import type { RowStore } from './store/row-store.ts';

/** After a swap: longer than reads take that still look at what was shown before. */
const SWEEP_AFTER_MS = 60_000;

export interface SweepPorts {
  readonly clock: Clock;
  readonly rows: RowStore;
  readonly objects: ObjectsInParts;
  /** Something is being downloaded for the channel: what it brings is not named yet. */
  readonly isBusy: (channel: string) => boolean;
}

/** Deletes what followed channels keep in the object store and no adopted manifest names any more: replaced segments, and those left out. */
export class ObjectSweep {
  readonly #ports: SweepPorts;
  readonly #timers = new Map<string, () => void>();

  constructor(ports: SweepPorts) {
    this.#ports = ports;
  }

  /** Some time from now; a later call puts it off. */
  later(channel: string): void {
    this.#timers.get(channel)?.();
    const cancel = this.#ports.clock.after(SWEEP_AFTER_MS, () => {
      this.#timers.delete(channel);
      if (this.#ports.isBusy(channel)) this.later(channel);
      // What fails stays until the next swap.
      else void this.sweep(channel).catch(() => {});
    });
    this.#timers.set(channel, cancel);
  }

  /** @returns names deleted. STORAGE_UNAVAILABLE, and what is wrong with the manifest: nothing is deleted then. */
  async sweep(channel: string): Promise<readonly string[]> {
    const { objects, rows } = this.#ports;
    const pointer = await readFollowedPointer(metaOf(rows), channel);
    if (pointer === undefined) return [];
    const isNamed = await this.#named(pointer.object, pointer.leftOut ?? [], channel);
    const names = [...(await objects.list(`${channel}/`)).map(({ name }) => name), ...(await objects.listUnfinished(`${channel}/`))];
    const swept = names.filter((name) => !isNamed(name));
    for (const name of swept) {
      if (this.#ports.isBusy(channel)) return [];
      await objects.delete(name);
    }
    return swept;
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  async #named(object: string | null, leftOut: readonly string[], channel: string): Promise<(name: string) => boolean> {
    if (object === null) return () => false;
    const { segments, tombstones } = await loadManifest(this.#ports.objects, object);
    const kept = segments.filter(({ id }) => !leftOut.includes(id));
    const names = new Set([object, ...kept.flatMap(({ name, indexes }) => [name, ...indexes.map((index) => index.name)])]);
    if (tombstones.type === 'object') names.add(tombstones.name);
    // Of kept segments also those that this device built.
    const indexes = kept.map(({ id }) => `${channel}/index-${id}-`);
    return (name) => names.has(name) || indexes.some((prefix) => name.startsWith(prefix));
  }
}

function metaOf(rows: RowStore): Pick<MetaStore, 'get'> {
  return {
    get: async (key) => {
      const value = await rows.meta(key);
      return value === undefined ? undefined : { key, value, revision: 1 };
    },
  };
}
