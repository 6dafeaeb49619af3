import { assert, assertObjectName, checkObjectRange, DbError, type ObjectInfo } from '@terndb/core';
import type { IdbConnection, Transaction } from './idb-connection.ts';
import { CHUNK_BYTES, type ObjectRow } from './idb-layout.ts';
import type { ObjectsInParts, PartsShape } from './object-parts.ts';

/** Chunks read per request: bounds what is in memory beside the result. */
const READ_CHUNKS = 8;

interface WaitingPart {
  readonly key: [string, number];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Objects in IndexedDB as chunks. The row comes after all chunks, so a reader sees a whole object or none. */
export class IdbObjectStore implements ObjectsInParts {
  readonly #connection: IdbConnection;
  #waiting: WaitingPart[] = [];
  #isWriting = false;

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
    return isFinished(row) ? { name, bytes: row.bytes } : undefined;
  }

  async read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    assertObjectName(name);
    return await this.#connection.run({ stores: ['objects', 'chunks'], mode: 'readonly' }, async (tx) => {
      const row = await tx.objectStore('objects').get(name);
      if (!isFinished(row)) return undefined;
      checkObjectRange({ name, bytes: row.bytes }, offset, length);
      const only = await wholeChunk(tx, name, row, { offset, length });
      if (only !== undefined) return only;
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
    return names.flatMap((name, index) => (isFinished(rows[index]) ? [{ name, bytes: rows[index].bytes }] : []));
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

  async beginParts(name: string, { bytes, partBytes }: PartsShape): Promise<ReadonlySet<number>> {
    assertObjectName(name);
    return await this.#connection.run({ stores: ['objects', 'chunks'], mode: 'readwrite', durability: 'relaxed' }, async (tx) => {
      const chunks = tx.objectStore('chunks');
      const row = await tx.objectStore('objects').get(name);
      assert(row?.unfinished !== undefined || row === undefined, () => `object ${name}: none expected where it arrives in parts`);
      if (row?.bytes === bytes && row.chunkBytes === partBytes) {
        const keys = await chunks.getAllKeys(chunkRange(name, 0, Number.MAX_SAFE_INTEGER));
        return new Set(keys.map(([, index]) => index));
      }
      await chunks.delete(chunkRange(name, 0, Number.MAX_SAFE_INTEGER));
      await tx.objectStore('objects').put({ bytes, chunkBytes: partBytes, unfinished: true }, name);
      return new Set<number>();
    });
  }

  writePart(name: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key: [name, index], bytes, resolve, reject });
      if (!this.#isWriting) void this.#writeParts();
    });
  }

  async readPart(name: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return await this.#connection.run({ stores: ['chunks'], mode: 'readonly' }, (tx) => tx.objectStore('chunks').get([name, index]));
  }

  async endParts(name: string, { bytes, partBytes }: PartsShape): Promise<void> {
    // Strict, as after a put.
    await this.#connection.run({ stores: ['objects'], mode: 'readwrite', durability: 'strict' }, (tx) =>
      tx.objectStore('objects').put({ bytes, chunkBytes: partBytes }, name),
    );
  }

  async listUnfinished(prefix: string): Promise<readonly string[]> {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const [names, rows] = await this.#connection.run({ stores: ['objects'], mode: 'readonly' }, (tx) => {
      const store = tx.objectStore('objects');
      return Promise.all([store.getAllKeys(range), store.getAll(range)]);
    });
    return names.filter((_, index) => !isFinished(rows[index]));
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

  /** One transaction at a time; parts that came meanwhile share the next one. */
  async #writeParts(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const parts = this.#waiting;
      this.#waiting = [];
      try {
        await this.#connection.run({ stores: ['chunks'], mode: 'readwrite', durability: 'relaxed' }, async (tx) => {
          await Promise.all(parts.map(({ key, bytes }) => tx.objectStore('chunks').put(bytes, key)));
        });
        for (const { resolve } of parts) resolve();
      } catch (thrown) {
        for (const { reject } of parts) reject(thrown);
      }
    }
    this.#isWriting = false;
  }

  #row(name: string): Promise<ObjectRow | undefined> {
    return this.#connection.run({ stores: ['objects'], mode: 'readonly' }, (tx) => tx.objectStore('objects').get(name));
  }
}

function isFinished(row: ObjectRow | undefined): row is ObjectRow {
  return row !== undefined && row.unfinished === undefined;
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

/** The usual read of a large section (engine/segment/load-vectors.ts): the stored value itself is the fresh buffer. */
async function wholeChunk(
  tx: Transaction<'readonly'>,
  name: string,
  { bytes, chunkBytes }: ObjectRow,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (length === 0 || offset % chunkBytes !== 0 || length !== Math.min(chunkBytes, bytes - offset)) return undefined;
  const index = offset / chunkBytes;
  const chunk = await tx.objectStore('chunks').get([name, index]);
  if (chunk?.byteLength !== length) throw damagedChunk({ name, index, expected: length, chunk });
  return chunk;
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
  if (chunk?.byteLength !== expected) throw damagedChunk({ name, index, expected, chunk });
  const from = Math.max(offset - start, 0);
  const to = Math.min(offset + result.byteLength - start, expected);
  result.set(chunk.subarray(from, to), start + from - offset);
}

function damagedChunk(of: {
  readonly name: string;
  readonly index: number;
  readonly expected: number;
  readonly chunk: Uint8Array | undefined;
}): DbError {
  const { name, index, expected } = of;
  const got = of.chunk?.byteLength;
  return new DbError('CHECKSUM_MISMATCH', `object ${name}: chunk ${index} has ${expected} bytes expected, got ${got ?? 'none'}`, {
    details: { name, chunk: index, expected, got: got ?? null },
  });
}
