import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, defineSchema, f } from '@terndb/client';
import { openInNode } from '@terndb/client/testing';
import { createApp, openAuthenticator, openNode, openStorage, readConfig, systemClock } from '@terndb/server/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SERVER_ENV, tokenFor, until } from './server-process.ts';

/** The whole client against the whole server, over the loopback: what neither side's own tests can see. */

const shapes = { notes: { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector(2).nullable() } };
const schema = defineSchema(shapes);
type Db = Database<typeof shapes>;

/** More than one message of a push takes. */
const ROWS = 3_000;
const LONG = { timeoutMs: 30_000 } as const;

interface Served {
  readonly url: string;
  readonly node: Awaited<ReturnType<typeof openNode>>;
  stop(): Promise<void>;
}

let data: string;
let server: Served;
const open: Db[] = [];

async function serve(options: { readonly port?: number; readonly newEpoch?: boolean } = {}): Promise<Served> {
  const config = readConfig({ env: { ...SERVER_ENV }, flags: { data, port: '0' } });
  const storage = await openStorage(config);
  const node = await openNode({ ports: storage.ports, newEpoch: options.newEpoch ?? false });
  const authenticator = await openAuthenticator(config, systemClock, storage.ports.meta);
  const app = await createApp({ node, authenticator, clock: systemClock, config });
  const url = await app.http.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const stop = async (): Promise<void> => {
    await app.http.close();
    await node.close();
    await storage.close();
  };
  return { url, node, stop };
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'terndb-both-'));
  server = await serve();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
});
afterAll(async () => {
  await server.stop();
  await rm(data, { recursive: true, force: true, maxRetries: 3 });
});

async function device(name: string, partition: string, keep: 'all' | 'search-only' = 'all'): Promise<Db> {
  const db = await openInNode(name, schema);
  open.push(db);
  db.connect({ url: `${server.url}/sync`, partitions: [{ name: partition, keep }], getToken: async () => tokenFor(name) });
  return db;
}

const isLive = (db: Db): boolean => db.sync.get().state.name === 'live';
const live = (...dbs: readonly Db[]): Promise<void> => until('live', () => dbs.every(isLive), LONG);
const sent = (...dbs: readonly Db[]): Promise<void> =>
  until('sent', () => dbs.every((db) => isLive(db) && db.sync.get().outbox === 0), LONG);
const away = (...dbs: readonly Db[]): Promise<void> => until('away', () => !dbs.some(isLive), LONG);
const holds = (db: Db, partition: string, count: number): Promise<void> =>
  until(`${count} rows`, async () => (await db.notes.count({ partitions: [partition], scope: 'local' })).count === count, LONG);

