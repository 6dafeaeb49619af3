import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import type { Database } from '../api/database.ts';
import { connectAs, databasesInNode, until } from './testing/databases-in-node.ts';
import { MemoryServer } from './testing/memory-server.ts';

const schema: Schema<Shapes> = defineSchema({ notes: { title: f.text({ search: true }) } }) as never;
const open = databasesInNode(schema);
const openDb = async (server: MemoryServer): Promise<Database<Shapes>> => (await open(server)).db;
type Wanted = Parameters<Database<Shapes>['connect']>[0]['partitions'];
function connect(db: Database<Shapes>, partitions: Wanted): void {
  connectAs(db, 'ann', partitions);
}
const follows = (db: Database<Shapes>, ...names: string[]): boolean => {
  const { state, partitions } = db.sync.get();
  return state.name === 'live' && partitions.map(({ name }) => name).join() === names.join();
};
const local = { scope: 'local', partitions: ['shared'] } as const;

describe('a partition that is not named any more', () => {
  it('is hidden and kept; named again, it shows what it showed, with its true age, until the log says what happened since', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    connect(ann, ['shared']);
    connect(bob, ['shared']);
    await until(() => follows(ann, 'shared') && follows(bob, 'shared'));
    await bob['notes']!.put({ id: 'a', title: 'before' }, { partition: 'shared' }).wait('acked');
    await until(async () => (await ann['notes']!.get('a', local)) !== undefined);
    connect(ann, ['other']);
    await until(() => follows(ann, 'other'));
    const pages = (await ann.inspect()).partitions.map(({ partition }) => partition);
    expect(pages).not.toContain('shared');
    await bob['notes']!.patch('a', { title: 'after' }, { partition: 'shared' }).wait('acked');
    await new Promise((resolve) => setTimeout(resolve, 60));
    // The server says which channels there are, and no more.
    const { openSocket } = server;
    server.openSocket = () => ({ send: () => {}, close: () => {} });
    connect(ann, ['shared']);
    let shown = await ann['notes']!.query({ scope: 'local' });
    await until(async () => {
      shown = await ann['notes']!.query({ scope: 'local' });
      return shown.entities.length > 0;
    });
    expect(shown.entities).toMatchObject([{ title: 'before' }]);
    expect(shown.stalenessMs).toBeGreaterThanOrEqual(60);
    await expect(ann['notes']!.query({ ...local, consistency: { maxStalenessMs: 50 } })).rejects.toMatchObject({
      code: 'CONSISTENCY_UNAVAILABLE',
    });
    server.openSocket = openSocket;
    connect(ann, ['shared', 'other']);
    await until(async () => ((await ann['notes']!.get('a', local)) as { title: string } | undefined)?.title === 'after');
  });

  it('is removed from this device when it is only searched from now on, and comes back when it is kept again', async () => {
    const server = await MemoryServer.start(browserClock, schema.definition);
    const db = await openDb(server);
    connect(db, ['shared']);
    await until(() => follows(db, 'shared'));
    await db['notes']!.put({ id: 'a', title: 'here' }, { partition: 'shared' }).wait('acked');
    await until(async () => (await db['notes']!.query(local)).pendingKeys.length === 0);
    connect(db, [{ name: 'shared', keep: 'search-only' }, 'other']);
    await until(() => follows(db, 'shared', 'other'));
    expect((await db['notes']!.query(local)).entities).toEqual([]);
    const { openSocket } = server;
    server.openSocket = () => ({ send: () => {}, close: () => {} });
    connect(db, ['shared', 'other']);
    await until(async () => (await db.inspect()).partitions.some(({ partition }) => partition === 'shared'));
    expect(await db['notes']!.count(local)).toMatchObject({ count: 0, degraded: 'offline' });
    server.openSocket = openSocket;
    connect(db, ['other', 'shared']);
    await until(async () => (await db['notes']!.get('a', local)) !== undefined);
  });
});
