import { defineSchema, f, type Schema, type Shapes } from '@terndb/core';
import { expect, it } from 'vitest';
import { browserClock } from '../adapters/clock.ts';
import { connectAs, databasesInNode, isLive, until } from './testing/databases-in-node.ts';
import { MemoryServer } from './testing/memory-server.ts';

const schema: Schema<Shapes> = defineSchema({ notes: { title: f.text() } }) as never;
const open = databasesInNode(schema);
const shared = { partition: 'shared' };

it('a quota of the server is told as such, with where; the writes stay, and go out when there is room', async () => {
  const server = await MemoryServer.start(browserClock, schema.definition);
  const { db } = await open(server);
  connectAs(db);
  await until(() => isLive(db));
  expect(db.sync.get().denied).toBeUndefined();
  server.hasRoom = false;
  const write = db['notes']!.put({ id: 'a', title: 'kept' }, shared);
  await until(() => db.sync.get().denied !== undefined);
  expect(db.sync.get()).toMatchObject({
    state: { name: 'live' },
    outbox: 1,
    rejected: 0,
    denied: [{ collection: 'notes', partition: 'shared', code: 'QUOTA_EXCEEDED' }],
  });
  expect(await db['notes']!.get('a')).toMatchObject({ title: 'kept' });
  server.hasRoom = true;
  server.cut();
  await write.wait('acked');
  await until(() => db.sync.get().denied === undefined);
  await until(() => db.sync.get().outbox === 0);
});

it('a token that may not write is told apart from it', async () => {
  const server = await MemoryServer.start(browserClock, schema.definition);
  server.canWrite = false;
  const { db } = await open(server);
  connectAs(db);
  await until(() => isLive(db));
  await db['notes']!.put({ id: 'a', title: 'kept' }, shared);
  await until(() => db.sync.get().denied?.[0]?.code === 'FORBIDDEN');
  expect(db.sync.get()).toMatchObject({ outbox: 1, rejected: 0 });
});
