import { defineSchema, f } from '@terndb/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { IndexWorkers } from '../../adapters/workers/index-workers.ts';
import { type NodePorts, openNode } from '../open-node.ts';
import type { StandaloneNode } from '../standalone-node.ts';
import { memoryNodePorts } from '../testing/node-ports.ts';
import { until } from '../testing/until.ts';

/** Enough for a graph. */
const ROWS = 12_000;
const DIM = 8;
const { definition } = defineSchema({ notes: { place: f.vector(DIM, { metric: 'L2' }) } });
const database = 'default';
const collection = 'notes';

let ports: NodePorts;
let node: StandaloneNode;
beforeEach(async () => {
  ports = await memoryNodePorts();
  node = await openNode({ ports, slots: 1 });
  await node.catalog.createCollection(database, collection, definition.collections.notes);
});
afterEach(() => node.close());

const vectorOf = (row: number): number[] => Array.from({ length: DIM }, (_, at) => Math.sin(row * 12.9898 + at * 78.233));
const search = (options: { readonly exact?: boolean } = {}) =>
  node.search({ database, collection, vector: vectorOf(77), limit: 5, ...options });

it('builds the graph of a sealed segment, names it in the manifest, and finds it again after a restart', async () => {
  const entities = Array.from({ length: ROWS }, (_, row) => ({ id: `k${row}`, place: vectorOf(row) }));
  await node.write({ type: 'put', database, collection, entities });
  const exact = await search();
  expect(exact.exact).toBe(true);
  await node.flush(database);
  await until('the index', () => node.inspect().counters['indexes_published'] === 1);
  const isIndex = (name: string): boolean => name.includes('/index-');
  expect((await ports.objects.list('')).filter(({ name }) => isIndex(name))).toHaveLength(1);
  const approximate = await search();
  expect(approximate.exact).toBe(false);
  expect(approximate.hits[0]).toEqual(exact.hits[0]);
  expect((await search({ exact: true })).hits).toEqual(exact.hits);
  await node.close();
  node = await openNode({ ports, slots: 1 });
  for (let round = 0; (await search()).exact && round < 100; round++) await new Promise((resolve) => setTimeout(resolve, 20));
  const again = await search();
  expect(again.exact).toBe(false);
  expect(again.hits).toEqual(approximate.hits);
  expect(node.inspect().counters['indexes_published']).toBeUndefined();
});

it('publishes the same file when another thread builds it', async () => {
  const entities = Array.from({ length: ROWS }, (_, row) => ({ id: `k${row}`, place: vectorOf(row) }));
  const indexBuilder = new IndexWorkers({ objects: ports.objects });
  const names: string[][] = [];
  for (const builder of [undefined, indexBuilder]) {
    await node.close();
    ports = { ...(await memoryNodePorts({ clock: ports.clock })), objects: ports.objects, indexBuilder: builder };
    for (const { name } of await ports.objects.list('')) await ports.objects.delete(name);
    node = await openNode({ ports, slots: 1 });
    await node.catalog.createCollection(database, collection, definition.collections.notes);
    await node.write({ type: 'put', database, collection, entities });
    await node.flush(database);
    await until('the index', () => node.inspect().counters['indexes_published'] === 1);
    const indexes = (await ports.objects.list('')).filter(({ name }) => name.includes('/index-'));
    // Length and checksum end the name; the segment's stamps, and so its id, differ.
    names.push(indexes.map(({ name }) => name.split('-').slice(3).join('-')));
  }
  expect(names[0]).toHaveLength(1);
  expect(names[1]).toEqual(names[0]);
  expect(indexBuilder.threads).toBe(1);
  await indexBuilder.close();
});

it('gives a scalar field another index, or none, while rows are read, and has the one before back, all without a restart', async () => {
  const shops = (index: 'auto' | 'none' | 'sorted' | 'inverted') =>
    defineSchema({ shops: { town: f.keyword({ index }) } }).definition.collections.shops;
  await node.catalog.createCollection(database, 'shops', shops('sorted'));
  const entities = Array.from({ length: 5_000 }, (_, row) => ({ id: `k${row}`, town: `t${row % 100}` }));
  await node.write({ type: 'put', database, collection: 'shops', entities });
  await node.flush(database);
  const filter = 'town == "t7"';
  const how = async (): Promise<unknown> =>
    (await node.explain({ database, collection: 'shops', filter, consistency: 'strong' })).blocks.find(({ rows }) => rows > 0)?.filter.how;
  const count = async (): Promise<number> => (await node.count({ database, collection: 'shops', filter, consistency: 'strong' })).count;
  const altered = async (index: Parameters<typeof shops>[0], expected: string): Promise<void> => {
    await node.catalog.alterCollection(database, 'shops', { definition: shops(index) });
    expect(await count()).toBe(50);
    for (let round = 0; (await how()) !== expected && round < 200; round++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await how()).toBe(expected);
    expect(await count()).toBe(50);
  };
  await altered('sorted', 'sorted');
  await altered('inverted', 'inverted');
  await altered('sorted', 'sorted');
  await altered('none', 'dictionary');
  await altered('inverted', 'inverted');
  // A segment of so few rows would not choose one by itself; one that is open is not thrown away.
  await altered('none', 'dictionary');
  await altered('auto', 'inverted');
});