describe('a client and a server', () => {
  it('converge; a write is acknowledged, indexed, and seen by strong and by global reads', async () => {
    const [ann, bob] = [await device('ann', 'one'), await device('bob', 'one')];
    await live(ann, bob);
    await ann.notes.putMany(
      [
        { id: 'a', title: 'arctic tern', vec: [1, 0] },
        { id: 'b', title: 'a gull' },
      ],
      { partition: 'one' },
    );
    const write = ann.notes.patch('b', { stars: 4 }, { partition: 'one' });
    const token = await write.wait('acked');
    expect(await bob.notes.get('b', { consistency: { atLeast: token }, partitions: ['one'] })).toMatchObject({ title: 'a gull', stars: 4 });
    await write.wait('indexed');
    const here = { partitions: ['one'] };
    const strong = await bob.notes.search({ text: 'tern', consistency: 'strong', ...here });
    expect(strong).toMatchObject({ hits: [{ key: 'a' }], degraded: null, coverage: 1 });
    const found = await bob.notes.search({ text: 'gu', highlight: true, scope: 'global', ...here });
    expect(found).toMatchObject({
      scope: 'global',
      hits: [{ key: 'b', from: 'global', highlights: [{ field: 'title', ranges: [[2, 6]] }] }],
    });
    expect(await bob.notes.query({ scope: 'global', where: { stars: { gt: 3 } }, ...here })).toMatchObject({ entities: [{ id: 'b' }] });
    expect((await bob.notes.count({ consistency: 'bounded', ...here })).count).toBe(2);
    await bob.notes.delete('a', { partition: 'one' }).wait('acked');
    await holds(ann, 'one', 1);
    expect((await ann.inspect()).partitions.find(({ partition }) => partition === 'one')).toMatchObject({ entities: 1 });
  });

  it('a new device downloads sealed segments with their index files, follows the tail, and sees what others do', async () => {
    const ann = await device('ann', 'two');
    await live(ann);
    const rows = Array.from({ length: ROWS }, (_, i) => ({ id: `k${i}`, title: `row ${i}`, vec: [ROWS - i, i] }));
    await ann.notes.putMany(rows, { partition: 'two' }).wait('acked');
    await server.node.flush('default');
    await ann.notes.put({ id: 'tail', title: 'after the seal' }, { partition: 'two' }).wait('acked');
    const eve = await device('eve', 'two');
    await live(eve);
    await holds(eve, 'two', ROWS + 1);
    const { segments } = (await eve.inspect()).partitions.find(({ partition }) => partition === 'two')!;
    expect(segments.flatMap(({ indexes }) => indexes)).toContain('title:text');
    expect(segments.reduce((sum, segment) => sum + segment.rows, 0)).toBeGreaterThanOrEqual(ROWS);
    expect(await eve.notes.search({ text: 'seal', partitions: ['two'], scope: 'local' })).toMatchObject({ hits: [{ key: 'tail' }] });
    expect(await eve.notes.search({ vector: [1, 0], limit: 1, partitions: ['two'], scope: 'local' })).toMatchObject({
      hits: [{ key: 'k0' }],
    });
    const far = await device('sam', 'two', 'search-only');
    await live(far);
    const global = await far.notes.search({ vector: [1, 0], limit: 2, partitions: ['two'], timeoutMs: 10_000, scope: 'global' });
    expect(global.hits.map(({ key, from }) => `${key} ${from}`)).toEqual(['k0 global', 'k1 global']);
    expect((await far.inspect()).partitions.filter(({ partition }) => partition === 'two')).toEqual([]);
  });

  it('what both write while the server is away is there after its restart, once', async () => {
    const [ann, bob] = [await device('ann', 'three'), await device('bob', 'three')];
    await live(ann, bob);
    const partition = { partition: 'three' };
    await ann.notes.put({ id: 'a', title: 'before' }, partition).wait('acked');
    await holds(bob, 'three', 1);
    const port = Number(new URL(server.url).port);
    await server.stop();
    await away(ann, bob);
    await ann.notes.put({ id: 'b', title: 'by ann' }, partition);
    await ann.notes.patch('a', { title: 'ann first' }, partition);
    await bob.notes.put({ id: 'c', title: 'by bob' }, partition);
    await bob.notes.patch('a', { title: 'bob later' }, partition);
    server = await serve({ port });
    await sent(ann, bob);
    for (const db of [ann, bob]) {
      await holds(db, 'three', 3);
      await until('the later title', async () => (await db.notes.get('a', { partitions: ['three'] }))?.title === 'bob later', LONG);
    }
    // A restored server: another universe, which gets what this one had.
    await server.stop();
    await away(ann, bob);
    server = await serve({ port, newEpoch: true });
    await sent(ann, bob);
    await ann.notes.put({ id: 'd', title: 'in the new one' }, partition).wait('acked');
    await holds(bob, 'three', 4);
    const everything = await bob.notes.query({ partitions: ['three'], scope: 'global', consistency: 'strong' });
    expect(everything.entities.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('a device that keeps what is recent has that alone, finds the rest on the server, and changes rows that it does not have', async () => {
    const partition = { partition: 'five' };
    const ann = await device('ann', 'five');
    await live(ann);
    const rows = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, at) => ({ id: `${prefix}${at}`, title: `${prefix} row ${at}` }));
    await ann.notes.putMany(rows('old', ROWS), partition).wait('acked');
    await server.node.flush('default');
    await ann.notes.putMany(rows('new', 20), partition).wait('acked');
    await server.node.flush('default');
    const eve = await openInNode('eve-of-five', schema);
    open.push(eve);
    const connect = (budgetBytes: number): void => {
      const partitions = [{ name: 'five', keep: 'recent', budgetBytes }] as const;
      eve.connect({ url: `${server.url}/sync`, partitions, getToken: async () => tokenFor('eve') });
    };
    connect(60_000);
    await live(eve);
    const local = { partitions: ['five'], scope: 'local' } as const;
    await until('the newest', async () => (await eve.notes.count(local)).count === 20, LONG);
    const { coverage } = await eve.notes.count(local);
    expect(coverage).toBeCloseTo(20 / (ROWS + 20), 3);
    expect(eve.sync.get().partitions).toMatchObject([{ name: 'five', keep: 'recent', coverage: expect.closeTo(coverage, 3) }]);
    const all = { partitions: ['five'], scope: 'hybrid', consistency: 'strong' } as const;
    expect(await eve.notes.count(all)).toMatchObject({ count: ROWS + 20, coverage: 1, degraded: null });
    expect(await eve.notes.get('old7', all)).toMatchObject({ title: 'old row 7' });
    await eve.notes.patch('old7', { stars: 5 }, partition).wait('acked');
    await eve.notes.delete('old8', partition).wait('acked');
    await until('the changes', async () => (await ann.notes.get('old8', local)) === undefined, LONG);
    expect(await ann.notes.get('old7', local)).toMatchObject({ stars: 5 });
    expect(await eve.notes.get('old7', local)).toBeUndefined();
    // What others put whole is here; another budget brings the rest.
    await ann.notes.put({ id: 'old9', title: 'anew' }, partition).wait('acked');
    await until('the put', async () => (await eve.notes.get('old9', local)) !== undefined, LONG);
    connect(100_000_000);
    await holds(eve, 'five', ROWS + 19);
    expect((await eve.notes.count(local)).coverage).toBe(1);
    expect(await eve.notes.get('old7', local)).toMatchObject({ stars: 5 });
  });

  it('a collection that one app brought is opened by name by another', async () => {
    const both = await openInNode('both', defineSchema({ ...shapes, tasks: { what: f.text({ search: true }) } }));
    open.push(both as never);
    both.connect({ url: `${server.url}/sync`, partitions: ['six'], getToken: async () => tokenFor('both') });
    await both.tasks.put({ id: 't', what: 'water the plants' }, { partition: 'six' });
    await until('the task', () => both.sync.get().state.name === 'live' && both.sync.get().outbox === 0, LONG);
    const ann = await device('ann-of-six', 'six');
    await live(ann);
    await expect(ann.openCollection('nothing')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    const tasks = await ann.openCollection('tasks');
    await until('the task there', async () => (await tasks.get('t', { partitions: ['six'], scope: 'local' })) !== undefined, LONG);
    await tasks.put({ id: 'u', what: 'rest' }, { partition: 'six' }).wait('acked');
    await until('the answer', async () => (await both.tasks.get('u', { partitions: ['six'], scope: 'local' })) !== undefined, LONG);
  });

  it('a row written by REST reaches a subscribed client, and what the client makes of it comes back', async () => {
    const ann = await device('ann', 'four');
    await live(ann);
    const call = async (path: string, body: object): Promise<{ code: number; data: unknown }> => {
      const response = await fetch(`${server.url}/v2/vectordb/entities/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer root:${SERVER_ENV['TERNDB_ROOT_PASSWORD']}`, 'content-type': 'application/json' },
        body: JSON.stringify({ collectionName: 'notes', ...body }),
      });
      return (await response.json()) as { code: number; data: unknown };
    };
    const row = { title: 'from elsewhere', stars: 1, vec: [0, 1] };
    const inserted = await call('insert', { partitionName: 'four', data: [row] });
    expect(inserted).toMatchObject({ code: 0, data: { insertCount: 1, insertIds: [expect.any(String)] } });
    const [id] = (inserted.data as { insertIds: [string] }).insertIds;
    await until('the row', async () => (await ann.notes.get(id, { partitions: ['four'] })) !== undefined, LONG);
    await ann.notes.patch(id, { stars: 9 }, { partition: 'four' }).wait('acked');
    const answer = await call('query', { filter: `id == "${id}"`, partitionNames: ['four'], outputFields: ['title', 'stars'] });
    expect(answer).toMatchObject({ code: 0, data: [{ id, title: 'from elsewhere', stars: 9 }] });
  });
});
