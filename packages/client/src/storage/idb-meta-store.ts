import { DbError, type MetaEntry, type MetaStore } from '@terndb/core';
import type { IdbConnection } from './idb-connection.ts';
import { type MetaRow, ownBytes } from './idb-layout.ts';
import { equalBytes } from './idb-log-broker.ts';

/** Number keys sort before all strings, so that no prefix finds it. Never reset: a key that is deleted and made again gets a new revision. */
const REVISION_KEY = 0;

/** The meta store in IndexedDB: strict, one transaction per change. */
export class IdbMetaStore implements MetaStore {
  readonly #connection: IdbConnection;

  constructor(connection: IdbConnection) {
    this.#connection = connection;
  }

  async get(key: string): Promise<MetaEntry | undefined> {
    checkKey(key);
    const row = await this.#connection.run({ stores: ['meta'], mode: 'readonly' }, (tx) => tx.objectStore('meta').get(key));
    return row === undefined ? undefined : toEntry(key, row as MetaRow);
  }

  async list(prefix: string): Promise<readonly MetaEntry[]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [keys, rows] = await this.#connection.run({ stores: ['meta'], mode: 'readonly' }, (tx) => {
      const store = tx.objectStore('meta');
      return Promise.all([store.getAllKeys(range), store.getAll(range)]);
    });
    return keys.map((key, index) => toEntry(key as string, rows[index] as MetaRow));
  }

  async compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined> {
    checkKey(key);
    const bytes = ownBytes(value);
    return await this.#connection.run({ stores: ['meta'], mode: 'readwrite', durability: 'strict' }, async (tx, replay) => {
      const store = tx.objectStore('meta');
      const [row, last] = (await Promise.all([store.get(key), store.get(REVISION_KEY)])) as [MetaRow | undefined, number | undefined];
      if (replay && row !== undefined && row.revision > expectedRevision && row.revision === last && equalBytes(row.value, bytes))
        return row.revision;
      if ((row?.revision ?? 0) !== expectedRevision) return undefined;
      const revision = (last ?? 0) + 1;
      await Promise.all([store.put({ value: bytes, revision }, key), store.put(revision, REVISION_KEY)]);
      return revision;
    });
  }

  async delete(key: string, expectedRevision: number): Promise<boolean> {
    checkKey(key);
    return await this.#connection.run({ stores: ['meta'], mode: 'readwrite', durability: 'strict' }, async (tx, replay) => {
      const store = tx.objectStore('meta');
      const row = (await store.get(key)) as MetaRow | undefined;
      if (row === undefined) return replay;
      if (row.revision !== expectedRevision) return false;
      await store.delete(key);
      return true;
    });
  }
}

function toEntry(key: string, row: MetaRow): MetaEntry {
  return { key, value: row.value, revision: row.revision };
}

function checkKey(key: string): void {
  if (key === '') throw new DbError('OPTION_INVALID', 'meta key: a non-empty string expected, got an empty one');
}
