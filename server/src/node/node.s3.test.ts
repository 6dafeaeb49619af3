import { defineSchema, f } from '@terndb/core';
import { beforeAll, expect, it } from 'vitest';
import { FaultyGateway } from '../adapters/s3/faulty-gateway.ts';
import { readS3Config } from '../adapters/s3/s3-config.ts';
import { S3ObjectStore } from '../adapters/s3/s3-object-store.ts';
import { ensureBucket } from '../adapters/s3/testing/ensure-bucket.ts';
import { IndexWorkers } from '../adapters/workers/index-workers.ts';
import { openNode } from './open-node.ts';
import type { StandaloneNode } from './standalone-node.ts';
import { memoryNodePorts } from './testing/node-ports.ts';
import { until } from './testing/until.ts';

const config = readS3Config(process.env);
if (config === undefined) throw new Error('these tests need a gateway: npm run test:s3');

const DIM = 8;
/** Enough for a graph. */
const ROWS = 12_000;
const { definition } = defineSchema({ notes: { title: f.text({ search: true }), place: f.vector(DIM, { metric: 'L2' }) } });
const database = 'default';
const collection = 'notes';
const entitiesFrom = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `k${from + index}`,
    title: `row ${from + index}`,
    place: Array.from({ length: DIM }, (_, at) => Math.sin((from + index) * 12.9898 + at * 78.233)),
  }));

beforeAll(() => ensureBucket(config));

it('a node seals to a gateway that fails every fifth request, builds its indexes from there, collects, and finds everything after restarts', async () => {
  const faulty = await FaultyGateway.start(config.endpoint);
  const objects = await S3ObjectStore.open({ ...config, prefix: `node-${process.pid}/`, endpoint: faulty.url });
  const indexBuilder = new IndexWorkers({ objects });
  const ports = { ...(await memoryNodePorts()), objects, indexBuilder };
  const open = (): Promise<StandaloneNode> => openNode({ ports, slots: 2, limits: { objectGraceMs: 0 } });
  let node = await open();
  const restart = async (): Promise<void> => {
    await node.close();
    node = await open();
  };
  const put = (from: number, count: number) =>
    node.write({ type: 'put', database, subject: 'ann', collection, entities: entitiesFrom(from, count) });
  const isWhole = async (rows: number): Promise<void> => {
    expect(await node.count({ database, collection, consistency: 'strong' })).toMatchObject({ count: rows });
    const { place } = entitiesFrom(77, 1)[0]!;
    expect((await node.search({ database, collection, vector: place, limit: 1 })).hits).toMatchObject([{ key: 'k77' }]);
    expect((await node.search({ database, collection, text: '7777', limit: 1 })).hits).toMatchObject([{ key: 'k7777' }]);
  };
  try {
    faulty.failEvery(5);
    await node.catalog.createCollection(database, collection, definition.collections.notes);
    await put(0, ROWS);
    await node.flush(database);
    await until('the index', () => node.inspect().counters['indexes_published'] === 1);
    await isWhole(ROWS);
    await restart();
    await isWhole(ROWS);
    await put(ROWS, 500);
    await node.write({ type: 'delete', database, collection, key: 'k0' });
    await node.flush(database);
    await node.compact(database);
    await node.housekeep({ sweep: true });
    const { segments } = node.inspect().channels[0]!;
    const names = (await objects.list('')).map(({ name }) => name);
    expect(names.filter((name) => name.includes('/segment-'))).toHaveLength(segments);
    expect(names.filter((name) => name.includes('/manifest-'))).toHaveLength(1);
    await restart();
    await isWhole(ROWS + 499);
    expect(node.inspect().channels[0]).toMatchObject({ divergences: 0, growing: 0 });
    expect(faulty.faults).toBeGreaterThan(5);
  } finally {
    faulty.failEvery(0);
    await node.close();
    await indexBuilder.close();
    for (const { name } of await objects.list('')) await objects.delete(name);
    objects.close();
    await faulty.close();
  }
});
