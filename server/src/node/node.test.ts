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
});
