import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import type { Database } from '../api/database.ts';
import { connectAs, databasesInNode, isLive, until } from './testing/databases-in-node.ts';
import { MemoryServer } from './testing/memory-server.ts';

const notes = { title: f.text({ search: true }) };
const schema: Schema<Shapes> = defineSchema({ notes }) as never;
const wider = defineSchema({ notes, tasks: { what: f.text({ search: true }), done: f.boolean().default(false) } }).definition;
const open = databasesInNode(schema);
const openDb = async (server: MemoryServer): Promise<Database<Shapes>> => (await open(server)).db;
const shared = { partition: 'shared' };

describe('a collection that only the server knows', () => {
  it('is opened by name with the schema of the server, replicates like others, and is known from then on', async () => {
    const server = await MemoryServer.start(browserClock, wider);
    const [ann, bob] = [await openDb(server), await openDb(server)];
    for (const db of [ann, bob]) connectAs(db);
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
    connectAs(db);
    await until(() => isLive(db));
    await expect(db.openCollection('nobody')).rejects.toMatchObject({ code: 'COLLECTION_UNKNOWN', details: { collection: 'nobody' } });
    server.isUp = false;
    await expect(db.openCollection('tasks')).rejects.toMatchObject({ code: 'OFFLINE' });
    server.isUp = true;
    expect((await db.openCollection('tasks')).name).toBe('tasks');
    expect((await db.openCollection('notes')).name).toBe('notes');
  });
});
