import { afterEach, describe, expect, it } from 'vitest';
import { defineSchema, f, open } from '../index.ts';
import { disposeDatabases, freshName, note, noteSchema, openNotes, until } from './testing/databases.ts';

afterEach(disposeDatabases);

describe('a database', () => {
  it('finds by text what was just put, with the key known at once', async () => {
    const db = await openNotes();
    expect(db.storage.get().mode).toBe('indexeddb');
    const write = db.notes.put(note('Espresso'));
    expect(write.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(await write).toBe(write.key);
    const { hits } = await db.notes.search({ text: 'espresso' });
    expect(hits.map((hit) => [hit.key, hit.entity.title, hit.entity.stars])).toEqual([[write.key, 'Espresso', 0]]);
    expect(await db.notes.get(write.key)).toMatchObject({ id: write.key, tag: 'home' });
  });

  it('has everything again after close and open', async () => {
    const name = freshName();
    const first = await openNotes(name);
    const keys = await first.notes.putMany([note('one', { vec: [1, 0, 0, 0] }), note('two', { vec: new Float32Array([0, 1, 0, 0]) })]);
    await first.close();
    await expect(first.notes.count()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    const again = await openNotes(name);
    expect((await again.notes.count()).count).toBe(2);
    const { hits } = await again.notes.search({ vector: [0, 1, 0.1, 0], field: 'vec', limit: 1 });
    expect(hits[0]?.key).toBe(keys[1]);
  });

  it('gives every kind of value back as it was given', async () => {
    const db = await openNotes();
    const values = {
      due: new Date(86_400_000),
      big: 9007199254740993n,
      labels: ['a', 'b'],
      extra: { deep: [1, null, 'x'] },
      vec: new Float32Array([1, 2, 3, 4]),
      terms: { 7: 0.5 },
      hash: new Uint8Array([1, 128]),
    };
    const { key } = db.notes.put(note('all', values));
    const select = ['due', 'big', 'labels', 'extra', 'vec', 'terms', 'hash'] as const;
    expect(await db.notes.get(key, { select })).toEqual({ id: key, ...values });
  });

  it('applies the writes of a page in the order of the calls', async () => {
    const db = await openNotes();
    const { key } = db.notes.put(note('first'));
    void db.notes.patch(key, { stars: 1 });
    void db.notes.patch(key, { stars: 2 });
    expect((await db.notes.get(key))?.stars).toBe(2);
    void db.notes.delete(key);
    expect(await db.notes.get(key)).toBeUndefined();
  });

  it('copies what it is given before the call returns, one row of a matrix without the others', async () => {
    const db = await openNotes();
    const matrix = new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]);
    const labels = ['before'];
    const { key } = db.notes.put(note('row', { vec: matrix.subarray(4), labels }));
    matrix.fill(0);
    labels[0] = 'after';
    expect(await db.notes.get(key, { select: ['vec', 'labels'] })).toMatchObject({
      vec: new Float32Array([5, 6, 7, 8]),
      labels: ['before'],
    });
  });

  it('deletes by filter and says which keys', async () => {
    const db = await openNotes();
    const keys = await db.notes.putMany([note('a', { stars: 1 }), note('b', { stars: 5 }), note('c', { stars: 2 })]);
    const gone = await db.notes.delete({ where: { stars: { lt: 3 } } });
    expect([...gone].sort()).toEqual([keys[0], keys[2]].sort());
    expect(await db.notes.getMany(keys)).toMatchObject([undefined, { title: 'b' }, undefined]);
  });

  it('is shared by all that open it in one page, and closed with the last of them', async () => {
    const name = freshName();
    const first = await openNotes(name);
    const second = await openNotes(name);
    await first.notes.put(note('shared'));
    expect((await second.notes.count()).count).toBe(1);
    await first.close();
    await expect(first.notes.count()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    expect((await second.notes.count()).count).toBe(1);
    await expect(open(name, { schema: defineSchema({ other: { a: f.text() } }) })).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
  });

  it('opens anew while the last one still closes, and after a worker that could not be made', async () => {
    const name = `reopen-${Math.random()}`;
    const first = await open(name, { schema: noteSchema });
    const closing = first.close();
    const second = await open(name, { schema: noteSchema });
    await closing;
    expect((await second.inspect()).partitions.length).toBeGreaterThan(0);
    await second.logout({ unsynced: 'discard' });
    const worker = (): Worker => {
      throw new Error('no worker (by a test)');
    };
    await expect(open(name, { schema: noteSchema, assets: { worker } })).rejects.toMatchObject({ name: 'DbError' });
    await (await open(name, { schema: noteSchema })).logout({ unsynced: 'discard' });
  });

  it('leaves no worker behind, however often it is opened and closed', async () => {
    const name = freshName();
    const alive = new Set<Worker>();
    const worker = (): Worker => {
      const made = new Worker(new URL('../engine-worker.ts', import.meta.url), { type: 'module' });
      const terminate = made.terminate.bind(made);
      made.terminate = () => {
        alive.delete(made);
        terminate();
      };
      alive.add(made);
      return made;
    };
    for (let time = 0; time < 50; time++) {
      const db = await open(name, { schema: noteSchema, assets: { worker } });
      expect(alive.size).toBe(1);
      if (time % 10 === 0) await db.notes.put(note('again'));
      await db.close();
      expect(alive.size).toBe(0);
    }
    const db = await open(name, { schema: noteSchema });
    expect((await db.notes.count()).count).toBe(5);
    // The browser frees a worker's locks only with the worker.
    const { held = [] } = await navigator.locks.query();
    expect(held.filter((lock) => lock.name?.includes(name)).length).toBe(2);
    await db.logout({ unsynced: 'discard' });
  });

  it('is gone after logout with discard, and stays after logout with keep', async () => {
    const name = freshName();
    const first = await openNotes(name);
    await first.notes.put(note('kept'));
    await expect(first.logout({ unsynced: 'upload' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await first.logout({ unsynced: 'keep' });
    const second = await openNotes(name);
    expect((await second.notes.count()).count).toBe(1);
    await second.logout({ unsynced: 'discard' });
    expect((await (await openNotes(name)).notes.count()).count).toBe(0);
  });

  it('tells that the browser dropped it', async () => {
    const name = freshName();
    const first = await openNotes(name);
    expect(first.storage.get().lossDetected).toBe(false);
    await first.close();
    await new Promise((resolve) => {
      indexedDB.deleteDatabase(`terndb:${name}`).onsuccess = resolve;
    });
    const again = await openNotes(name);
    expect(again.storage.get().lossDetected).toBe(true);
    const event = await new Promise<{ lastOpened: Date }>((resolve) => again.on('lossDetected', resolve));
    expect(event.lastOpened.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('tells how much is stored and how much the browser gives', async () => {
    const db = await openNotes();
    await until(() => db.storage.get().quotaBytes > 0);
    expect(db.storage.get()).toMatchObject({ state: 'ok', persisted: false });
  });

  it('is inspected partition by partition', async () => {
    const db = await openNotes();
    await db.notes.put(note('x'), { partition: 'team' });
    const { partitions, clientId } = await db.inspect();
    expect(clientId).not.toBe('');
    expect(partitions.find((one) => one.partition === 'team')).toMatchObject({ collection: 'notes', entities: 1 });
    expect((await db.notes.count({ partitions: ['team'] })).count).toBe(1);
  });

  it('answers NOT_CONNECTED where a server is needed', async () => {
    const db = await openNotes();
    for (const wrong of [
      undefined,
      {},
      { url: 5 },
      { url: 'http://', getToken: async () => '' },
      { url: '/sync', partitions: 'a', getToken: async () => '' },
    ]) {
      expect(() => db.connect(wrong as never)).toThrowError(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    const write = db.notes.put(note('local'));
    expect(await write.wait('local')).toMatch(/^[\w-]+$/);
    await expect(write.wait('acked')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(db.notes.search({ text: 'x', scope: 'global' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(db.notes.query({ consistency: 'strong' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(db.openCollection('orders')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    expect(db.sync.get()).toMatchObject({ state: { name: 'off' }, leader: true });
  });
});
