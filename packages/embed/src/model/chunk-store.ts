/**
 * Model files on this device, in the IndexedDB database `terndb-models`: shared by all databases of the origin, so that a model is downloaded once.
 *   files   name → { bytes: number, chunks: number, isComplete: boolean }
 *   chunks  [name, index] → Uint8Array, all but the last of a file CHUNK_BYTES long
 * A file's name is its content: `sha256-<hex>` of its manifest entry, or an SRI hash; without either, its address. Version 1.
 */
const DATABASE = 'terndb-models';
const VERSION = 1;
/** Of a stored chunk: a download that is cut loses at most this much. */
export const CHUNK_BYTES: number = 1 << 20;

export interface StoredFile {
  readonly bytes: number;
  readonly chunks: number;
  readonly isComplete: boolean;
}

export interface ChunkStore {
  find(name: string): Promise<StoredFile | undefined>;
  /** All chunks, in order. */
  read(name: string, file: StoredFile): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Adds the next chunk and what is known of the file with it, as one. Best effort: a full disk keeps less. */
  append(name: string, chunk: Uint8Array<ArrayBuffer> | undefined, file: StoredFile): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Undefined where the browser gives no storage: models are then downloaded each time. */
export async function openChunkStore(): Promise<ChunkStore | undefined> {
  try {
    return createStore(await openDatabase());
  } catch {
    return undefined;
  }
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('files');
      request.result.createObjectStore('chunks');
    };
    request.onsuccess = () => {
      const database = request.result;
      // Somebody deletes it: what is loaded stays loaded.
      database.onversionchange = () => database.close();
      resolve(database);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
}

function createStore(database: IDBDatabase): ChunkStore {
  const within = <T>(
    mode: IDBTransactionMode,
    work: (files: IDBObjectStore, chunks: IDBObjectStore) => IDBRequest<T> | undefined,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(['files', 'chunks'], mode);
      const request = work(transaction.objectStore('files'), transaction.objectStore('chunks'));
      transaction.oncomplete = () => resolve(request?.result as T);
      transaction.onabort = () => reject(transaction.error);
    });
  const rangeOf = (name: string): IDBKeyRange => IDBKeyRange.bound([name, 0], [name, Number.MAX_SAFE_INTEGER]);
  return {
    find: (name) => within<StoredFile | undefined>('readonly', (files) => files.get(name) as IDBRequest<StoredFile | undefined>),
    read: (name) => within('readonly', (_, chunks) => chunks.getAll(rangeOf(name)) as IDBRequest<Uint8Array<ArrayBuffer>[]>),
    async append(name, chunk, file) {
      await within('readwrite', (files, chunks) => {
        if (chunk !== undefined) chunks.put(chunk, [name, file.chunks - 1]);
        return files.put(file, name);
      });
    },
    async delete(name) {
      await within('readwrite', (files, chunks) => {
        chunks.delete(rangeOf(name));
        files.delete(name);
        return undefined;
      });
    },
  };
}
