import { defineSchema, f } from '@terndb/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { openNode } from './open-node.ts';
import type { StandaloneNode } from './standalone-node.ts';
import { memoryNodePorts } from './testing/node-ports.ts';

const { definition } = defineSchema({
  notes: { title: f.text({ search: true }), rank: f.number().default(0), place: f.vector(3, { metric: 'L2' }).nullable() },
});
const notes = definition.collections.notes;
const database = 'default';
const collection = 'notes';

let node: StandaloneNode;
beforeEach(async () => {
  node = await openNode({ ports: await memoryNodePorts(), slots: 2 });
  await node.catalog.createCollection(database, collection, notes);
  return () => node.close();
});

describe('a node', () => {
  it('reads what it has written, at every level', async () => {
    const { token, keys } = await node.write({
      type: 'put',
      database,
      collection,
      entities: [
        { id: 'a', title: 'arctic tern', place: [1, 0, 0] },
        { id: 'b', title: 'black kite', place: [0, 1, 0] },
      ],
    });
    expect(keys).toEqual(['a', 'b']);
    for (const consistency of ['strong', 'session', 'bounded', 'eventually', { atLeast: token }, { maxStalenessMs: 0 }]) {
      const found = await node.get({ database, collection, keys: ['b'], consistency });
      expect(found.entities).toMatchObject([{ id: 'b', title: 'black kite', rank: 0 }]);
      expect(found).toMatchObject({ scope: 'global', degraded: null, coverage: 1 });
    }
    const { hits, exact } = await node.search({ database, collection, vector: [1, 0, 0.1], limit: 1 });
    expect(hits).toMatchObject([{ key: 'a', from: 'global' }]);
    expect(exact).toBe(true);
    expect(await node.count({ database, collection, where: { rank: 0 } })).toMatchObject({ count: 2 });
    await node.waitIndexed(token, 1_000);
  });

  it('gives integers that it minted to entities without a key, ascending', async () => {
    const numbered = defineSchema({ numbered: { id: f.primaryKey('int64', { autoId: true }) } }).definition.collections.numbered;
    await node.catalog.createCollection(database, 'numbered', numbered);
    const { keys } = await node.write({
      type: 'put',
      database,
      collection: 'numbered',
      entities: Array.from({ length: 5_000 }, () => ({})),
    });
    expect(new Set(keys).size).toBe(5_000);
    expect(keys.every((key, index) => index === 0 || BigInt(key) > BigInt(keys[index - 1]!))).toBe(true);
    expect(await node.count({ database, collection: 'numbered' })).toMatchObject({ count: 5_000 });
  });

  it('resolves what reads before it writes: patches, deletes, and deletes by a condition', async () => {
    const entities = [1, 2, 3, 4].map((rank) => ({ id: `k${rank}`, title: 'x', rank }));
    await node.write({ type: 'put', database, collection, entities });
    await node.write({ type: 'patch', database, collection, key: 'k1', fields: { rank: 9 } });
    await node.write({ type: 'delete', database, collection, key: 'k2' });
    const removed = await node.write({ type: 'deleteBy', database, collection, where: { rank: { gte: 4 } } });
    expect([...removed.keys].sort()).toEqual(['k1', 'k4']);
    expect(await node.query({ database, collection })).toMatchObject({ entities: [{ id: 'k3', rank: 3 }] });
    await expect(node.write({ type: 'put', database, collection, partition: 'none', entities })).rejects.toMatchObject({
      code: 'PARTITION_UNKNOWN',
    });
    await expect(node.write({ type: 'put', database, collection, entities: [{ nothing: 1 }] })).rejects.toMatchObject({
      code: 'FIELD_UNKNOWN',
    });
  });

  it('refuses writes while it drains or has no memory left, answers reads, and nothing after it is closed', async () => {
    const small = await openNode({ ports: await memoryNodePorts(), slots: 1, limits: { maxKernelBytes: 0 } });
    await small.catalog.createCollection(database, collection, notes);
    const put = { type: 'put', database, collection, entities: [{ id: 'a', title: 'x' }] } as const;
    await expect(small.write(put)).rejects.toMatchObject({ code: 'MEMORY_LIMIT' });
    const answers: string[] = [];
    const channel = small.catalog.find(database, collection)!.partitions.get('_default')![0]!;
    const session = small.openSession('s', ({ type }) => answers.push(type));
    const principal = { session: 's', clientId: 'c', term: 1, subject: 'ann', canWrite: true };
    session.route(principal, { type: 'push', channel, subscription: 1, records: [] });
    expect(answers).toEqual(['busy']);
    await small.drain();
    await expect(small.write(put)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await small.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: 0 });
    await small.close();
    await small.close();
    await expect(small.count({ database, collection })).rejects.toMatchObject({ code: 'DATABASE_CLOSED' });
    expect(() => small.openSession('t', () => {})).toThrow('closed');
  });
});
