import { afterEach, describe, expect, it } from 'vitest';
import { disposeDatabases, freshName, note, openNotes } from './testing/databases.ts';

afterEach(disposeDatabases);

const noStorage = (): Worker => new Worker(new URL('../worker/testing/no-storage-worker.ts', import.meta.url), { type: 'module' });
const noLocks = (): Worker => new Worker(new URL('../worker/testing/no-locks-worker.ts', import.meta.url), { type: 'module' });

describe('a browser without IndexedDB', () => {
  it('gets a database in memory that says so', async () => {
    const db = await openNotes(freshName(), { assets: { worker: noStorage } });
    expect(db.storage.get()).toMatchObject({ mode: 'memory', lossDetected: false });
    const key = await db.notes.put(note('volatile'));
    expect((await db.notes.search({ text: 'volatile' })).hits[0]?.key).toBe(key);
  });

  it('is refused where persistence is required', async () => {
    const opening = openNotes(freshName(), { assets: { worker: noStorage }, requirePersistence: true });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

describe('a browser without Web Locks', () => {
  it('works alone and stores as usual', async () => {
    const name = freshName();
    const first = await openNotes(name, { assets: { worker: noLocks } });
    expect(first.sync.get().leader).toBe(true);
    await first.notes.put(note('stored'));
    await first.close();
    expect((await (await openNotes(name, { assets: { worker: noLocks } })).notes.count()).count).toBe(1);
  });
});
