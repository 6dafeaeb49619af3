import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, DbError, type ObjectInfo, type ObjectStore } from '@terndb/core';
import { openFolder, syncFolder, writeFileDurably } from './durable.ts';
import { isAbsent, storageError } from './storage-error.ts';

const SUFFIX = '.obj';
const NAME = /^[A-Za-z0-9._/-]{1,200}$/;

/**
 * Objects as files of one flat folder: `/` in a name is written `%`, which names cannot contain, so that `a` and `a/b` can both be there.
 * The file system must tell upper from lower case.
 */
export class FileObjectStore implements ObjectStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<FileObjectStore> {
    await openFolder(folder).catch(fail(`object store ${folder}`));
    return new FileObjectStore(folder);
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(name);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const held = await this.head(name);
    if (held !== undefined) {
      assert(held.bytes === length, () => `object ${name}: ${held.bytes} bytes expected on writing it again, got ${length}`);
      return;
    }
    await writeFileDurably(path, parts).catch(fail(`object ${name}`));
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    const info = await stat(this.#path(name)).catch(absentOr(`object ${name}`));
    return info === undefined ? undefined : { name, bytes: info.size };
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const handle = await open(this.#path(name), 'r').catch(absentOr(`object ${name}`));
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      checkRange(name, size, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new DbError('CHECKSUM_MISMATCH', `object ${name}: cut short while it was read`, { details: { name } });
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw storageError(error, `object ${name}`);
    } finally {
      await handle.close();
    }
  }

  async list(prefix: string): Promise<readonly ObjectInfo[]> {
    const files = await readdir(this.#folder).catch(fail(`object store ${this.#folder}`));
    const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length).replaceAll('%', '/'));
    const found = await Promise.all(names.filter((name) => name.startsWith(prefix)).map((name) => this.head(name)));
    return found.filter((info) => info !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async delete(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
      .then(() => syncFolder(this.#folder))
      .catch(fail(`object ${name}`));
  }

  #path(name: string): string {
    assert(NAME.test(name) && !name.includes('..'), () => `object name ${JSON.stringify(name)}: ${NAME.source} without ".." expected`);
    return join(this.#folder, `${name.replaceAll('/', '%')}${SUFFIX}`);
  }
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= size;
  if (inside) return;
  throw new DbError('FORMAT_INVALID', `object ${name}: bytes ${offset} to ${offset + length} wanted of ${size}`, {
    details: { name, size, offset, length },
  });
}

function fail(what: string): (error: unknown) => never {
  return (error) => {
    throw storageError(error, what);
  };
}

function absentOr(what: string): (error: unknown) => undefined {
  return (error) => {
    if (!isAbsent(error)) throw storageError(error, what);
    return undefined;
  };
}
