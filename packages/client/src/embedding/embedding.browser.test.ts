import { afterEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { disposeDatabases, freshName } from '../database/testing/databases.ts';
import { type Database, defineSchema, type Embedder, f, open, type Store } from '../index.ts';

const schema = defineSchema({
  notes: { id: f.primaryKey('varchar'), title: f.text({ search: true }), vec: f.vector({ embed: ['title'] }) },
});
type Notes = Database<any> & { notes: any };
const opened: Notes[] = [];
const openNotes = async (name: string, embedder?: Embedder): Promise<Notes> => {
  const db = (await open(name, { schema, ...(embedder === undefined ? {} : { embedder }) })) as unknown as Notes;
  opened.push(db);
  return db;
};
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close().catch(() => {});
  await disposeDatabases();
});

/** Resolves once the store says so. */
const until = <T>(store: Store<T>, isTrue: (value: T) => boolean): Promise<T> =>
  new Promise((resolve) => {
    const look = (value: T): void => {
      if (!isTrue(value)) return;
      stop();
      resolve(value);
    };
    const stop = store.subscribe(look);
    look(store.get());
  });
const poll = async (isTrue: () => Promise<boolean>): Promise<void> => {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 30));
};
const vectorOf = async (db: Notes, id: string): Promise<Float32Array | null> => (await db.notes.get(id, { select: ['vec'] }))!.vec;
const hasVector = (db: Notes, id: string) => poll(async () => (await vectorOf(db, id)) !== null);
const keysOf = async (db: Notes, search: object): Promise<string[]> =>
  (await db.notes.search(search)).hits.map(({ key }: { key: string }) => key);

/** An embedder of the page's own that counts letters: [a…, b…, 1]. */
const letters = (id = 'letters', onTexts: (texts: readonly string[]) => void = () => {}): Embedder => ({
  id,
  dim: 3,
  async embed(texts) {
    onTexts(texts);
    return texts.map((text) => [text.split('a').length - 1, text.split('b').length - 1, 1]);
  },
});

describe('embedding with the model that ships with Tern', () => {
  it('makes rows searchable by keywords at once and by meaning when their vectors arrive', async () => {
    const db = await openNotes(freshName());
    expect(db.embedding.get()).toMatchObject({ state: 'off', model: null });
    await db.notes.putMany([
      { id: 'cat', title: 'kitten' },
      { id: 'money', title: 'shares on the stock exchange' },
      { id: 'ship', title: 'a sailing ship' },
    ]);
    expect(await keysOf(db, { text: 'kitten', mode: 'keyword' })).toEqual(['cat']);
    const first = await db.notes.search({ text: 'kitten' });
    expect(first.hits[0].key).toBe('cat');
    expect(first.degraded).toBe('embedder-loading');
    const ready = await until(db.embedding, ({ state }) => state === 'ready');
    expect(ready.model).toMatch(/^terndb\/model-mini@/);
    expect(ready.loadedBytes).toBeGreaterThan(1_000_000);
    await hasVector(db, 'ship');
    expect((await keysOf(db, { text: 'young cat', mode: 'semantic' }))[0]).toBe('cat');
    const hybrid = await db.notes.search({ text: 'young cat' });
    expect(hybrid).toMatchObject({ degraded: null });
    expect(hybrid.hits[0].key).toBe('cat');
    expect(db.embedding.get().error).toBeNull();
  });

  it('shows a live search by meaning as vectors arrive', async () => {
    const db = await openNotes(freshName());
    const seen: string[][] = [];
    const stop = db.notes.live({ text: 'young cat' }, (result: { hits: { key: string }[] }) =>
      seen.push(result.hits.map(({ key }) => key)),
    );
    await db.notes.put({ id: 'cat', title: 'kitten' });
    await poll(async () => seen.at(-1)?.[0] === 'cat');
    stop();
  });
});

