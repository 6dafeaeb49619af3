import { DbError } from '@terndb/core';
import { deleteDB, openDB } from 'idb';
import { afterEach, describe, expect, it } from 'vitest';
import { IdbConnection } from './idb-connection.ts';
import { CHUNK_BYTES, idbName } from './idb-layout.ts';
import { IdbLogBroker } from './idb-log-broker.ts';
import { IdbMetaStore } from './idb-meta-store.ts';
import { IdbObjectStore } from './idb-object-store.ts';

const opened: IdbConnection[] = [];
let names = 0;

function freshName(): string {
  return `storage-test-${Date.now().toString(36)}-${names++}`;
}
async function connect(name: string = freshName()): Promise<IdbConnection> {
  const connection = await IdbConnection.open(name);
  opened.push(connection);
  return connection;
}
afterEach(async () => {
  for (const connection of opened.splice(0)) {
    await connection.close();
    await deleteDB(idbName(connection.name));
  }
});

function pattern(bytes: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) result[index] = (index * 31 + (index >> 8)) & 255;
  return result;
}

describe('the tab database', () => {
  it('is made once, with all stores, at version 1', async () => {
    const first = await connect();
    expect(first.created).toBe(true);
    const second = await connect(first.name);
    expect(second.created).toBe(false);
    const raw = await openDB(idbName(first.name));
    expect([...raw.objectStoreNames]).toEqual(['chunks', 'kept', 'log', 'meta', 'objects', 'outbox', 'rejected']);
    expect(raw.version).toBe(1);
    raw.close();
  });

  it('refuses a database of a newer version with FORMAT_VERSION_UNSUPPORTED', async () => {
    const name = freshName();
    (await openDB(idbName(name), 7)).close();
    await expect(IdbConnection.open(name)).rejects.toMatchObject({ code: 'FORMAT_VERSION_UNSUPPORTED' });
    await deleteDB(idbName(name));
  });

  it('lets another tab delete it: flushes, closes, and refuses later calls with DATABASE_CLOSED', async () => {
    const told: string[] = [];
    const connection = await IdbConnection.open(freshName(), {
      onVersionChange: async () => {
        await new IdbMetaStore(connection).compareAndSet('last', 0, new Uint8Array([1]));
        told.push('flushed');
      },
    });
    await deleteDB(idbName(connection.name));
    expect(told).toEqual(['flushed']);
    await expect(new IdbMetaStore(connection).get('last')).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
  });

  it('opens a dropped connection again and repeats the transaction', async () => {
    const connection = await connect();
    const meta = new IdbMetaStore(connection);
    let tries = 0;
    const revision = await connection.run({ stores: ['meta'], mode: 'readwrite' }, async (tx, replay) => {
      tries++;
      if (!replay) throw new DOMException('gone', 'UnknownError');
      await tx.objectStore('meta').put({ value: new Uint8Array([9]), revision: 1 }, 'key');
      return 1;
    });
    expect([revision, tries]).toEqual([1, 2]);
    expect((await meta.get('key'))?.value).toEqual(new Uint8Array([9]));
  });

  it('gives up with STORAGE_UNAVAILABLE when the second try fails too', async () => {
    const connection = await connect();
    const work = async (): Promise<never> => {
      throw new DOMException('gone', 'UnknownError');
    };
    await expect(connection.run({ stores: ['meta'], mode: 'readonly' }, work)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('says STORAGE_FULL when the browser gives no more', async () => {
    const connection = await connect();
    const work = async (): Promise<never> => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    await expect(connection.run({ stores: ['meta'], mode: 'readwrite' }, work)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
  });

  it('rolls a transaction back when its work throws', async () => {
    const connection = await connect();
    const failing = connection.run({ stores: ['meta'], mode: 'readwrite' }, async (tx) => {
      await tx.objectStore('meta').put({ value: new Uint8Array([1]), revision: 1 }, 'key');
      throw new DbError('INTERNAL', 'on purpose');
    });
    await expect(failing).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await new IdbMetaStore(connection).get('key')).toBeUndefined();
  });
});

describe('the log in IndexedDB', () => {
  const entry = (text: string) => ({ channel: 'c/p/0', bytes: new TextEncoder().encode(text) });

  it('is there after reopening, and continues its sequence after truncation', async () => {
    const first = await connect();
    const log = new IdbLogBroker(first);
    expect(await log.append('s', 0, [entry('a'), entry('b'), entry('c')])).toBe(3);
    await log.truncate('s', 3);
    await first.close();
    const again = new IdbLogBroker(await connect(first.name));
    expect(await again.bounds('s')).toEqual({ first: 4, last: 3 });
    expect(await again.append('s', 3, [entry('d')])).toBe(4);
    expect(await again.read('s', 1, { maxBytes: 100 })).toMatchObject([{ sequence: 4 }]);
  });

  it('lets one of two writers win', async () => {
    const connection = await connect();
    const other = await connect(connection.name);
    const results = await Promise.allSettled([
      new IdbLogBroker(connection).append('s', 0, [entry('a')]),
      new IdbLogBroker(other).append('s', 0, [entry('b')]),
    ]);
    const lost = results.find((result) => result.status === 'rejected');
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(lost?.reason).toMatchObject({ code: 'APPEND_CONFLICT', details: { last: 1 } });
  });

  it('reads many small entries within the byte limit', async () => {
    const log = new IdbLogBroker(await connect());
    await log.append(
      's',
      0,
      Array.from({ length: 500 }, () => entry('0123456789')),
    );
    const read = await log.read('s', 1, { maxBytes: 3000 });
    expect(read).toHaveLength(300);
    expect(await log.read('s', 500, { maxBytes: 1 })).toHaveLength(1);
  });
});

describe('objects in IndexedDB', () => {
  it('are cut into chunks and read back by any range', async () => {
    const connection = await connect();
    const objects = new IdbObjectStore(connection);
    const bytes = pattern(2 * CHUNK_BYTES + 1000);
    await objects.put('seg/a', [bytes.subarray(0, 5), bytes.subarray(5, CHUNK_BYTES + 7), bytes.subarray(CHUNK_BYTES + 7)]);
    expect(await objects.head('seg/a')).toEqual({ name: 'seg/a', bytes: bytes.byteLength });
    for (const [offset, length] of [
      [0, 10],
      [CHUNK_BYTES - 3, 6],
      [CHUNK_BYTES, CHUNK_BYTES],
      [10, bytes.byteLength - 20],
      [bytes.byteLength, 0],
    ] as const) {
      const read = await objects.read('seg/a', offset, length);
      expect(read?.byteLength).toBe(length);
      expect(indexedDB.cmp(read!, bytes.slice(offset, offset + length))).toBe(0);
    }
  });

  it('are not seen before their last byte is stored', async () => {
    const connection = await connect();
    const objects = new IdbObjectStore(connection);
    await connection.run({ stores: ['chunks'], mode: 'readwrite' }, (tx) => tx.objectStore('chunks').put(pattern(10), ['half', 0]));
    expect(await objects.head('half')).toBeUndefined();
    expect(await objects.read('half', 0, 10)).toBeUndefined();
    expect(await objects.list('')).toEqual([]);
    await objects.put('whole', [pattern(10)]);
    await objects.removeOrphans();
    const left = await connection.run({ stores: ['chunks'], mode: 'readonly' }, (tx) => tx.objectStore('chunks').getAllKeys());
    expect(left).toEqual([['whole', 0]]);
  });

  it('say CHECKSUM_MISMATCH when a chunk is missing', async () => {
    const connection = await connect();
    const objects = new IdbObjectStore(connection);
    await objects.put('a', [pattern(CHUNK_BYTES + 10)]);
    await connection.run({ stores: ['chunks'], mode: 'readwrite' }, (tx) => tx.objectStore('chunks').delete(['a', 1]));
    await expect(objects.read('a', CHUNK_BYTES - 1, 5)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });
});
