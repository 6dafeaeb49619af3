import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { afterEach, describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import type { Database } from '../api/database.ts';
import { createDatabase } from '../database/database.ts';
import { Session } from '../database/session.ts';
import { startWorkerInNode } from '../worker/testing/worker-in-node.ts';
import { MemoryServer, tokenOf } from './testing/memory-server.ts';

const notes = { title: f.text({ search: true }) };
const schema: Schema<Shapes> = defineSchema({ notes }) as never;
const wider = defineSchema({ notes, tasks: { what: f.text({ search: true }), done: f.boolean().default(false) } }).definition;
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close().catch(() => {});
});

async function openDb(server: MemoryServer): Promise<Database<Shapes>> {
  const session = await Session.open('node', { schema, assets: { worker: () => startWorkerInNode(server) } }, () => {});
  sessions.push(session);
  return createDatabase(session, schema);
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 3));
}
const connect = (db: Database<Shapes>): unknown =>
  db.connect({ url: 'http://server/sync', partitions: ['shared'], getToken: async () => tokenOf('ann') });
const isLive = (db: Database<Shapes>): boolean => db.sync.get().state.name === 'live';
const shared = { partition: 'shared' };

describe('a collection that only the server knows', () => {
  it('is opened by name with the schema of the server, replicates like others, and is known from then on', async () => {
    const server = await MemoryServer.start(browserClock, wider);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    for (const db of [ann, bob]) connect(db);
    await until(() => isLive(ann) && isLive(bob));
    const before = ann['notes']!.put({ id: 'n', title: 'kept' }, shared);
    const mine = await ann.openCollection('tasks');
    expect(mine.definition).toEqual(wider.collections.tasks);
    expect(mine.name).toBe('tasks');
    await mine.put({ id: 't', what: 'water the plants' }, shared).wait('acked');
    expect(server.rows('ctasks/pshared/0')).toMatchObject({ t: { what: 'water the plants', done: false } });
    expect(await before).toBe('n');
    expect(await ann['notes']!.get('n', { scope: 'local' })).toMatchObject({ title: 'kept' });
    const theirs = await bob.openCollection('tasks');
    await until(async () => (await theirs.get('t', { scope: 'local' })) !== undefined);
    await expect(theirs.put({ id: 'x', nothing: 1 } as never, shared)).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    // From now on the server need not answer.
    server.isUp = false;
    server.cut();
    expect((await bob.openCollection('tasks')).definition).toEqual(mine.definition);
    expect((await theirs.search({ text: 'plants', scope: 'local' })).hits.map(({ key }) => key)).toEqual(['t']);
  });

  it('is COLLECTION_UNKNOWN when nobody has it, and OFFLINE when who may have it cannot be reached', async () => {
    const server = await MemoryServer.start(browserClock, wider);
    const db = await openDb(server);
    await expect(db.openCollection('tasks')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN' });
    connect(db);
    await until(() => isLive(db));
    await expect(db.openCollection('nobody')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN', details: { collection: 'nobody' } });
    server.isUp = false;
    await expect(db.openCollection('tasks')).rejects.toMatchObject({ code: 'OFFLINE' });
    server.isUp = true;
    expect((await db.openCollection('tasks')).name).toBe('tasks');
    expect((await db.openCollection('notes')).name).toBe('notes');
  });
});
