import type { MetaEntry, MetaStore } from '../meta-store.ts';

/** What survives a `MemoryMetaStore`: give it to the next one to reopen the same data. */
export interface MemoryMeta {
  /** The revision of the last write of any key. */
  revision: number;
  readonly entries: Map<string, MetaEntry>;
}

/** A meta store in memory: for a tab without IndexedDB, and for tests. Durable as long as the process. */
export class MemoryMetaStore implements MetaStore {
  readonly #meta: MemoryMeta;

  constructor(meta: MemoryMeta = { revision: 0, entries: new Map() }) {
    this.#meta = meta;
  }

  async get(key: string): Promise<MetaEntry | undefined> {
    const entry = this.#meta.entries.get(key);
    return entry === undefined ? undefined : copyOf(entry);
  }

  async list(prefix: string): Promise<readonly MetaEntry[]> {
    const found = [...this.#meta.entries.values()].filter((entry) => entry.key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1)).map(copyOf);
  }

  async compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined> {
    if (this.#revisionOf(key) !== expectedRevision) return undefined;
    const revision = ++this.#meta.revision;
    this.#meta.entries.set(key, { key, value: value.slice(), revision });
    return revision;
  }

  async delete(key: string, expectedRevision: number): Promise<boolean> {
    if (this.#revisionOf(key) !== expectedRevision) return false;
    return this.#meta.entries.delete(key);
  }

  #revisionOf(key: string): number {
    return this.#meta.entries.get(key)?.revision ?? 0;
  }
}

function copyOf(entry: MetaEntry): MetaEntry {
  return { key: entry.key, value: entry.value.slice(), revision: entry.revision };
}
