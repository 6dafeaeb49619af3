import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { decodeToken, encodeToken } from '@terndb/engine';
import { describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import type { Database } from '../api/database.ts';
import { connectAs, type DatabaseInNode, databasesInNode, isLive, until } from './testing/databases-in-node.ts';
import { MemoryServer, tokenOf } from './testing/memory-server.ts';

const schema: Schema<Shapes> = defineSchema({
  notes: { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector(2).nullable() },
}) as never;
const CHANNEL = 'cnotes/pshared/0';

type Db = Database<Shapes>;

const open = databasesInNode(schema);
async function openDb(server: MemoryServer): Promise<DatabaseInNode & { readonly notes: Db[string] }> {
  const opened = await open(server);
  return { ...opened, notes: opened.db['notes']! };
}

/** What a read answers when the server did in time: on a busy machine its 150 ms may pass before. */
async function whole<R extends { readonly degraded: unknown }>(read: () => PromiseLike<R>): Promise<R> {
  let result = await read();
  while (result.degraded === 'server-timeout') result = await read();
  return result;
}

const startServer = (): Promise<MemoryServer> => MemoryServer.start(browserClock, schema.definition);
const shared = { partition: 'shared' };
const here = { partitions: ['shared'] };

describe('a connected database', () => {
  it('pushes what is written, and shows what others write', async () => {
    const server = await startServer();
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connectAs(ann.db);
    connectAs(bob.db, 'bob');
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
    connectAs(db);
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
    connectAs(db);
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
    connectAs(db);
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
    const connection = connectAs(db);
    await until(() => isLive(db));
    await connection.disconnect();
    await until(() => db.sync.get().state.name === 'off');
    await notes.put({ id: 'a', title: 'mine' }, shared);
    connectAs(db, 'eve');
    await until(() => db.sync.get().state.name === 'needs-auth');
    expect(db.sync.get()).toMatchObject({ state: { name: 'needs-auth', detail: 'subject' }, outbox: 1 });
    expect(server.rows(CHANNEL)).toEqual({});
    connectAs(db);
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
    connectAs(db);
    await until(() => db.sync.get().state.name === 'incompatible');
    await notes.put({ id: 'a', title: 'still here' }, shared);
    expect(await notes.get('a')).toMatchObject({ title: 'still here' });
  });

  it('waits for the server when the app has a field that its last answer lacks: what is written with it would be refused for good', async () => {
    const server = await startServer();
    server.schema = defineSchema({ notes: { title: f.text({ search: true }) } }).definition;
    server.validate = () => (server.schema === schema.definition ? undefined : 'FIELD_UNKNOWN');
    const { db, notes } = await openDb(server);
    const connection = connectAs(db);
    await until(() => isLive(db));
    await connection.disconnect();
    await notes.put({ id: 'a', title: 'x', stars: 4 }, shared);
    let open!: () => void;
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    connectAs(db);
    const { resolves } = server;
    await until(() => server.resolves > resolves);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(db.sync.get()).toMatchObject({ outbox: 1, rejected: 0 });
    server.schema = schema.definition;
    open();
    await until(() => isLive(db) && db.sync.get().outbox === 0);
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'x' } });
    expect(db.sync.get().rejected).toBe(0);
  });

  it('logs out with upload only when everything is in the log', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    connectAs(db);
    await until(() => isLive(db));
    server.isUp = false;
    server.cut();
    await notes.put({ id: 'a', title: 'x' }, shared);
    server.isUp = true;
    await db.logout({ unsynced: 'upload' });
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'x' } });
  });

  it('forgets with keep what the server has, and keeps the outbox for the next time', async () => {
    const server = await startServer();
    const { db, notes, connection } = await openDb(server);
    connectAs(db);
    await until(() => isLive(db));
    await notes.put({ id: 'a', title: 'there' }, shared).wait('acked');
    await until(async () => (await notes.query(here)).pendingKeys.length === 0);
    server.isUp = false;
    server.cut();
    await notes.put({ id: 'b', title: 'only here' }, shared);
    await connection.call('forget', undefined);
    await until(() => db.sync.get().state.name === 'off');
    expect(await notes.get('a')).toBeUndefined();
    expect(await notes.get('b')).toMatchObject({ title: 'only here' });
    server.isUp = true;
    connectAs(db);
    await until(() => isLive(db) && db.sync.get().outbox === 0);
    expect((await notes.query(here)).entities).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    expect(Object.keys(server.rows(CHANNEL)).sort()).toEqual(['a', 'b']);
  });

  it('refuses a logout with upload that would lose writes: never connected, or the server away', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    await notes.put({ id: 'a', title: 'x' }, shared);
    await expect(db.logout({ unsynced: 'upload' })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    const connection = connectAs(db);
    await until(() => isLive(db) && db.sync.get().outbox === 0);
    await connection.disconnect();
    await notes.put({ id: 'b', title: 'y' }, shared);
    await until(() => db.sync.get().state.name === 'off');
    await expect(db.logout({ unsynced: 'upload' })).rejects.toMatchObject({ code: 'UNSYNCED_WRITES', details: { writes: 1 } });
    expect(await notes.get('b')).toMatchObject({ title: 'y' });
  });

  it('searches partitions that are search-only on the server, and lays what this device knows over the answer', async () => {
    const server = await startServer();
    const { db, notes, connection } = await openDb(server);
    const asked: any[] = [];
    const highlights = [{ field: 'title', ranges: [[0, 3]] }];
    const hit = (key: string, score: number): object => ({ key, score, entity: { id: key, title: 'far' }, highlights });
    server.onRead = (what, body) => {
      asked.push({ what, body });
      const info = {
        coverage: 1,
        scope: 'global',
        degraded: null,
        stalenessMs: 0,
        token: encodeToken({ logEpoch: 'epoch-1', positions: new Map() }),
      };
      if (what === 'search') return { ...info, exact: true, hits: [hit('z', 0.9), hit('y', 0.1)] };
      if (what === 'count') return { ...info, count: 2 };
      if (what === 'aggregate') return { ...info, groups: [{ title: 'far', n: 2, avg: { sum: 9, count: 2 } }] };
      if (what === 'query') return { ...info, keys: ['y', 'z'], entities: [{ id: 'y' }, { id: 'z' }] };
      return { ...info, entities: body.keys.map((key: string) => (key === 'z' ? { id: 'z' } : null)) };
    };
    await notes.put({ id: 'own', title: 'here', vec: [1, 0] });
    db.connect({
      url: 'http://server/sync',
      partitions: [{ name: 'far', keep: 'search-only' }, 'shared'],
      getToken: async () => tokenOf('ann'),
    });
    await until(() => isLive(db));
    await notes.put({ id: 'mine', title: 'near', vec: [1, 0.5] }, shared);
    const found = await whole(() => notes.search({ vector: [1, 0] } as never));
    expect(found.hits.map(({ key, from }) => `${key} ${from}`)).toEqual(['own local', 'z global', 'mine local', 'y global']);
    expect(found).toMatchObject({ scope: 'hybrid', degraded: null, coverage: 1, exact: true });
    expect(found.hits[1]).toMatchObject({ highlights });
    expect(asked.at(-1)).toMatchObject({ what: 'search', body: { partitions: ['far'], limit: 10 } });
    expect((await whole(() => notes.count())).count).toBe(4);
    const aggregate = {
      groupBy: 'title',
      aggregates: { n: 'count', avg: { avg: 'stars' } },
      orderBy: { field: 'n', order: 'desc' },
      limit: 2,
    };
    expect((await whole(() => notes.aggregate(aggregate as never))).groups).toEqual([
      { title: 'far', n: 2, avg: 4.5 },
      { title: 'here', n: 1, avg: 0 },
    ]);
    expect(asked.at(-1)).toMatchObject({ what: 'aggregate', body: { partitions: ['far'], partial: true } });
    expect(asked.at(-1).body).not.toHaveProperty('limit', 2);
    const global = await notes.aggregate({ ...aggregate, scope: 'global', partitions: ['far'] } as never);
    expect(global).toMatchObject({ scope: 'global', groups: [{ title: 'far', n: 2 }] });
    expect(asked.at(-1)).toMatchObject({ body: { limit: 2, orderBy: aggregate.orderBy } });
    expect(await notes.aggregate({ ...aggregate, scope: 'local' } as never)).toMatchObject({
      groups: [{ title: 'here' }, { title: 'near' }],
    });
    expect((await whole(() => notes.query({ limit: 3 }))).entities).toMatchObject([{ id: 'mine' }, { id: 'own' }, { id: 'y' }]);
    const got = await whole(() => connection.call('get', { collection: 'notes', keys: ['z', 'own', 'no'] }));
    expect(got.entities).toMatchObject([{ id: 'z' }, { id: 'own' }, undefined]);
    server.onRead = () => new Promise(() => {});
    const own = await notes.aggregate(aggregate as never);
    expect(own).toMatchObject({
      degraded: 'server-timeout',
      groups: [
        { title: 'here', n: 1 },
        { title: 'near', n: 1 },
      ],
    });
    const cut = await notes.search({ vector: [1, 0] } as never);
    expect(cut).toMatchObject({ degraded: 'server-timeout', scope: 'hybrid' });
    expect(cut.coverage).toBeLessThan(1);
    expect(cut.hits.map(({ key }) => key)).toEqual(['own', 'mine']);
    await expect(notes.search({ vector: [1, 0], scope: 'global', timeoutMs: 300 } as never)).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('takes only its own writes beside a server that is asked instead of it: its other rows may be old, or deleted by now', async () => {
    const server = await startServer();
    const { db, notes, connection } = await openDb(server);
    connectAs(db);
    await until(() => isLive(db));
    await notes.put({ id: 'a', title: 'old', vec: [1, 0] }, shared).wait('acked');
    await notes.put({ id: 'b', title: 'deleted by now', vec: [1, 0] }, shared).wait('acked');
    await until(() => db.sync.get().outbox === 0);
    const token = encodeToken({ logEpoch: 'epoch-1', positions: new Map() });
    const info = { coverage: 1, scope: 'global', degraded: null, stalenessMs: 0, token };
    const entity = { id: 'a', title: 'new' };
    server.onRead = (what, body) => {
      if (what === 'search') return { ...info, exact: true, hits: [{ key: 'a', score: 0.5, entity }] };
      if (what === 'query') return { ...info, keys: ['a'], entities: [entity] };
      return { ...info, entities: body.keys.map((key: string) => (key === 'a' ? entity : null)) };
    };
    const strong = { partitions: ['shared'], consistency: 'strong' } as const;
    expect(await notes.query(strong)).toMatchObject({ entities: [{ id: 'a', title: 'new' }], coverage: 1, degraded: null });
    const found = await notes.search({ ...strong, vector: [1, 0] } as never);
    expect(found.hits.map(({ key, entity: shown }) => [key, shown?.['title']])).toEqual([['a', 'new']]);
    const got = await connection.call('get', { collection: 'notes', keys: ['a', 'b'], ...strong });
    expect(got.entities).toMatchObject([{ id: 'a', title: 'new' }, undefined]);
  });

  it('shows a live query what is here first, then with what the server has, and again what is here alone when it is away', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    let theirs = ['z'];
    server.onRead = () => {
      const token = encodeToken({ logEpoch: 'epoch-1', positions: new Map() });
      const info = { coverage: 1, scope: 'global', degraded: null, stalenessMs: 0, token };
      return { ...info, keys: theirs, entities: theirs.map((id) => ({ id, title: 'far' })) };
    };
    await notes.put({ id: 'own', title: 'here' });
    const seen: string[] = [];
    const stop = notes.liveQuery({}, ({ entities, degraded }) => {
      seen.push(`${entities.map((entity) => (entity as { id: string }).id).join()} ${degraded}`);
    });
    await until(() => seen.length === 1);
    db.connect({ url: 'http://server/sync', partitions: [{ name: 'far', keep: 'search-only' }], getToken: async () => tokenOf('ann') });
    await until(() => seen.at(-1) === 'own,z null');
    expect(seen[0]).toBe('own null');
    theirs = ['y', 'z'];
    await notes.put({ id: 'too', title: 'here' });
    await until(() => seen.at(-1) === 'own,too,y,z null');
    server.isUp = false;
    server.cut();
    await until(() => seen.at(-1)?.startsWith('own,too ') === true);
    stop();
    const told = seen.length;
    await notes.put({ id: 'unseen', title: 'here' });
    expect(seen).toHaveLength(told);
  });

  it('waits for a token, and says behind-token when it does not get there in time', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    connectAs(db);
    await until(() => isLive(db));
    const position = encodeToken({ logEpoch: server.logEpoch, positions: new Map([[CHANNEL, 1]]) }) as never;
    const waiting = notes.query({ ...here, consistency: { atLeast: position } });
    notes.put({ id: 'a', title: 'x' }, shared);
    expect(await waiting).toMatchObject({ degraded: null, entities: [{ id: 'a' }] });
    const never = encodeToken({ logEpoch: server.logEpoch, positions: new Map([[CHANNEL, 99]]) }) as never;
    expect(await notes.query({ ...here, consistency: { atLeast: never }, timeoutMs: 2_000 })).toMatchObject({ degraded: 'behind-token' });
  });

  it('adopts fields that only the server has, and goes on with them', async () => {
    const server = await startServer();
    const wide: Schema<Shapes> = defineSchema(
      {
        notes: {
          title: f.text({ search: true }),
          stars: f.number().default(0),
          vec: f.vector(2).nullable(),
          color: f.keyword().nullable(),
        },
      },
      { version: 2 },
    ) as never;
    server.schema = wide.definition;
    const { db, notes } = await openDb(server);
    await notes.put({ id: 'a', title: 'before' }, shared);
    connectAs(db);
    await until(() => isLive(db) && db.sync.get().outbox === 0);
    expect(await notes.get('a')).toMatchObject({ title: 'before', color: null });
    await notes.put({ id: 'b', title: 'after', color: 'red' } as never, shared).wait('acked');
    expect(server.rows(CHANNEL)).toMatchObject({ b: { color: 'red' } });
  });

  it('[R14] follows a restored server under a new id, keeps everything, and says its universe in tokens', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    connectAs(db);
    await until(() => isLive(db));
    const before = decodeToken(await notes.put({ id: 'a', title: 'before' }, shared).wait('acked'));
    expect(before).toMatchObject([{ logEpoch: 'epoch-1' }]);
    await until(async () => (await notes.query(here)).pendingKeys.length === 0);
    server.restore();
    const after = decodeToken(await notes.put({ id: 'b', title: 'after' }, shared).wait('acked'));
    expect(after).toMatchObject([{ logEpoch: "epoch-1'" }]);
    await until(async () => isLive(db) && (await notes.query(here)).pendingKeys.length === 0);
    expect((await notes.query(here)).entities).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    expect(Object.keys(server.rows(CHANNEL)).sort()).toEqual(['a', 'b']);
  });

  it('says offline and what is missing when a partition that is only searched is asked for without a server', async () => {
    const server = await startServer();
    const { db, notes } = await openDb(server);
    db.connect({
      url: 'http://server/sync',
      partitions: [{ name: 'far', keep: 'search-only' }, 'shared'],
      getToken: async () => tokenOf('ann'),
    });
    await until(() => isLive(db));
    await notes.put({ id: 'a', title: 'near', vec: [1, 0] }, shared).wait('acked');
    server.isUp = false;
    server.cut();
    await until(() => !isLive(db));
    const found = await notes.search({ vector: [1, 0], partitions: ['far', 'shared'] } as never);
    expect(found).toMatchObject({ degraded: 'offline', coverage: 0.5, scope: 'local', hits: [{ key: 'a' }] });
    expect(await notes.count({ partitions: ['far'] })).toMatchObject({ count: 0, coverage: 0, degraded: 'offline' });
    await expect(notes.count({ partitions: ['nowhere'] })).rejects.toMatchObject({ code: 'PARTITION_UNKNOWN' });
  });
});
