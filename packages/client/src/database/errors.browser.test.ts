import { afterEach, describe, expect, it } from 'vitest';
import { DbError } from '../index.ts';
import { disposeDatabases, freshName, note, openInAnotherTab, openNotes, until } from './testing/databases.ts';

afterEach(disposeDatabases);

describe('errors', () => {
  it('keep code, message and details across the worker', async () => {
    const db = await openNotes();
    const failing = db.notes.put(note('bad', { vec: [1, 2, 3] }));
    const error = await failing.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DbError);
    expect(error).toMatchObject({ code: 'DIMENSION_MISMATCH', kind: 'input', details: { collection: 'notes', field: 'vec' } });
    await expect(db.notes.query({ where: { nope: 1 } as never })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(db.notes.put({ ...note('x'), titel: 'y' } as never)).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    await expect(db.items.put({ name: 'no key' } as never)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  it('of a batch leave nothing of it behind', async () => {
    const db = await openNotes();
    await expect(db.notes.putMany([note('good'), { ...note('bad'), stars: 'many' as never }])).rejects.toMatchObject({
      code: 'FIELD_INVALID',
    });
    expect((await db.notes.count()).count).toBe(0);
  });

  it('say FIELD_INVALID for what cannot be copied to the worker, and what is no entity at all', async () => {
    const db = await openNotes();
    await expect(db.notes.put(note('fn', { extra: () => 1 }))).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    await expect(db.notes.put(null as never)).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    await expect(db.notes.putMany('x' as never)).rejects.toMatchObject({ kind: 'input' });
  });

  it('of a write that nobody awaits go to the rejected event and not to unhandled rejections', async () => {
    const db = await openNotes();
    const unhandled: unknown[] = [];
    const onUnhandled = (event: PromiseRejectionEvent): void => void unhandled.push(event.reason);
    addEventListener('unhandledrejection', onUnhandled);
    const rejected = new Promise<any>((resolve) => db.on('rejected', resolve));
    const { key } = db.notes.put(note('bad', { vec: [1] }));
    expect(await rejected).toMatchObject({ collection: 'notes', key, error: { code: 'DIMENSION_MISMATCH' }, op: { type: 'put' } });
    removeEventListener('unhandledrejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  it('end every pending call with WORKER_LOST when the worker dies, and the database can be opened again', async () => {
    const name = freshName();
    let worker: Worker | undefined;
    const create = (): Worker => {
      worker = new Worker(new URL('../engine-worker.ts', import.meta.url), { type: 'module' });
      return worker;
    };
    const db = await openNotes(name, { assets: { worker: create } });
    await db.notes.put(note('durable'));
    const liveError = new Promise<DbError>((resolve) => db.notes.live({ text: 'durable' }, () => {}, resolve));
    // As a browser reports a worker that ran out of memory.
    worker!.terminate();
    const pending = db.notes.count();
    worker!.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
    await expect(pending).rejects.toMatchObject({ code: 'WORKER_LOST', kind: 'closed' });
    expect((await liveError).code).toBe('WORKER_LOST');
    await expect(db.notes.count()).rejects.toMatchObject({ code: 'WORKER_LOST' });
    const again = await openNotes(name);
    expect((await again.notes.count()).count).toBe(1);
  });

  it('end what waits when the browser ends the worker without a word', async () => {
    let worker: Worker | undefined;
    const create = (): Worker => {
      worker = new Worker(new URL('../engine-worker.ts', import.meta.url), { type: 'module' });
      return worker;
    };
    const db = await openNotes(freshName(), { assets: { worker: create } });
    worker!.terminate();
    await expect(db.notes.put(note('never'))).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('say WORKER_LOST when the worker cannot be loaded', async () => {
    const opening = openNotes(freshName(), { assets: { worker: '/no-such-worker.js' } });
    await expect(opening).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('of a caller that stops waiting are TIMEOUT and ABORTED, and undo nothing', async () => {
    const db = await openNotes();
    await expect(db.notes.count({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const counting = db.notes.count({ signal: controller.signal });
    controller.abort();
    await expect(counting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(db.notes.count({ timeoutMs: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    const write = db.notes.put(note('goes on'));
    await expect(write.wait('local', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await write).toBe(write.key);
  });

  it('tell other tabs that the database was removed', async () => {
    const name = freshName();
    const { db, session } = await openInAnotherTab(name);
    const other = await openNotes(name);
    await other.notes.put(note('x'));
    let ended = false;
    session.connection.call('count', { collection: 'notes' }).catch(() => {});
    await other.logout({ unsynced: 'discard' });
    await until(() => {
      db.notes.count().catch((error: DbError) => {
        ended = error.code === 'DATABASE_CLOSED';
      });
      return ended;
    });
    expect(ended).toBe(true);
  });
});