describe('the embedding queue', () => {
  it('goes on after a reload, with what is missing and nothing else', async () => {
    const name = freshName();
    let release: () => void = () => {};
    const first = await openNotes(name, {
      id: 'letters',
      dim: 3,
      embed: () => new Promise((resolve) => (release = () => resolve([]))),
    });
    await first.notes.put({ id: 'x', title: 'aab' });
    await until(first.embedding, ({ waiting }) => waiting === 1);
    await first.close();
    release();
    const texts: string[] = [];
    const second = await openNotes(
      name,
      letters('letters', (batch) => texts.push(...batch)),
    );
    await hasVector(second, 'x');
    expect(texts).toEqual(['aab']);
    await second.close();
    const third = await openNotes(
      name,
      letters('letters', (batch) => texts.push(...batch)),
    );
    await third.notes.put({ id: 'y', title: 'b' });
    await hasVector(third, 'y');
    expect(texts).toEqual(['aab', 'b']);
  });

  it('embeds a text anew that was edited, before or while it is embedded; the old vector serves meanwhile', async () => {
    let edit: () => Promise<void> = async () => {};
    const texts: string[] = [];
    const db = await openNotes(freshName(), {
      id: 'letters',
      dim: 3,
      async embed(batch) {
        texts.push(...batch);
        await edit();
        return batch.map((text) => [text.length, 0, 1]);
      },
    });
    await db.notes.put({ id: 'x', title: 'one' });
    await hasVector(db, 'x');
    edit = async () => {
      edit = async () => {
        expect(await vectorOf(db, 'x')).toEqual(Float32Array.of(3, 0, 1));
      };
      await db.notes.patch('x', { title: 'longer' });
    };
    await db.notes.patch('x', { title: 'more' });
    await poll(async () => (await vectorOf(db, 'x'))![0] === 6);
    expect(texts).toEqual(['one', 'more', 'longer']);
  });

  it('stops when paused and goes on when resumed, and says how many wait', async () => {
    const db = await openNotes(freshName(), letters());
    await db.embedding.pause!();
    await db.notes.put({ id: 'x', title: 'a' });
    await until(db.embedding, ({ paused }) => paused);
    expect(await vectorOf(db, 'x')).toBeNull();
    await db.embedding.resume!();
    await hasVector(db, 'x');
    expect((await until(db.embedding, ({ waiting, paused }) => waiting === 0 && !paused)).state).toBe('ready');
  });

  it('lets the old vectors serve until all rows have theirs of another dimension, over a reload, and never both in one ranking', async () => {
    const name = freshName();
    // More than one batch.
    const rows = Array.from({ length: 300 }, (_, i) => ({ id: `n${i}`, title: i === 0 ? 'kitten' : `share ${i} of a company` }));
    const first = await openNotes(name);
    await first.notes.putMany(rows);
    await poll(async () => (await Promise.all(rows.map(({ id }) => vectorOf(first, id)))).every((vector) => vector !== null));
    await first.close();
    let batches = 0;
    const ofLetters = letters() as Extract<Embedder, { id: string }>;
    const second = await openNotes(name, {
      ...ofLetters,
      // Searches are of one text; of the batches only the first is answered.
      embed: (texts) => (texts.length > 1 && ++batches > 1 ? new Promise(() => {}) : ofLetters.embed(texts)),
    });
    await second.notes.put({ id: 'new', title: 'b' });
    await until(second.embedding, ({ done, waiting }) => done > 0 && waiting > 0);
    expect(await vectorOf(second, 'n0')).toHaveLength(256);
    expect((await keysOf(second, { text: 'young cat', mode: 'semantic' }))[0]).toBe('n0');
    await second.close();
    const seen: string[] = [];
    const third = await openNotes(
      name,
      letters('letters', (texts) => seen.push(...texts)),
    );
    await third.notes.put({ id: 'newer', title: 'bb' });
    await poll(async () => (await vectorOf(third, 'n0'))?.length === 3);
    await poll(async () => (await vectorOf(third, 'newer'))?.length === 3);
    // What was embedded before is not embedded again.
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThan(100);
    expect(await vectorOf(third, 'n299')).toHaveLength(3);
    expect(await keysOf(third, { text: 'bbb', mode: 'semantic', limit: 400 })).toHaveLength(302);
  });

  it('embeds again with another model while rows of the old one stay, and drops vectors that nothing can be compared with', async () => {
    const name = freshName();
    const first = await openNotes(name, letters());
    await first.notes.putMany([
      { id: 'x', title: 'a' },
      { id: 'y', title: 'b' },
    ]);
    await hasVector(first, 'y');
    await first.close();
    const second = await openNotes(name, {
      ...letters('other'),
      embed: async (texts) => texts.map((text) => [0, text.length, 7]),
    } as Embedder);
    await poll(async () => (await vectorOf(second, 'y'))?.[2] === 7);
    await second.close();
    const wide = { id: 'wide', dim: 5, embed: async (texts: readonly string[]) => texts.map(() => [1, 2, 3, 4, 5]) };
    const third = await openNotes(name, wide);
    await poll(async () => (await vectorOf(third, 'x'))?.length === 5);
    await poll(async () => (await vectorOf(third, 'y'))?.length === 5);
    expect(await keysOf(third, { text: 'b', mode: 'semantic' })).toHaveLength(2);
  });
});

