import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DbError, ScratchFile, ScratchFiles } from '@terndb/core';
import { storageError } from '../files/storage-error.ts';

/** Only for this process: what is in them is in the object store, too, for who may read that. */
const MODE = 0o600;
/** By which files of this adapter are told from others, should somebody keep any here. */
const SUFFIX = '.scratch';

/**
 * Scratch files in a folder of their own. A file has no name any more from the moment it is open, so that it ends with the process however that ends; where
 * the system cannot do that, it is removed with `free`, or by the next start.
 */
export class FileScratch implements ScratchFiles {
  readonly #folder: string;
  readonly #warn: (error: DbError) => void;
  #count = 0;

  private constructor(folder: string, warn: (error: DbError) => void) {
    this.#folder = folder;
    this.#warn = warn;
  }

  /** Removes what an earlier process left. `warn`: told why a file is not to be had; whoever wanted it does without. @throws STORAGE_FULL, STORAGE_UNAVAILABLE. */
  static open(folder: string, warn: (error: DbError) => void = () => {}): FileScratch {
    checked(`scratch folder ${folder}`, () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) if (name.endsWith(SUFFIX)) rmSync(join(folder, name), { force: true });
    });
    return new FileScratch(folder, warn);
  }

  async create(bytes: number): Promise<ScratchFile> {
    this.#count += 1;
    const path = join(this.#folder, `${process.pid}-${this.#count}${SUFFIX}`);
    const what = `scratch file of ${bytes} bytes`;
    const refuse = this.#warn;
    try {
      return checked(what, () => {
        const file = openSync(path, 'wx+', MODE);
        try {
          ftruncateSync(file, bytes);
          return new OpenFile(file, what, { refuse, remove: hasRemoved(path) ? () => {} : () => void hasRemoved(path) });
        } catch (error) {
          closeSync(file);
          hasRemoved(path);
          throw error;
        }
      });
    } catch (error) {
      refuse(error as DbError);
      throw error;
    }
  }
}

class OpenFile implements ScratchFile {
  /** Below 0 once it is closed: its number may be another file's then. */
  #file: number;
  readonly #what: string;
  readonly #refuse: (error: DbError) => void;
  readonly #remove: () => void;

  constructor(file: number, what: string, { refuse, remove }: { readonly refuse: (error: DbError) => void; readonly remove: () => void }) {
    this.#file = file;
    this.#what = what;
    this.#refuse = refuse;
    this.#remove = remove;
  }

  write(at: number, bytes: Uint8Array): void {
    try {
      checked(this.#what, () => move(bytes.length, (done) => writeSync(this.#file, bytes, done, bytes.length - done, at + done)));
    } catch (error) {
      this.#refuse(error as DbError);
      throw error;
    }
  }

  read(at: number, into: Uint8Array): void {
    checked(this.#what, () => move(into.length, (done) => readSync(this.#file, into, done, into.length - done, at + done)));
  }

  free(): void {
    const file = this.#file;
    this.#file = -1;
    checked(this.#what, () => closeSync(file));
    this.#remove();
  }
}

/** Systems move less than they are asked to, where they like. */
function move(bytes: number, some: (done: number) => number): void {
  for (let done = 0; done < bytes; ) {
    const moved = some(done);
    if (moved === 0) throw new Error(`${bytes} bytes expected, it ends after ${done}`);
    done += moved;
  }
}

function hasRemoved(path: string): boolean {
  try {
    rmSync(path, { force: true });
    return true;
  } catch {
    return false;
  }
}

function checked<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw storageError(error, what);
  }
}
