import { assert, assertObjectName, checkObjectRange, DbError, type ObjectInfo, type ObjectStore } from '@terndb/core';
import type { IdbConnection } from './idb-connection.ts';
import { CHUNK_BYTES, type ObjectRow } from './idb-layout.ts';

/** Chunks read per request: bounds what is in memory beside the result. */
const READ_CHUNKS = 8;

/** Objects in IndexedDB as chunks. The row comes after all chunks, so a reader sees a whole object or none. */
export class IdbObjectStore implements ObjectStore {
  readonly #connection: IdbConnection;

  constructor(connection: IdbConnection) {
    this.#connection = connection;
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    assertObjectName(name);
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const stored = await this.head(name);
    if (stored !== undefined) {
      assert(stored.bytes === bytes, () => `object ${name}: ${stored.bytes} bytes are stored under this name, got ${bytes}`);
      return;
    }
    let index = 0;
    for (const chunk of chunksOf(parts, bytes)) {
      const key: [string, number] = [name, index];
      await this.#connection.run({ stores: ['chunks'], mode: 'readwrite', durability: 'relaxed' }, (tx) =>
        tx.objectStore('chunks').put(chunk, key),
      );
      index++;
    }
    // Strict: what is flushed with this row includes the chunks before it.
    const row: ObjectRow = { bytes, chunkBytes: CHUNK_BYTES };
    await this.#connection.run({ stores: ['objects'], mode: 'readwrite', durability: 'strict' }, (tx) =>
      tx.objectStore('objects').put(row, name),
    );
  }

  async head(name: string): Promise<ObjectInfo | undefined> {
    assertObjectName(name);
    const row = await this.#row(name);
    return row === undefined ? undefined : { name, bytes: row.bytes };
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    assertObjectName(name);
    return await this.#connection.run({ stores: ['objects', 'chunks'], mode: 'readonly' }, async (tx) => {
      const row = await tx.objectStore('objects').get(name);
      if (row === undefined) return undefined;
      checkObjectRange({ name, bytes: row.bytes }, offset, length);
      const result = new Uint8Array(length);
      const last = length === 0 ? 0 : Math.ceil((offset + length) / row.chunkBytes);
      for (let first = Math.floor(offset / row.chunkBytes); first < last; first += READ_CHUNKS) {
        const end = Math.min(first + READ_CHUNKS, last);
        const chunks = await tx.objectStore('chunks').getAll(chunkRange(name, first, end - 1));
        for (let index = first; index < end; index++) copyChunk(result, { name, offset, row, index, chunk: chunks[index - first] });
      }
      return result;
    });
  }

  async list(prefix: string): Promise<readonly ObjectInfo[]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [names, rows] = await this.#connection.run({ stores: ['objects'], mode: 'readonly' }, (tx) => {
      const store = tx.objectStore('objects');
      return Promise.all([store.getAllKeys(range), store.getAll(range)]);
    });
    return names.map((name, index) => ({ name, bytes: rows[index]!.bytes }));
  }

  async delete(name: string): Promise<void> {
    assertObjectName(name);
    await this.#connection.run({ stores: ['objects', 'chunks'], mode: 'readwrite' }, async (tx) => {
      await Promise.all([
        tx.objectStore('objects').delete(name),
        tx.objectStore('chunks').delete(chunkRange(name, 0, Number.MAX_SAFE_INTEGER)),
      ]);
    });
  }

  /** Removes chunks that a put left behind when its tab died. Only for the one writer of the database. */
  async removeOrphans(): Promise<void> {
    await this.#connection.run({ stores: ['objects', 'chunks'], mode: 'readwrite' }, async (tx) => {
      const [names, chunkKeys] = await Promise.all([tx.objectStore('objects').getAllKeys(), tx.objectStore('chunks').getAllKeys()]);
      const known = new Set(names);
      const orphans = chunkKeys.filter(([name]) => !known.has(name));
      await Promise.all(orphans.map((key) => tx.objectStore('chunks').delete(key)));
    });
  }

  #row(name: string): Promise<ObjectRow | undefined> {
    return this.#connection.run({ stores: ['objects'], mode: 'readonly' }, (tx) => tx.objectStore('objects').get(name));
  }
}

function chunkRange(name: string, first: number, last: number): IDBKeyRange {
  return IDBKeyRange.bound([name, first], [name, last]);
}

/** The parts' concatenation, cut into fresh chunks of CHUNK_BYTES. */
function* chunksOf(parts: readonly Uint8Array[], bytes: number): Generator<Uint8Array<ArrayBuffer>> {
  let chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes));
  let filled = 0;
  let left = bytes;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; ) {
      const take = Math.min(part.byteLength - at, chunk.byteLength - filled);
      chunk.set(part.subarray(at, at + take), filled);
      at += take;
      filled += take;
      if (filled < chunk.byteLength) continue;
      yield chunk;
      left -= filled;
      chunk = new Uint8Array(Math.min(CHUNK_BYTES, left));
      filled = 0;
    }
  }
}

interface ChunkCopy {
  readonly name: string;
  /** Where the result starts in the object. */
  readonly offset: number;
  readonly row: ObjectRow;
  readonly index: number;
  readonly chunk: Uint8Array | undefined;
}

function copyChunk(result: Uint8Array, { name, offset, row, index, chunk }: ChunkCopy): void {
  const start = index * row.chunkBytes;
  const expected = Math.min(row.chunkBytes, row.bytes - start);
  if (chunk?.byteLength !== expected) {
    throw new DbError(
      'CHECKSUM_MISMATCH',
      `object ${name}: chunk ${index} has ${expected} bytes expected, got ${chunk?.byteLength ?? 'none'}`,
      {
        details: { name, chunk: index, expected, got: chunk?.byteLength ?? null },
      },
    );
  }
  const from = Math.max(offset - start, 0);
  const to = Math.min(offset + result.byteLength - start, expected);
  result.set(chunk.subarray(from, to), start + from - offset);
}
