import { afterEach, describe, expect, it } from 'vitest';
import { type Database, DbError, defineSchema, f, type Schema, type Shapes } from '../index.ts';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import { createDatabase } from './database.ts';
import { Session } from './session.ts';

const schema: Schema<Shapes> = defineSchema({
  notes: { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector(4).nullable(), due: f.date().nullable() },
}) as never;
const sessions: Session[] = [];

async function openDb(): Promise<{ db: Database<Shapes>; notes: Database<Shapes>[string]; session: Session }> {
  const session = await Session.open('node', { schema, assets: { worker: startWorkerInNode } }, () => {});
  sessions.push(session);
  const db = createDatabase(session, schema);
  return { db, notes: db['notes']!, session };
}
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close().catch(() => {});
});
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('the client over a worker in memory', () => {
  it('writes, reads, searches, counts and deletes', async () => {
    const { db, notes } = await openDb();
    expect(db.storage.get().mode).toBe('memory');
    const keys = await notes.putMany([
      { title: 'one coffee', vec: [1, 0, 0, 0] },
      { title: 'two', stars: 2, due: new Date(5) },
    ]);
    expect(await notes.get(keys[1]!)).toEqual({ id: keys[1], title: 'two', stars: 2, due: new Date(5) });
    expect(await notes.getMany([...keys, 'no'])).toMatchObject([{ title: 'one coffee' }, { title: 'two' }, undefined]);
    expect((await notes.search({ text: 'coffee' })).hits).toMatchObject([{ key: keys[0], from: 'local', pending: false }]);
    expect((await notes.search({ vector: [1, 0, 0, 0.1] } as never)).hits[0]?.key).toBe(keys[0]);
    expect((await notes.query({ where: { stars: { gte: 1 } } })).entities).toMatchObject([{ title: 'two' }]);
    expect((await notes.query()).entities[0]).not.toHaveProperty('vec');
    await notes.patch(keys[0]!, { stars: 9 });
    expect(await notes.delete({ where: { stars: { lt: 5 } } })).toEqual([keys[1]]);
    expect(await notes.delete(keys[0]!)).toBe(keys[0]);
    expect((await notes.count()).count).toBe(0);
    const inspection = await db.inspect();
    expect(inspection).toMatchObject({ outbox: { writes: 0 }, partitions: [{ collection: 'notes', entities: 0 }] });
  });

  it('refuses what needs a server, what is closed and what is no request', async () => {
    const { db, notes } = await openDb();
    expect(() => db.connect({} as never)).toThrowError(expect.objectContaining({ code: 'OPTION_INVALID' }));
    const connect = (...partitions: unknown[]) => db.connect({ url: 'http://x', partitions, getToken: async () => '' } as never);
    for (const wrong of [
      5,
      undefined,
      {},
      { name: 'p', keep: 'some' },
      { name: 'p', budgetBytes: 5 },
      { name: 'p', keep: 'recent', budgetBytes: 0 },
    ])
      expect(() => connect('fine', wrong)).toThrowError(expect.objectContaining({ code: 'OPTION_INVALID' }));
    await expect(notes.put({ title: 'x' }).wait('acked')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(notes.query({ scope: 'hybrid' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(notes.query({ consistency: 'strong' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(notes.query(null as never)).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(notes.putMany({} as never)).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    await expect(db.openCollection('no')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    expect((await db.openCollection('notes')).name).toBe('notes');
    await expect(db.logout({} as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await db.logout({ unsynced: 'keep' });
    await expect(notes.count()).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    await expect(notes.put({ title: 'x' })).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    const told = new Promise<DbError>((resolve) => notes.live({ text: 'x' }, () => {}, resolve));
    expect((await told).code).toBe('DATABASE_CLOSED');
  });

  it('keeps live queries fed, and ends them when the worker is lost', async () => {
    const { notes, session } = await openDb();
    const counts: number[] = [];
    const errors: string[] = [];
    notes.liveQuery(
      {},
      ({ entities }) => counts.push(entities.length),
      ({ code }) => errors.push(code),
    );
    await until(() => counts.length === 1);
    await notes.put({ title: 'a' });
    await until(() => counts.at(-1) === 1);
    session.connection.end(new DbError('WORKER_LOST', 'by the test'));
    expect(errors).toEqual(['WORKER_LOST']);
    await expect(notes.count()).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('takes limits that a timer cannot count, and names those that are none', async () => {
    const { db, notes } = await openDb();
    expect((await notes.count({ timeoutMs: 1e12 })).count).toBe(0);
    for (const timeoutMs of [-1, Number.NaN, 'soon'])
      await expect(notes.count({ timeoutMs } as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(notes.getMany('keys' as never)).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    const deletion = notes.delete({ where: {}, partitions: 5 } as never);
    await expect(deletion).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(db.import('text' as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('tells what is wrong with a write before it says that nobody is connected', async () => {
    const { notes } = await openDb();
    await expect(notes.put({ title: 5 } as never).wait('acked')).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    await expect(notes.put({ title: 'fine' }).wait('acked')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });

  it('ends the live queries of one of two database objects with its close, and lets close follow a lost worker', async () => {
    const { db, notes, session } = await openDb();
    const other = createDatabase(session, schema);
    let mine = 0;
    let others = 0;
    notes.liveQuery({}, () => mine++);
    other['notes']!.liveQuery({}, () => others++);
    await until(() => mine === 1 && others === 1);
    await db.close();
    await other['notes']!.put({ title: 'x' });
    await until(() => others === 2);
    expect(mine).toBe(1);
    session.connection.end(new DbError('WORKER_LOST', 'gone (by a test)'));
    await other.close();
  });

  it('reports writes that fail unseen', async () => {
    const { db, notes } = await openDb();
    const told = new Promise((resolve) => db.on('rejected', resolve));
    notes.put({ title: 5 as never }, { partition: 'p' });
    expect(await told).toMatchObject({ collection: 'notes', partition: 'p', error: { code: 'FIELD_INVALID' }, op: { type: 'put' } });
  });

  it('exports and imports', async () => {
    const { db, notes } = await openDb();
    const keys = await notes.putMany([
      { title: 'a', vec: [1, 2, 3, 4] },
      { title: 'b', due: new Date(7) },
    ]);
    const blob = await db.export();
    await notes.delete(keys[0]!);
    expect(await db.import(blob)).toEqual({ entities: 2 });
    expect(await notes.get(keys[0]!, { select: ['vec'] })).toEqual({ id: keys[0], vec: new Float32Array([1, 2, 3, 4]) });
  });
});