describe('two tabs', () => {
  it('share the leader’s embedder: the follower sees the queue, pauses it, and searches by meaning', async () => {
    const name = freshName();
    const leader = await openNotes(name, letters());
    const session = await Session.open(name, { schema, embedder: letters() }, () => {});
    const follower = createDatabase(session, schema) as unknown as Notes;
    opened.push(follower);
    expect([leader.sync.get().leader, follower.sync.get().leader]).toEqual([true, false]);
    await follower.embedding.pause!();
    await follower.notes.putMany([
      { id: 'x', title: 'aaa' },
      { id: 'y', title: 'bbb' },
    ]);
    await until(follower.embedding, ({ paused }) => paused);
    await until(leader.embedding, ({ paused }) => paused);
    await leader.embedding.resume!();
    await hasVector(follower, 'y');
    await until(follower.embedding, ({ state }) => state === 'ready');
    expect(await keysOf(follower, { text: 'aa', mode: 'semantic' })).toEqual(['x', 'y']);
    await leader.close();
    // The follower leads now, with its own page's embedder.
    await follower.notes.put({ id: 'z', title: 'ab' });
    await hasVector(follower, 'z');
  });
});

describe('an embedder in trouble', () => {
  it('that throws is told, keywords go on, and it is tried again', async () => {
    let isBroken = true;
    const db = await openNotes(freshName(), {
      id: 'letters',
      dim: 3,
      async embed(texts) {
        if (isBroken) throw new Error('no luck');
        return texts.map(() => [1, 1, 1]);
      },
    });
    await db.notes.put({ id: 'x', title: 'word' });
    const { error } = await until(db.embedding, (status) => status.error !== null);
    expect(error).toMatchObject({ code: 'EMBEDDER_UNAVAILABLE', details: { reason: 'function-failed' } });
    expect(error!.message).toContain('no luck');
    expect(await keysOf(db, { text: 'word', mode: 'keyword' })).toEqual(['x']);
    isBroken = false;
    await hasVector(db, 'x');
    expect((await until(db.embedding, (status) => status.error === null)).state).toBe('ready');
  });

  it('that is not there is told as it is: no model, another hash', async () => {
    const nowhere = await openNotes(freshName(), { model: '/no-such-model/' });
    await nowhere.notes.put({ id: 'x', title: 'word' });
    const missing = await until(nowhere.embedding, ({ state }) => state === 'failed');
    // Vite answers unknown paths with its page, so the first thing wrong is the manifest's form.
    expect(missing.error!.code).toMatch(/^(?:EMBEDDER_UNAVAILABLE|FORMAT_INVALID)$/);
    expect(await keysOf(nowhere, { text: 'word' })).toEqual(['x']);
    await expect(nowhere.notes.search({ text: 'word', mode: 'semantic' })).rejects.toMatchObject({ code: missing.error!.code });
    const wrong = await openNotes(freshName(), { model: '/packages/model-mini/model/', integrity: `sha256-${btoa('x'.repeat(32))}` });
    await wrong.notes.put({ id: 'x', title: 'word' });
    expect((await until(wrong.embedding, ({ state }) => state === 'failed')).error!.code).toBe('CHECKSUM_MISMATCH');
  });

  it('of another dimension than the schema says is refused', async () => {
    const fixed = defineSchema({
      notes: { id: f.primaryKey('varchar'), title: f.text({ search: true }), vec: f.vector(8, { embed: ['title'] }) },
    });
    const db = await open(freshName(), { schema: fixed, embedder: letters() });
    opened.push(db as unknown as Notes);
    await db.notes.put({ id: 'x', title: 'word' });
    expect((await until(db.embedding, ({ error }) => error !== null)).error!.code).toBe('DIMENSION_MISMATCH');
  });
});

describe('a model behind an address', () => {
  it('is kept on this device, file by file', async () => {
    const model = new URL('/packages/model-mini/model/', location.href).href;
    const db = await openNotes(freshName(), { model });
    await db.notes.put({ id: 'cat', title: 'kitten' });
    await hasVector(db, 'cat');
    const files = await new Promise<Record<string, unknown>[]>((resolve, reject) => {
      const request = indexedDB.open('terndb-models');
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const all = request.result.transaction('files').objectStore('files').getAll();
        all.onsuccess = () => {
          request.result.close();
          resolve(all.result);
        };
      };
    });
    expect(files.length).toBeGreaterThan(5);
    expect(files.every(({ isComplete }) => isComplete)).toBe(true);
    expect(Math.max(...files.map(({ bytes }) => bytes as number))).toBeGreaterThan(7_000_000);
  });
});
