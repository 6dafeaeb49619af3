import { DbError, type ScratchFile, type ScratchFiles } from '@terndb/core';

/** Of the origin's private file system: one folder per database, in it one per tab that leads or led. */
const ROOT = 'terndb-scratch';

/** Files that are read without waiting; workers have them, pages do not, and so TypeScript's types of a page do not either. */
interface SyncAccessHandle {
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  truncate(bytes: number): void;
  close(): void;
}

/**
 * Scratch files in the origin's private file system; what an earlier worker left there is removed. Undefined where there is none to have (old browsers,
 * private windows of some).
 */
export async function openOpfsScratch(database: string, tab: string): Promise<ScratchFiles | undefined> {
  try {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
    // Names of databases may have characters that names of files may not.
    const folder = await root.getDirectoryHandle(`db-${encodeURIComponent(database)}`, { create: true });
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) await remove(folder, name);
    return new OpfsScratch(await folder.getDirectoryHandle(tab, { create: true }));
  } catch {
    return undefined;
  }
}

class OpfsScratch implements ScratchFiles {
  readonly #folder: FileSystemDirectoryHandle;
  #count = 0;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async create(bytes: number): Promise<ScratchFile> {
    this.#count += 1;
    const name = `${this.#count}`;
    let handle: SyncAccessHandle | undefined;
    try {
      const file = await this.#folder.getFileHandle(name, { create: true });
      handle = await (file as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> }).createSyncAccessHandle();
      handle.truncate(bytes);
      return new OpfsFile(handle, () => void remove(this.#folder, name));
    } catch (error) {
      handle?.close();
      void remove(this.#folder, name);
      throw refusal('create', error);
    }
  }
}

class OpfsFile implements ScratchFile {
  readonly #handle: SyncAccessHandle;
  readonly #remove: () => void;

  constructor(handle: SyncAccessHandle, removeFile: () => void) {
    this.#handle = handle;
    this.#remove = removeFile;
  }

  write(at: number, bytes: Uint8Array): void {
    mustBeWhole('write', bytes.length, () => this.#handle.write(bytes, { at }));
  }

  read(at: number, into: Uint8Array): void {
    mustBeWhole('read', into.length, () => this.#handle.read(into, { at }));
  }

  free(): void {
    this.#handle.close();
    this.#remove();
  }
}

function mustBeWhole(what: string, wanted: number, move: () => number): void {
  let moved: number;
  try {
    moved = move();
  } catch (error) {
    throw refusal(what, error);
  }
  if (moved !== wanted) throw refusal(what, new Error(`${wanted} bytes expected, got ${moved}`));
}

function refusal(what: string, cause: unknown): DbError {
  const isFull = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new DbError(isFull ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE', `scratch file: ${what}: ${String(cause)}`, { cause });
}

/** A file that another worker still holds stays; a later start removes it. */
async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  await folder.removeEntry(name, { recursive: true }).catch(() => {});
}
