import { AssertionError, DbError } from '@terndb/core';
import { type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { IDB_VERSION, idbName, STORES, type StoreName, type TernIdb } from './idb-layout.ts';

/** How long an open may hang before it counts as failed: browsers leave some requests unanswered for ever instead of failing them. */
const OPEN_TIMEOUT_MS = 1500;
/** A second, longer try: a slow disk must not look like a browser without storage. */
const SECOND_OPEN_TIMEOUT_MS = 6000;

export type Transaction<M extends 'readonly' | 'readwrite'> = IDBPTransaction<TernIdb, StoreName[], M>;

export interface RunOptions<M extends 'readonly' | 'readwrite'> {
  readonly stores: readonly StoreName[];
  readonly mode: M;
  readonly durability?: 'strict' | 'relaxed';
}

export interface ConnectionEvents {
  /** Another tab wants the database deleted or changed: flush and close; the connection closes when this settles. */
  onVersionChange?(): Promise<void>;
}

/**
 * One connection to the tab's database. All work goes through `run`: one transaction, in which nothing but its own requests is awaited.
 * A connection that the browser dropped is opened again once and the transaction replayed.
 */
export class IdbConnection {
  readonly name: string;
  /** This open made the database: nothing was stored under this name. */
  created = false;
  readonly #events: ConnectionEvents;
  #database: Promise<IDBPDatabase<TernIdb>> | undefined;
  #closed: DbError | undefined;

  private constructor(name: string, events: ConnectionEvents) {
    this.name = name;
    this.#events = events;
  }

  /** @throws STORAGE_UNAVAILABLE (no IndexedDB, refused, blocked or no answer in time), FORMAT_VERSION_UNSUPPORTED (a newer Tern's). */
  static async open(name: string, events: ConnectionEvents = {}): Promise<IdbConnection> {
    const connection = new IdbConnection(name, events);
    connection.#database = connection.#openTwice({ mayCreate: true });
    await connection.#database;
    return connection;
  }

  /**
   * Runs `work` in one transaction and resolves when it is committed with that durability. `replay` is true when an earlier try may have
   * been committed without us hearing of it.
   * @throws STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_LOST (the browser dropped the data), DATABASE_CLOSED, or the DbError that `work` throws.
   */
  async run<T, M extends 'readonly' | 'readwrite'>(
    options: RunOptions<M>,
    work: (tx: Transaction<M>, replay: boolean) => Promise<T>,
  ): Promise<T> {
    const used = this.#database;
    try {
      return await this.#attempt(options, work, false);
    } catch (thrown) {
      if (!isConnectionLoss(thrown) || this.#closed !== undefined) throw toDbError(thrown, this.name);
    }
    this.#drop(used);
    try {
      return await this.#attempt(options, work, true);
    } catch (thrown) {
      throw toDbError(thrown, this.name);
    }
  }

  /** Work under way still finishes; later calls are refused with `reason` (default DATABASE_CLOSED). */
  async close(reason?: DbError): Promise<void> {
    this.#closed ??= reason ?? new DbError('DATABASE_CLOSED', `database ${this.name}: closed`);
    const database = await this.#database?.catch(() => undefined);
    database?.close();
  }

  async #attempt<T, M extends 'readonly' | 'readwrite'>(
    options: RunOptions<M>,
    work: (tx: Transaction<M>, replay: boolean) => Promise<T>,
    replay: boolean,
  ): Promise<T> {
    if (this.#closed !== undefined) throw this.#closed;
    this.#database ??= this.#openTwice({ mayCreate: false });
    const database = await this.#database;
    const tx = database.transaction([...options.stores], options.mode, { durability: options.durability ?? 'relaxed' });
    return await settle(tx as Transaction<M>, (inside) => work(inside, replay));
  }

  /** The next transaction opens a new connection; another call may have done so already. */
  #drop(used: Promise<IDBPDatabase<TernIdb>> | undefined): void {
    if (this.#database === used) this.#database = undefined;
    used?.then((database) => database.close()).catch(() => {});
  }

  async #openTwice(options: { mayCreate: boolean }): Promise<IDBPDatabase<TernIdb>> {
    try {
      return await this.#openOnce({ ...options, timeoutMs: OPEN_TIMEOUT_MS });
    } catch (thrown) {
      if (!(thrown instanceof DbError) || thrown.details['reason'] !== 'timeout') throw toDbError(thrown, this.name);
    }
    return await this.#openOnce({ ...options, timeoutMs: SECOND_OPEN_TIMEOUT_MS });
  }

  async #openOnce({ mayCreate, timeoutMs }: { mayCreate: boolean; timeoutMs: number }): Promise<IDBPDatabase<TernIdb>> {
    if (typeof indexedDB === 'undefined') throw unavailable(this.name, 'this browser has no IndexedDB here', 'absent');
    let lost = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let abandoned = false;
    const opening = openDB<TernIdb>(idbName(this.name), IDB_VERSION, {
      upgrade: (database, _oldVersion, _newVersion, tx) => {
        if (mayCreate) {
          this.created = true;
          for (const store of STORES) database.createObjectStore(store);
        } else {
          lost = true;
          tx.abort();
        }
      },
      blocking: () => void this.#onVersionChange(),
      terminated: () => {
        this.#database = undefined;
      },
    });
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        abandoned = true;
        reject(unavailable(this.name, `IndexedDB did not open within ${timeoutMs} ms`, 'timeout'));
      }, timeoutMs);
    });
    // A connection that arrives after we gave up would block other tabs for nothing.
    opening.then((database) => abandoned && database.close()).catch(() => {});
    try {
      return await Promise.race([opening, late]);
    } catch (thrown) {
      if (lost) throw new DbError('STORAGE_LOST', `database ${this.name}: the browser dropped its data while it was open`);
      throw openError(thrown, this.name);
    } finally {
      clearTimeout(timer);
    }
  }

  async #onVersionChange(): Promise<void> {
    try {
      await this.#events.onVersionChange?.();
    } finally {
      await this.close(new DbError('DATABASE_CLOSED', `database ${this.name}: another tab deleted or upgraded it`));
    }
  }
}

