import { mkdir, open as openFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { type Database, open, type RootDatabase } from 'lmdb';

/** A binary database of the environment: keys and values are bytes, keys in byte order. */
export type Bytes = Database<Uint8Array, Buffer>;

/** Works of one transaction. It runs on the main thread, so its length is bounded: some milliseconds of puts. */
const MAX_GROUP_WORKS = 1_024;
/** Bytes that the works of one transaction say they write: what one flush takes some tens of milliseconds for. */
const MAX_GROUP_BYTES = 16 * 2 ** 20;
/** A write that fails with less room than this on the disk failed because the disk is full: LMDB itself says only "input/output error". */
const FULL_BELOW_BYTES = 2 ** 20;
/** LMDB's own errors: not a database at all, damaged, of another version, written by another kind of machine. */
const MDB_INVALID = -30793;
const MDB_CORRUPTED = -30796;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_VERSION_MISMATCH = -30794;
/** Both meta pages begin with a page header of 24 bytes and this number (64-bit builds). */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;

interface Work {
  readonly run: () => void;
  readonly bytes: number;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * One LMDB environment and its group commit. A work is a synchronous function that reads and writes; all works that arrive while one
 * transaction is being flushed go into the next one, which costs one flush for all of them.
 *
 * Transactions are synchronous to the disk (`overlappingSync: false`): what is not flushed is never visible, not even to this process, so that
 * nobody is told of an entry that a power cut takes back; and a failed flush fails the transaction instead of being lost.
 */
export class LmdbEnvironment {
  readonly #root: RootDatabase<Uint8Array, Buffer>;
  readonly #folder: string;
  readonly #waiting: Work[] = [];
  #loop: Promise<void> | undefined;
  #closed = false;

  private constructor(root: RootDatabase<Uint8Array, Buffer>, folder: string) {
    this.#root = root;
    this.#folder = folder;
  }

  /** @throws STORAGE_UNAVAILABLE, FORMAT_INVALID (the folder holds something else). */
  static async open(folder: string): Promise<LmdbEnvironment> {
    try {
      await mkdir(folder, { recursive: true });
      await checkMagic(join(folder, 'data.mdb'));
      // Without batching by event turn: with it, a failed commit also rejects a promise inside the library that nobody can catch.
      const options = { encoding: 'binary', keyEncoding: 'binary', overlappingSync: false, eventTurnBatching: false } as const;
      return new LmdbEnvironment(open<Uint8Array, Buffer>({ path: folder, noSubdir: false, ...options }), folder);
    } catch (error) {
      throw await lmdbError(error, folder);
    }
  }

  /** Creates the database when it is not there. Once per name. */
  openDatabase(name: string): Bytes {
    return this.#root.openDB<Uint8Array, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  }

  /**
   * Runs `work` inside the next write transaction, alone and in the order of the calls; durable when this resolves. A work that throws a DbError
   * must have written nothing yet, and fails alone; any other error aborts the transaction and fails all its works.
   * @param bytes About what it writes, for the bound of the group.
   */
  commit<T>(bytes: number, work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError(this.#folder));
    return new Promise<T>((resolve, reject) => {
      let result: { readonly value: T } | { readonly refusal: DbError };
      const run = (): void => {
        try {
          result = { value: work() };
        } catch (error) {
          if (!(error instanceof DbError)) throw error;
          result = { refusal: error };
        }
      };
      const done = (): void => ('value' in result ? resolve(result.value) : reject(result.refusal));
      this.#waiting.push({ run, bytes, done, failed: reject });
      this.#loop ??= this.#commitAll();
    });
  }

  /** Runs `work` on what is durable now. It must not keep buffers that it got from the database. */
  async view<T>(work: () => T): Promise<T> {
    if (this.#closed) throw closedError(this.#folder);
    try {
      return work();
    } catch (error) {
      throw await lmdbError(error, this.#folder);
    }
  }

  /** Finishes what was asked for. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#loop;
    await this.#root.close();
  }

  async #commitAll(): Promise<void> {
    // What is asked for in the same turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupLength(this.#waiting));
      try {
        // A child transaction, because only that can be aborted.
        await this.#root.childTransaction(() => {
          for (const { run } of group) run();
        });
        await this.#root.flushed;
        for (const { done } of group) done();
      } catch (error) {
        const failure = await lmdbError(error, this.#folder);
        for (const { failed } of group) failed(failure);
      }
    }
    // In the same turn as the last look at what waits: a work that comes later starts a new loop.
    this.#loop = undefined;
  }
}

/** Given another file LMDB does not refuse it but dies (SIGSEGV), so we look first. A file that was cut at nothing is a new one. */
async function checkMagic(path: string): Promise<void> {
  const head = Buffer.alloc(MAGIC_AT + 4);
  const file = await openFile(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  const { bytesRead } = await file.read(head, 0, head.length, 0).finally(() => file.close());
  if (bytesRead === 0 || head.readUInt32LE(MAGIC_AT) === MAGIC) return;
  throw new DbError('FORMAT_INVALID', `lmdb ${path}: not an LMDB file`, { details: { path } });
}

function groupLength(works: readonly Work[]): number {
  let bytes = 0;
  let count = 0;
  while (count < works.length && count < MAX_GROUP_WORKS && (count === 0 || bytes + works[count]!.bytes <= MAX_GROUP_BYTES)) {
    bytes += works[count++]!.bytes;
  }
  return count;
}

function closedError(folder: string): DbError {
  return new DbError('DATABASE_CLOSED', `lmdb ${folder}: closed`);
}

/** A failed commit carries the reason in a promise of its own, which must be taken even when nobody asks. */
async function lmdbError(thrown: unknown, folder: string): Promise<DbError> {
  if (thrown instanceof DbError) return thrown;
  const inner = (thrown as { commitError?: Promise<unknown> }).commitError;
  const reason = (inner === undefined ? thrown : await inner.catch((error: unknown) => error)) as NodeJS.ErrnoException;
  const code: unknown = reason?.code ?? 'unknown';
  const details = { folder, code: String(code) };
  const message = `lmdb ${folder}: ${reason?.message ?? String(thrown)}`;
  if (code === MDB_INVALID || code === MDB_VERSION_MISMATCH) return new DbError('FORMAT_INVALID', message, { details, cause: thrown });
  if (code === MDB_CORRUPTED || code === MDB_PAGE_NOTFOUND) return new DbError('CHECKSUM_MISMATCH', message, { details, cause: thrown });
  const room = await statfs(folder).catch(() => undefined);
  const full = room !== undefined && room.bavail * room.bsize < FULL_BELOW_BYTES;
  return new DbError(full ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', message, { details, cause: thrown });
}
