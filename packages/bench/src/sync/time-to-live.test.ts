import { type Database, defineSchema, f } from '@terndb/client';
import { openInNode } from '@terndb/client/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServerHere, startServerHere } from '../together/server-here.ts';
import { tokenFor, until } from './server-process.ts';

/** Times to live in the whole client against the whole server: who is asked does not matter. */

const shapes = { notes: { id: f.primaryKey('varchar'), title: f.text({ search: true }), tag: f.keyword().nullable() } };
const forever = defineSchema(shapes);
const daily = defineSchema(shapes, { ttlSeconds: { notes: 86_400 } });
type Db = Database<typeof shapes>;
const LONG = { timeoutMs: 30_000 } as const;
const team = { partition: 'team' } as const;

let server: ServerHere;
const open: Db[] = [];
beforeEach(async () => {
  server = await startServerHere();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((db) => db.close()));
  await server.stop();
});

async function device(name: string, schema: typeof forever): Promise<Db> {
  const db = await openInNode(name, schema);
  open.push(db);
  db.connect({ url: `${server.url}/sync`, partitions: ['team'], getToken: async () => tokenFor(name) });
  await until('live', () => db.sync.get().state.name === 'live', LONG);
  return db;
}

/** The server's, from now on. */
function letLive(ttlSeconds: number | undefined): Promise<unknown> {
  const { fields } = server.node.catalog.find('default', 'notes')!.definition;
  const definition = ttlSeconds === undefined ? { fields } : { fields, ttlSeconds };
  return server.node.catalog.alterCollection('default', 'notes', { definition });
}

/** What one reader sees, in every way that there is. */
async function seen(db: Db, scope: 'local' | 'global'): Promise<string> {
  const read = { partitions: ['team'], scope } as const;
  const { entities } = await db.notes.query(read);
  const { hits } = await db.notes.search({ ...read, text: 'note' });
  const { groups } = await db.notes.aggregate({ ...read, aggregates: { n: 'count' } });
  const keys = entities.map(({ id }) => id);
  expect((await db.notes.count(read)).count).toBe(keys.length);
  expect(groups).toEqual([{ n: keys.length }]);
  expect(hits.map(({ key }) => key).sort()).toEqual(keys);
  return keys.join();
}

/** First by one read: between two of them the news may come. */
async function untilShown(db: Db, keys: string): Promise<void> {
  const here = { partitions: ['team'], scope: 'local' } as const;
  await until(`'${keys}'`, async () => (await db.notes.query(here)).entities.map(({ id }) => id).join() === keys, LONG);
  expect(await seen(db, 'local')).toBe(keys);
}

describe('[TTL] two clients and their server', () => {
  it('agree on what is there while the server lets it live shorter, longer and for ever', async () => {
    const ann = await device('ann', forever);
    const bob = await device('bob', daily);
    await ann.notes.put({ id: 'old', title: 'a note' }, team).wait('acked');
    await ann.notes.put({ id: 'mine', title: 'a note that nobody else has' });
    await until('the row at the other one', async () => (await bob.notes.get('old', { scope: 'local' })) !== undefined, LONG);
    expect(ann.sync.get().otherTimesToLive).toBeUndefined();
    expect(bob.sync.get().otherTimesToLive).toEqual([{ collection: 'notes', ownSeconds: 86_400, serverSeconds: null }]);
    const live: string[] = [];
    const stop = bob.notes.liveQuery({ partitions: ['team'], scope: 'local' }, ({ entities }) =>
      live.push(entities.map(({ id }) => id).join()),
    );
    await until('the first result', () => live.length > 0, LONG);

    await letLive(1);
    for (const db of [ann, bob]) await untilShown(db, '');
    expect(await seen(ann, 'global')).toBe('');
    await until('the live result', () => live.at(-1) === '', LONG);
    expect(ann.sync.get().otherTimesToLive).toEqual([{ collection: 'notes', ownSeconds: null, serverSeconds: 1 }]);
    expect((await ann.notes.count({ partitions: ['_default'] })).count).toBe(1);

    for (const ttlSeconds of [3_600, undefined]) {
      await letLive(ttlSeconds);
      for (const db of [ann, bob]) await untilShown(db, 'old');
      expect(await seen(bob, 'global')).toBe('old');
      const expected = ttlSeconds ?? null;
      await until('told', () => bob.sync.get().otherTimesToLive?.[0]?.serverSeconds === expected, LONG);
    }
    expect(live.at(-1)).toBe('old');
    stop();
  });

  it('make a collection with the time to live of who is first, and keep it', async () => {
    await device('bob', daily);
    const ann = await device('ann', forever);
    expect(server.node.catalog.find('default', 'notes')!.definition.ttlSeconds).toBe(86_400);
    expect(ann.sync.get().otherTimesToLive).toEqual([{ collection: 'notes', ownSeconds: null, serverSeconds: 86_400 }]);
  });
});
