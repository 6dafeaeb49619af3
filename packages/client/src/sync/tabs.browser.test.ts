import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { browserLocks } from '../adapters/locks.ts';
import type { Database } from '../api/database.ts';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { until } from '../database/testing/databases.ts';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import { MemoryServer, tokenOf } from './testing/memory-server.ts';

const schema: Schema<Shapes> = defineSchema({ notes: { title: f.text({ search: true }), stars: f.number().default(0) } }) as never;
const CHANNEL = 'cnotes/pshared/0';
const shared = { partition: 'shared' };
type Db = Database<Shapes>;
interface Tab {
  readonly session: Session;
  readonly db: Db;
  readonly notes: Db[string];
}

const tabs: Tab[] = [];
let name = '';
const freshName = (): string => {
  name = `sync-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  return name;
};
afterEach(async () => {
  for (const { session } of tabs.splice(0)) await session.close().catch(() => {});
  indexedDB.deleteDatabase(`terndb:${name}`);
});

/** A worker of its own on the same IndexedDB, with the locks and the bus of the browser. */
async function openTab(server: MemoryServer, database: string): Promise<Tab> {
  const session = await Session.open(database, { schema, assets: { worker: () => startWorkerInNode(server, browserLocks()) } }, () => {});
  const db = createDatabase(session, schema);
  const tab = { session, db, notes: db['notes']! };
  tabs.push(tab);
  return tab;
}
function connect(db: Db): { disconnect(): Promise<void> } {
  return db.connect({ url: 'http://server/sync', partitions: ['shared'], getToken: async () => tokenOf('ann') });
}
const stateOf = (db: Db): string => db.sync.get().state.name;
const startServer = (): Promise<MemoryServer> => MemoryServer.start(browserClock, schema.definition);

/** Nothing is shown as pending: the log's frames are applied here. */
async function untilApplied({ notes }: Tab): Promise<void> {
  while ((await notes.query({ partitions: ['shared'] })).pendingKeys.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a connected database in IndexedDB', () => {
  it('shows at the next start, without a network, what it followed and what it wrote; both go on when the server is back', async () => {
    const server = await startServer();
    const database = freshName();
    const first = await openTab(server, database);
    connect(first.db);
    await until(() => stateOf(first.db) === 'live');
    await first.notes.put({ id: 'a', title: 'in the log' }, shared).wait('acked');
    await untilApplied(first);
    server.isUp = false;
    server.cut();
    await first.notes.put({ id: 'b', title: 'not yet' }, shared);
    await first.notes.patch('a', { stars: 2 }, shared);
    await first.session.close();
    const second = await openTab(server, database);
    const offline = await second.notes.query({ partitions: ['shared'] });
    expect(offline.entities).toMatchObject([
      { id: 'a', title: 'in the log', stars: 2 },
      { id: 'b', title: 'not yet' },
    ]);
    expect(offline.pendingKeys).toEqual(['a', 'b']);
    expect(second.db.sync.get()).toMatchObject({ state: { name: 'off' }, outbox: 2 });
    server.isUp = true;
    connect(second.db);
    await until(() => stateOf(second.db) === 'live' && second.db.sync.get().outbox === 0);
    expect(server.rows(CHANNEL)).toMatchObject({ a: { title: 'in the log', stars: 2 }, b: { title: 'not yet' } });
  });

  it('is one connection for all tabs, told to each, and taken over when the leading tab goes', async () => {
    const server = await startServer();
    const database = freshName();
    const [one, two] = [await openTab(server, database), await openTab(server, database)];
    connect(two.db);
    await until(() => stateOf(one.db) === 'live' && stateOf(two.db) === 'live');
    expect([one.db.sync.get().leader, two.db.sync.get().leader]).toEqual([true, false]);
    await two.notes.put({ id: 'a', title: 'by a follower' }, shared).wait('acked');
    expect(await one.notes.get('a')).toMatchObject({ title: 'by a follower' });
    const resolves = server.resolves;
    await one.session.close();
    await until(() => two.db.sync.get().leader && stateOf(two.db) === 'live');
    expect(server.resolves).toBeGreaterThan(resolves);
    await two.notes.put({ id: 'b', title: 'by the next leader' }, shared).wait('acked');
    expect(Object.keys(server.rows(CHANNEL)).sort()).toEqual(['a', 'b']);
  });

  it('keeps the refused list over a restart', async () => {
    const server = await startServer();
    server.validate = () => 'ENTITY_TOO_LARGE';
    const database = freshName();
    const first = await openTab(server, database);
    connect(first.db);
    await until(() => stateOf(first.db) === 'live');
    await expect(first.notes.put({ id: 'a', title: 'no' }, shared).wait('acked')).rejects.toMatchObject({ code: 'ENTITY_TOO_LARGE' });
    await until(() => first.db.sync.get().rejected === 1);
    await first.session.close();
    const second = await openTab(server, database);
    const told: any[] = [];
    second.db.on('rejected', (event) => told.push(event));
    await until(() => told.length === 1);
    expect(told[0]).toMatchObject({ key: 'a', collection: 'notes', error: { code: 'ENTITY_TOO_LARGE' } });
    await told[0].dismiss();
    await until(() => second.db.sync.get().rejected === 0);
  });
});
