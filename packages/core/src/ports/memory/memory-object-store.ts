import { assert } from '../../errors/assert.ts';
import { assertObjectName, checkObjectRange, type ObjectInfo, type ObjectStore } from '../object-store.ts';

/** What survives a `MemoryObjectStore`: give it to the next one to reopen the same objects. */
export type MemoryObjects = Map<string, Uint8Array<ArrayBuffer>>;

/** An object store in memory: for a tab without IndexedDB, and for tests. Durable as long as the process. */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects: MemoryObjects;

  constructor(objects: MemoryObjects = new Map()) {
    this.#objects = objects;
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    assertObjectName(name);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const held = this.#objects.get(name);
    if (held !== undefined) {
      assert(held.length === length, () => `object ${name}: ${held.length} bytes expected on writing it again, got ${length}`);
      return;
    }
    this.#objects.set(name, concatenate(parts, length));
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    assertObjectName(name);
    const held = this.#objects.get(name);
    return held === undefined ? undefined : { name, bytes: held.length };
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    assertObjectName(name);
    const held = this.#objects.get(name);
    if (held === undefined) return undefined;
    checkObjectRange({ name, bytes: held.length }, offset, length);
    return held.slice(offset, offset + length);
  }

  async list(prefix: string): Promise<readonly ObjectInfo[]> {
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
    return names.map((name) => ({ name, bytes: this.#objects.get(name)!.length }));
  }

  async delete(name: string): Promise<void> {
    assertObjectName(name);
    this.#objects.delete(name);
  }
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
