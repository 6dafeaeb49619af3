import { afterEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { disposeDatabases, freshName, note, openInAnotherTab, until } from '../database/testing/databases.ts';
import { type Database, DbError, defineSchema, f, type Schema, type Shapes } from '../index.ts';

afterEach(disposeDatabases);

describe('two tabs of one database', () => {
  it('see the writes of each other, in live queries too', async () => {
    const name = freshName();
    const { db: leader } = await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    expect([leader.sync.get().leader, follower.sync.get().leader]).toEqual([true, false]);
    const titles: string[] = [];
    follower.notes.liveQuery({ orderBy: { field: 'stars' } }, (result) => {
      titles.splice(0, titles.length, ...result.entities.map((entity) => entity.title));
    });
    await leader.notes.put(note('from the leader', { stars: 1 }));
    await until(() => titles.length === 1);
    const key = await follower.notes.put(note('from the follower', { stars: 2 }));
    expect(await leader.notes.get(key)).toMatchObject({ title: 'from the follower' });
    await until(() => titles.length === 2);
    expect(titles).toEqual(['from the leader', 'from the follower']);
  });

  it('get errors with their codes through the leader', async () => {
    const name = freshName();
    await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    await expect(follower.notes.put(note('bad', { vec: [1] }))).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
      details: { field: 'vec' },
    });
    await expect(follower.notes.query({ where: { nope: 1 } as never })).rejects.toBeInstanceOf(DbError);
  });

  it('go on when the leader closes: the follower leads, its live queries too, and nothing is lost', async () => {
    const name = freshName();
    const { db: leader } = await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    let seen = 0;
    follower.notes.liveQuery({}, (result) => {
      seen = result.entities.length;
    });
    await follower.notes.put(note('one'));
    await until(() => seen === 1);
    const writes = [leader.notes.put(note('two')), follower.notes.put(note('three'))];
    const closing = leader.close();
    writes.push(follower.notes.put(note('four')));
    await closing;
    await Promise.all(writes);
    await until(() => follower.sync.get().leader);
    await until(() => seen === 4);
    expect((await follower.notes.count()).count).toBe(4);
  });

  it('go on when the leader is killed: calls without an answer are answered by the next leader', async () => {
    const name = freshName();
    const { db: leader, session } = await openInAnotherTab(name);
    const { db: follower } = await openInAnotherTab(name);
    await leader.notes.put(note('acknowledged'));
    session.connection.end(new DbError('WORKER_LOST', 'killed by the test'));
    const keys = await Promise.all(Array.from({ length: 20 }, (_, index) => follower.notes.put(note(`after ${index}`))));
    expect(new Set(keys).size).toBe(20);
    expect((await follower.notes.count()).count).toBe(21);
    expect(follower.sync.get().leader).toBe(true);
  });

  it('have after a flush what was written before it, though the leader is killed at once', async () => {
    const name = freshName();
    const { db, session } = await openInAnotherTab(name);
    for (let index = 0; index < 50; index++) db.notes.put(note(`n${index}`)).then(null, () => {});
    await session.connection.call('flush', undefined);
    session.connection.end(new DbError('WORKER_LOST', 'killed by the test'));
    const { db: next } = await openInAnotherTab(name);
    expect((await next.notes.count()).count).toBe(50);
  });

  it('drop the live queries of a tab that died', async () => {
    const name = freshName();
    const { db: leader } = await openInAnotherTab(name);
    const { db: follower, session } = await openInAnotherTab(name);
    let results = 0;
    follower.notes.liveQuery({}, () => results++);
    await until(() => results === 1);
    session.connection.end(new DbError('WORKER_LOST', 'killed by the test'));
    await leader.notes.put(note('x'));
    const locks = await navigator.locks.query();
    expect(locks.held?.filter((lock) => lock.name?.startsWith(`terndb:${name}:tab:`))).toHaveLength(1);
  });
});

describe('tabs with different schemas', () => {
  const v1 = { notes: { title: f.text() } };
  const openAs = async (name: string, schema: Schema<any>): Promise<Database<Shapes>> =>
    createDatabase(await Session.open(name, { schema }, () => {}), schema) as Database<Shapes>;

  it('share the database when one has less', async () => {
    const name = freshName();
    const both = await openAs(name, defineSchema({ ...v1, more: { n: f.number() } }));
    const less = await openAs(name, defineSchema(v1));
    await less['notes']!.put({ title: 'x' });
    expect((await both['notes']!.count()).count).toBe(1);
    await both.logout({ unsynced: 'discard' });
  });

  it('give way to one with more: the older is told to reload, the newer leads with all data', async () => {
    const name = freshName();
    const older = await openAs(name, defineSchema(v1));
    await older['notes']!.put({ title: 'kept' });
    const newer = await openAs(name, defineSchema({ notes: { title: f.text(), stars: f.number().default(3) } }, { version: 2 }));
    expect((await newer['notes']!.query()).entities).toMatchObject([{ title: 'kept', stars: 3 }]);
    await expect(older['notes']!.count()).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
    await newer.logout({ unsynced: 'discard' });
  });

  it('are refused when they do not fit, and the first goes on', async () => {
    const name = freshName();
    const first = await openAs(name, defineSchema(v1));
    await expect(openAs(name, defineSchema({ notes: { title: f.number() } }))).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
    expect((await first['notes']!.count()).count).toBe(0);
    await first.logout({ unsynced: 'discard' });
  });
});
