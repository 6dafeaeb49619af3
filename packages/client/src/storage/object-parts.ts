import { MemoryObjectStore, type ObjectStore } from '@terndb/core';

/**
 * An object store in which large objects may arrive in parts, in any order. Unfinished ones are no objects: `head`, `read` and `list` do not know
 * them. What arrived survives a restart, so that a download goes on where it was cut; `delete` drops it.
 */
export interface ObjectsInParts extends ObjectStore {
  /** @returns the indexes of the parts that are stored. Those of an object of this name that was cut otherwise are dropped. */
  beginParts(name: string, shape: PartsShape): Promise<ReadonlySet<number>>;
  /** After `beginParts`. Takes the bytes over: `partBytes`, or the rest. STORAGE_FULL, STORAGE_UNAVAILABLE. */
  writePart(name: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Of an unfinished object; undefined when it is not stored. */
  readPart(name: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** All parts are stored: the object is there from now on, durably. Absent parts show when they are read. */
  endParts(name: string, shape: PartsShape): Promise<void>;
  /** Names of unfinished objects. */
  listUnfinished(prefix: string): Promise<readonly string[]>;
}

export interface PartsShape {
  readonly bytes: number;
  readonly partBytes: number;
}

/** In memory, for a tab without IndexedDB, and for tests. */
export class MemoryObjectsInParts extends MemoryObjectStore implements ObjectsInParts {
  readonly #unfinished = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();

  async beginParts(name: string): Promise<ReadonlySet<number>> {
    const parts = this.#unfinished.get(name) ?? new Map<number, Uint8Array<ArrayBuffer>>();
    this.#unfinished.set(name, parts);
    return new Set(parts.keys());
  }

  async writePart(name: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#unfinished.get(name)?.set(index, bytes);
  }

  async readPart(name: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#unfinished.get(name)?.get(index);
  }

  async endParts(name: string): Promise<void> {
    const parts = [...(this.#unfinished.get(name) ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part);
    await this.put(name, parts);
    this.#unfinished.delete(name);
  }

  async listUnfinished(prefix: string): Promise<readonly string[]> {
    return [...this.#unfinished.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  override async delete(name: string): Promise<void> {
    this.#unfinished.delete(name);
    await super.delete(name);
  }
}
