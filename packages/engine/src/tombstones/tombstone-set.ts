import { comparePrimaryKeys, type PrimaryKey, type Stamp } from '@terndb/core';

/** A dead entity: what the fold must remember of it until the floor passes it (R7). */
export interface TombstoneEntry {
  readonly pk: PrimaryKey;
  /** Undefined when no put of this key was ever seen. */
  readonly put: Stamp | undefined;
  readonly delete: Stamp;
}

/** The tombstones of one channel, by key in its stored form. */
export class TombstoneSet implements Iterable<TombstoneEntry> {
  readonly #entries = new Map<PrimaryKey, TombstoneEntry>();

  constructor(entries: Iterable<TombstoneEntry> = []) {
    for (const entry of entries) this.set(entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(pk: PrimaryKey): TombstoneEntry | undefined {
    return this.#entries.get(pk);
  }

  /** Replaces what the key had. */
  set(entry: TombstoneEntry): void {
    this.#entries.set(entry.pk, entry);
  }

  /** False when there was none. */
  delete(pk: PrimaryKey): boolean {
    return this.#entries.delete(pk);
  }

  /** In no particular order. */
  [Symbol.iterator](): IterableIterator<TombstoneEntry> {
    return this.#entries.values();
  }

  /** A fresh array, ascending by key: what a tombstone file holds. */
  sorted(): TombstoneEntry[] {
    return [...this.#entries.values()].sort((a, b) => comparePrimaryKeys(a.pk, b.pk));
  }
}
