import { deleteDB } from 'idb';
import { describe, expect, it } from 'vitest';
import { IdbConnection } from './idb-connection.ts';
import { idbName } from './idb-layout.ts';
import { IdbObjectStore } from './idb-object-store.ts';
import { MemoryObjectsInParts, type ObjectsInParts } from './object-parts.ts';

const shape = { bytes: 25, partBytes: 10 };
const NAME = 'c/p/0/segment-1';
const part = (index: number): Uint8Array<ArrayBuffer> => new Uint8Array(index === 2 ? 5 : 10).fill(index + 1);

interface Subject {
  readonly objects: ObjectsInParts;
  /** After a restart, as far as there is one. */
  reopen(): Promise<Subject>;
  dispose(): Promise<void>;
}

async function inMemory(objects = new MemoryObjectsInParts()): Promise<Subject> {
  return { objects, reopen: () => inMemory(objects), dispose: async () => {} };
}

async function inIdb(name = `parts-${Date.now().toString(36)}-${Math.random()}`): Promise<Subject> {
  const connection = await IdbConnection.open(name);
  const objects = new IdbObjectStore(connection);
  return {
    objects,
    reopen: async () => {
      await connection.close();
      const again = await inIdb(name);
      await (again.objects as IdbObjectStore).removeOrphans();
      return again;
    },
    dispose: async () => {
      await connection.close();
      await deleteDB(idbName(name));
    },
  };
}

describe.each([
  ['memory', inMemory],
  ['IndexedDB', inIdb],
])('objects that arrive in parts, in %s', (_, create: () => Promise<Subject>) => {
  it('are no objects before they end, keep their parts over a restart, and are read like others then', async () => {
    const first = await create();
    expect(await first.objects.beginParts(NAME, shape)).toEqual(new Set());
    await Promise.all([first.objects.writePart(NAME, 2, part(2)), first.objects.writePart(NAME, 0, part(0))]);
    const second = await first.reopen();
    const { objects } = second;
    expect(await objects.head(NAME)).toBeUndefined();
    expect(await objects.read(NAME, 0, 5)).toBeUndefined();
    expect(await objects.list('c/')).toEqual([]);
    expect(await objects.listUnfinished('c/')).toEqual([NAME]);
    expect(await objects.beginParts(NAME, shape)).toEqual(new Set([0, 2]));
    expect(await objects.readPart(NAME, 2)).toEqual(part(2));
    expect(await objects.readPart(NAME, 1)).toBeUndefined();
    await objects.writePart(NAME, 1, part(1));
    await objects.endParts(NAME, shape);
    expect(await objects.list('c/')).toEqual([{ name: NAME, bytes: 25 }]);
    expect(await objects.read(NAME, 8, 14)).toEqual(Uint8Array.of(1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3));
    expect(await objects.listUnfinished('')).toEqual([]);
    await second.dispose();
  });

  it('begin anew after they are deleted', async () => {
    const { objects, dispose } = await create();
    await objects.beginParts(NAME, shape);
    await objects.writePart(NAME, 0, part(0));
    await objects.delete(NAME);
    expect(await objects.listUnfinished('')).toEqual([]);
    expect(await objects.beginParts(NAME, shape)).toEqual(new Set());
    await dispose();
  });
});

describe('objects that arrive in parts in IndexedDB', () => {
  it('drop parts of an object that was cut otherwise, and refuse those of one that is whole', async () => {
    const { objects, dispose } = await inIdb();
    await objects.beginParts(NAME, shape);
    await objects.writePart(NAME, 0, part(0));
    expect(await objects.beginParts(NAME, { ...shape, partBytes: 5 })).toEqual(new Set());
    expect(await objects.readPart(NAME, 0)).toBeUndefined();
    await objects.put('c/p/0/other', [part(0)]);
    await expect(objects.beginParts('c/p/0/other', shape)).rejects.toThrow('none expected');
    await dispose();
  });
});
