import { DbError, type LogBroker, MemoryLogBroker, MemoryMetaStore, type MetaStore } from '@terndb/core';
import { deleteDB } from 'idb';
import { IdbRowStore } from '../sync/store/idb-row-store.ts';
import { MemoryRowStore } from '../sync/store/memory-row-store.ts';
import type { RowStore } from '../sync/store/row-store.ts';
import { IdbConnection } from './idb-connection.ts';
import { idbName } from './idb-layout.ts';
import { IdbLogBroker } from './idb-log-broker.ts';
import { IdbMetaStore } from './idb-meta-store.ts';
import { IdbObjectStore } from './idb-object-store.ts';
import { MemoryObjectsInParts, type ObjectsInParts } from './object-parts.ts';

/** Where a database of this tab keeps its bytes. */
export interface Storage {
  readonly mode: 'indexeddb' | 'memory';
  readonly log: LogBroker;
  readonly meta: MetaStore;
  readonly objects: ObjectsInParts;
  /** Of replication. */
  readonly rows: RowStore;
  /** This open made the database: nothing was stored under this name. */
  readonly created: boolean;
  /** For the leader, before it opens the engine: drops what a killed tab left half-written. */
  clean(): Promise<void>;
  close(): Promise<void>;
}

export interface StorageOptions {
  readonly requirePersistence: boolean;
  /** Another tab wants the database deleted: flush; the connection closes when this settles. */
  onVersionChange(): Promise<void>;
}

/**
 * IndexedDB, or memory when the browser has none to give.
 * @throws STORAGE_UNAVAILABLE when persistence is required, FORMAT_VERSION_UNSUPPORTED.
 */
export async function openStorage(name: string, options: StorageOptions): Promise<Storage> {
  try {
    return openIdbStorage(await IdbConnection.open(name, { onVersionChange: options.onVersionChange }));
  } catch (thrown) {
    if (options.requirePersistence || !(thrown instanceof DbError) || thrown.code !== 'STORAGE_UNAVAILABLE') throw thrown;
    return openMemoryStorage();
  }
}

function openIdbStorage(connection: IdbConnection): Storage {
  const objects = new IdbObjectStore(connection);
  return {
    mode: 'indexeddb',
    log: new IdbLogBroker(connection),
    meta: new IdbMetaStore(connection),
    objects,
    rows: new IdbRowStore(connection),
    created: connection.created,
    clean: () => objects.removeOrphans(),
    close: () => connection.close(),
  };
}

function openMemoryStorage(): Storage {
  const log = new MemoryLogBroker();
  const meta = new MemoryMetaStore();
  return {
    mode: 'memory',
    log,
    meta,
    rows: new MemoryRowStore({ log, meta }),
    objects: new MemoryObjectsInParts(),
    created: true,
    clean: async () => {},
    close: async () => {},
  };
}

/** How long other tabs may take to let go of a database that is deleted. */
const DELETE_TIMEOUT_MS = 5000;

/**
 * Removes everything stored under a name. Other tabs are told by the browser and close.
 * @throws STORAGE_UNAVAILABLE when a tab does not let go in time; the browser then deletes when it does.
 */
export async function deleteStorage(name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `database ${name}: another tab still has it open after ${DELETE_TIMEOUT_MS} ms; it is deleted when that tab closes`;
      reject(new DbError('STORAGE_UNAVAILABLE', message, { details: { database: name, reason: 'blocked' } }));
    }, DELETE_TIMEOUT_MS);
  });
  try {
    await Promise.race([deleteDB(idbName(name)), late]);
  } finally {
    clearTimeout(timer);
  }
}
