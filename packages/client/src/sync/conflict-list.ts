import type { Conflict } from '@terndb/engine';
import type { SyncPlace } from './host-types.ts';
import type { ConflictItem } from './sync-report.ts';

/** Conflicts that pages are told of; a page that was busy for longer than this many missed some. */
const MAX_CONFLICTS = 256;

/** The last fields that writes of this device lost. */
export class ConflictList {
  #items: readonly ConflictItem[] = [];
  #nextId = 1;

  get items(): readonly ConflictItem[] {
    return this.#items;
  }

  /** False when it is of a channel that is not followed any more. */
  add({ channel, ...conflict }: Conflict, places: readonly SyncPlace[]): boolean {
    const place = places.find((one) => one.channel === channel);
    if (place === undefined) return false;
    const { collection, partition } = place;
    this.#items = [...this.#items, { id: this.#nextId++, collection, partition, ...conflict }].slice(-MAX_CONFLICTS);
    return true;
  }
}
