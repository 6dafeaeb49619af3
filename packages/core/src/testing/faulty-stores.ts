import { assert } from '../errors/assert.ts';
import type { LogBroker, LogEntry, StoredEntry } from '../ports/log-broker.ts';
import type { MetaEntry, MetaStore } from '../ports/meta-store.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import { Faults } from './faults.ts';

/** A log broker that fails as a test plans it. */
export class FaultyLogBroker implements LogBroker {
  readonly faults: Faults<'append' | 'read' | 'bounds' | 'truncate'> = new Faults();
  readonly #inner: LogBroker;

  constructor(inner: LogBroker) {
    this.#inner = inner;
  }

  append(stream: string, expectedLast: number, entries: readonly LogEntry[]): Promise<number> {
    return this.faults.run('append', () => this.#inner.append(stream, expectedLast, entries));
  }

  read(stream: string, fromSequence: number, options: { maxBytes: number }): Promise<readonly StoredEntry[]> {
    return this.faults.run('read', () => this.#inner.read(stream, fromSequence, options));
  }

  bounds(stream: string): Promise<{ first: number; last: number }> {
    return this.faults.run('bounds', () => this.#inner.bounds(stream));
  }

  truncate(stream: string, upTo: number): Promise<void> {
    return this.faults.run('truncate', () => this.#inner.truncate(stream, upTo));
  }
}

/** A meta store that fails as a test plans it. */
export class FaultyMetaStore implements MetaStore {
  readonly faults: Faults<'get' | 'list' | 'compareAndSet' | 'delete'> = new Faults();
  readonly #inner: MetaStore;

  constructor(inner: MetaStore) {
    this.#inner = inner;
  }

  get(key: string): Promise<MetaEntry | undefined> {
    return this.faults.run('get', () => this.#inner.get(key));
  }

  list(prefix: string): Promise<readonly MetaEntry[]> {
    return this.faults.run('list', () => this.#inner.list(prefix));
  }

  compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined> {
    return this.faults.run('compareAndSet', () => this.#inner.compareAndSet(key, expectedRevision, value));
  }

  delete(key: string, expectedRevision: number): Promise<boolean> {
    return this.faults.run('delete', () => this.#inner.delete(key, expectedRevision));
  }
}

/**
 * An object store that fails as a test plans it. Objects are stored with relaxed durability (design 8), so a power cut may take back puts
 * that had resolved: `loseUnsynced`. What is there may be damaged: `damage`.
 */
export class FaultyObjectStore implements ObjectStore {
  readonly faults: Faults<'put' | 'head' | 'read' | 'list' | 'delete'> = new Faults();
  readonly #inner: ObjectStore;
  #unsynced: string[] = [];

  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const known = (await this.#inner.head(name)) !== undefined;
    await this.faults.run('put', () => this.#inner.put(name, parts));
    if (!known) this.#unsynced.push(name);
  }

  head(name: string): Promise<ObjectInfo | undefined> {
    return this.faults.run('head', () => this.#inner.head(name));
  }

  read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.faults.run('read', () => this.#inner.read(name, offset, length));
  }

  list(prefix: string): Promise<readonly ObjectInfo[]> {
    return this.faults.run('list', () => this.#inner.list(prefix));
  }

  delete(name: string): Promise<void> {
    return this.faults.run('delete', () => this.#inner.delete(name));
  }

  /** What was put so far has reached the disk. */
  sync(): void {
    this.#unsynced = [];
  }

  /** The power fails: objects put since the last `sync` are gone. Returns their names. */
  async loseUnsynced(): Promise<readonly string[]> {
    const lost = this.#unsynced;
    this.#unsynced = [];
    for (const name of lost) await this.#inner.delete(name);
    return lost;
  }

  /** Replaces the bytes of an object by `change` of them: a flipped bit, a cut. */
  async damage(name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): Promise<void> {
    const info = await this.#inner.head(name);
    assert(info !== undefined, `damage ${name}: no such object`);
    const bytes = await this.#inner.read(name, 0, info.bytes);
    assert(bytes !== undefined, `damage ${name}: no such object`);
    await this.#inner.delete(name);
    await this.#inner.put(name, [change(bytes)]);
  }
}
