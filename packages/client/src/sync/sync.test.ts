import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import type { Database } from '../api/database.ts';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import { MemoryServer, tokenOf } from './testing/memory-server.ts';

const schema: Schema<Shapes> = defineSchema({
  notes: { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector(2).nullable() },
}) as never;
const CHANNEL = 'cnotes/pshared/0';

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close().catch(() => {});
});

type Db = Database<Shapes>;

async function openDb(server: MemoryServer): Promise<{ db: Db; notes: Db[string] }> {
  const session = await Session.open('node', { schema, assets: { worker: () => startWorkerInNode(server) } }, () => {});
  sessions.push(session);
  const db = createDatabase(session, schema);
  return { db, notes: db['notes']! };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 3));
}

function connect(db: Db, subject = 'ann'): { disconnect(): Promise<void> } {
  return db.connect({ url: 'http://server/sync', partitions: ['shared'], getToken: async () => tokenOf(subject) });
}
const isLive = (db: Db): boolean => db.sync.get().state.name === 'live';
const startServer = (): Promise<MemoryServer> => MemoryServer.start(browserClock, schema.definition);
const shared = { partition: 'shared' };

describe('a connected database', () => {
  it('pushes what is written, and shows what others write', async () => {
    const server = await startServer();
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connect(ann.db);
    connect(bob.db, 'bob');
    await until(() => isLive(ann.db) && isLive(bob.db));
    const write = ann.notes.put({ id: 'a', title: 'one coffee', vec: [1, 0] }, shared);
    await write;
    const token = await write.wait('acked');
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'one coffee', stars: 0 } });
    await until(async () => (await bob.notes.get('a')) !== undefined);
    expect(await bob.notes.get('a', { consistency: { atLeast: token } })).toMatchObject({ title: 'one coffee' });
    await bob.notes.patch('a', { stars: 4 });
    await until(async () => ((await ann.notes.get('a')) as any).stars === 4);
    await until(() => ann.db.sync.get().outbox === 0 && bob.db.sync.get().outbox === 0);
    const found = await ann.notes.search({ text: 'coffee' } as never);
    expect(found).toMatchObject({ hits: [{ key: 'a', pending: false }], degraded: null, coverage: 1 });
    expect(found.stalenessMs).toBeLessThan(10_000);
  });

  it('keeps writes while the server is away, shows them as pending, and sends them when it is back', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    connect(db);
    await until(() => isLive(db));
    server.isUp = false;
    server.cut();
    await until(() => db.sync.get().state.name === 'offline');
    const write = notes.put({ id: 'a', title: 'offline' }, shared);
    await write;
    expect((await notes.query({ partitions: ['shared'] })).pendingKeys).toEqual(['a']);
    await until(() => db.sync.get().outbox === 1);
    await expect(notes.query({ consistency: 'strong', partitions: ['shared'] })).rejects.toMatchObject({ code: 'CONSISTENCY_UNAVAILABLE' });
    await expect(write.wait('acked', { timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    server.isUp = true;
    await write.wait('acked');
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'offline' } });
    await until(() => db.sync.get().outbox === 0);
    expect((await notes.query({ partitions: ['shared'] })).pendingKeys).toEqual([]);
  });

  it('turns the rows of a local partition into ops with their stamps, and leaves other partitions on the device', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    const rows = Array.from({ length: 600 }, (_, index) => ({ id: `k${String(index).padStart(4, '0')}`, title: `row ${index}` }));
    await notes.putMany(rows, shared);
    await notes.patch('k0003', { stars: 3 }, shared);
    await notes.delete('k0004', shared);
    await notes.put({ id: 'mine', title: 'stays' });
    connect(db);
    await until(() => isLive(db) && db.sync.get().outbox === 0 && Object.keys(server.rows(CHANNEL)).length > 0);
    const there = server.rows(CHANNEL);
    expect(Object.keys(there)).toHaveLength(599);
    expect(there['k0003']).toMatchObject({ title: 'row 3', stars: 3 });
    expect((await notes.count({ partitions: ['shared'] })).count).toBe(599);
    expect((await notes.count({ partitions: ['_default'] })).count).toBe(1);
    expect([...server.frames.keys()]).toEqual([CHANNEL]);
  });

  it('tells of refused writes, keeps them until they are dismissed, and takes them back from what is shown', async () => {
    const server = await startServer();
    server.validate = () => 'FIELD_INVALID';
    const { db, notes } = await openDb(server);
    const told: any[] = [];
    db.on('rejected', (event) => told.push(event));
    connect(db);
    await until(() => isLive(db));
    const write = notes.put({ id: 'a', title: 'no' }, shared);
    await expect(write.wait('acked')).rejects.toMatchObject({ code: 'FIELD_INVALID' });
    await until(() => told.length > 0 && db.sync.get().rejected === 1);
    expect(told[0]).toMatchObject({
      collection: 'notes',
      partition: 'shared',
      key: 'a',
      error: { code: 'FIELD_INVALID' },
      op: { type: 'put' },
    });
    expect(await notes.get('a')).toBeUndefined();
    const later: unknown[] = [];
    db.on('rejected', (event) => later.push(event));
    await until(() => later.length === 1);
    await told[0].dismiss();
    await until(() => db.sync.get().rejected === 0);
    const none: unknown[] = [];
    db.on('rejected', (event) => none.push(event));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(none).toEqual([]);
  });

  it('pushes nothing under another subject than the one who wrote', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    const connection = connect(db);
    await until(() => isLive(db));
    await connection.disconnect();
    await until(() => db.sync.get().state.name === 'off');
    await notes.put({ id: 'a', title: 'mine' }, shared);
    connect(db, 'eve');
    await until(() => db.sync.get().state.name === 'needs-auth');
    expect(db.sync.get()).toMatchObject({ state: { name: 'needs-auth', detail: 'subject' }, outbox: 1 });
    expect(server.rows(CHANNEL)).toEqual({});
    connect(db);
    await until(() => isLive(db) && db.sync.get().outbox === 0);
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'mine' } });
  });

  it('asks for a token when none is there, and waits in needs-auth while getToken fails', async () => {
    const server = await startServer();
    const { db } = await openDb(server);
    const reasons: string[] = [];
    db.connect({
      url: 'ws://server/sync',
      partitions: ['shared'],
      getToken: async ({ reason }) => {
        reasons.push(reason);
        throw new Error('signed out');
      },
    });
    await until(() => db.sync.get().state.name === 'needs-auth');
    expect(reasons).toEqual(['start']);
  });

  it('says incompatible when the schema does not fit, and keeps working here', async () => {
    const server = await startServer();
    server.refusal = { status: 409, code: 'SCHEMA_CONFLICT' };
    const { db, notes } = await openDb(server);
    connect(db);
    await until(() => db.sync.get().state.name === 'incompatible');
    await notes.put({ id: 'a', title: 'still here' }, shared);
    expect(await notes.get('a')).toMatchObject({ title: 'still here' });
  });

  it('logs out with upload only when everything is in the log', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    connect(db);
    await until(() => isLive(db));
    server.isUp = false;
    server.cut();
    await notes.put({ id: 'a', title: 'x' }, shared);
    server.isUp = true;
    await db.logout({ unsynced: 'upload' });
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'x' } });
  });
});