/** The transaction's own error says more than that of the request it failed (a full disk shows there). */
async function settle<T, M extends 'readonly' | 'readwrite'>(tx: Transaction<M>, work: (tx: Transaction<M>) => Promise<T>): Promise<T> {
  tx.done.catch(() => {});
  let result: T;
  try {
    result = await work(tx);
  } catch (thrown) {
    try {
      tx.abort();
    } catch {
      // Already finished: its own error is below.
    }
    if (thrown instanceof DbError || thrown instanceof AssertionError) throw thrown;
    throw await tx.done.then(
      () => thrown,
      (error: unknown) => (isAbort(error) ? thrown : error),
    );
  }
  await tx.done;
  return result;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error || thrown instanceof DOMException ? thrown.name : '';
}

function isAbort(thrown: unknown): boolean {
  return thrown === null || nameOf(thrown) === 'AbortError';
}

/** InvalidStateError: the connection is closing. UnknownError, AbortError without our doing: the browser's storage process went away. */
function isConnectionLoss(thrown: unknown): boolean {
  return ['InvalidStateError', 'UnknownError', 'AbortError'].includes(nameOf(thrown));
}

function unavailable(database: string, why: string, reason: string, cause?: unknown): DbError {
  return new DbError('STORAGE_UNAVAILABLE', `database ${database}: ${why}`, { details: { database, reason }, cause });
}

function openError(thrown: unknown, database: string): DbError {
  if (thrown instanceof DbError) return thrown;
  if (nameOf(thrown) === 'VersionError') {
    return new DbError('FORMAT_VERSION_UNSUPPORTED', `database ${database}: stored by a newer version of Tern`, {
      details: { database },
      cause: thrown,
    });
  }
  return unavailable(database, `IndexedDB cannot be opened (${nameOf(thrown)})`, 'refused', thrown);
}

/** Bugs stay what they are. */
function toDbError(thrown: unknown, database: string): Error {
  if (thrown instanceof DbError || thrown instanceof AssertionError) return thrown;
  if (nameOf(thrown) === 'QuotaExceededError') {
    return new DbError('STORAGE_FULL', `database ${database}: the browser gives no more storage`, { details: { database }, cause: thrown });
  }
  if (thrown instanceof Error && !(thrown instanceof DOMException)) return thrown;
  return unavailable(database, `IndexedDB failed (${nameOf(thrown) || String(thrown)})`, 'failed', thrown);
}
