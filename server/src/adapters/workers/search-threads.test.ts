import { type CollectionDefinition, defineSchema, f } from '@terndb/core';
import { propertyOptions, seededRng } from '@terndb/core/testing';
import type { SearchRequest } from '@terndb/engine';
import type { VectorJob } from '@terndb/engine/parts';
import { createHnsw } from '@terndb/kernel';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openNode } from '../../node/open-node.ts';
import type { StandaloneNode } from '../../node/standalone-node.ts';
import { memoryNodePorts } from '../../node/testing/node-ports.ts';
import { until } from '../../node/testing/until.ts';
import { SearchThreads } from './search-threads.ts';

const DIM = 16;
/** Two segments of this size have graphs. */
const ROWS = 10_500;
const GROWING = 300;
/** Of a segment. */
const VECTOR_INDEXES = 2;
const rng = seededRng(73);
const vector = (): Float32Array => Float32Array.from({ length: DIM }, () => rng.nextUint32() / 2 ** 31 - 1);
const definition: CollectionDefinition = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    tag: f.keyword(),
    title: f.text({ search: true }),
    cosine: f.vector(DIM, { index: { m: 8, efConstruction: 40 } }),
    lists: f.vector(DIM, { metric: 'L2', index: { type: 'IVF', quantization: 'sq8', nlist: 40 } }),
    bits: f.binaryVector(32, { metric: 'HAMMING' }),
  },
}).definition.collections.items;
const item = (id: number) => {
  const value = vector();
  const words = `row ${id % 7} of ${id % 13}`;
  return { id, tag: `t${id % 9}`, title: words, cosine: value, lists: value, bits: new Uint8Array(value.buffer.slice(0, 4)) };
};

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function openThreads(options: Parameters<typeof SearchThreads.open>[1] = {}): Promise<SearchThreads> {
  const threads = await SearchThreads.open(2, { minProducts: 1, ...options });
  opened.push(threads);
  return threads;
}

async function nodeWith(threads: SearchThreads | undefined): Promise<StandaloneNode> {
  const ports = await memoryNodePorts();
  const node = await openNode({
    ports: threads === undefined ? ports : { ...ports, kernel: threads.kernel, searchJobs: threads },
    slots: 1,
    limits: { sealRows: 1e9, sealBytes: 1e12 },
  });
  opened.push(node);
  await node.catalog.createCollection('default', 'items', definition);
  return node;
}

const put = (node: StandaloneNode, entities: readonly object[]) =>
  node.write({ type: 'put', database: 'default', collection: 'items', entities: entities as never });
const flush = (node: StandaloneNode) => node.flush('default');

describe('searches on threads', () => {
  it('find what the same searches find on one thread, while rows are written, sealed and merged', async () => {
    const threads = await openThreads();
    const [pooled, plain] = [await nodeWith(threads), await nodeWith(undefined)];
    const rows = Array.from({ length: ROWS * 2 }, (_, id) => item(id));
    const grown = Array.from({ length: GROWING }, (_, index) => item(ROWS + index * 31));
    for (const node of [pooled, plain]) {
      for (const half of [rows.slice(0, ROWS), rows.slice(ROWS)]) {
        for (let at = 0; at < half.length; at += 3_500) await put(node, half.slice(at, at + 3_500));
        await flush(node);
        const published = (): number => node.inspect().counters['indexes_published'] ?? 0;
        const wanted = VECTOR_INDEXES * (half[0] === rows[0] ? 1 : 2);
        await until(`${wanted} indexes`, () => published() === wanted);
      }
      await put(node, grown);
    }
    const vectors = Array.from({ length: 20 }, vector);
    const pick = fc.constantFrom(...vectors);
    const source: fc.Arbitrary<Partial<SearchRequest>> = fc.oneof(
      fc.record({ field: fc.constantFrom('cosine', 'lists'), vector: pick }),
      fc.record({ field: fc.constantFrom('cosine', 'lists'), vector: pick, exact: fc.constant(true) }),
      fc.record({ field: fc.constant('cosine'), vector: pick, text: fc.constantFrom('row 3', 'of 12') }),
      fc.record({ field: fc.constant('bits'), vector: pick.map((value) => new Uint8Array(value.buffer.slice(0, 4))) }),
      fc.record({ field: fc.constantFrom('cosine', 'lists'), like: fc.nat(ROWS) }),
    );
    const options: fc.Arbitrary<Partial<SearchRequest>> = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      groupBy: fc.constantFrom(undefined, undefined, { field: 'tag', size: 2 }),
      where: fc.constantFrom(undefined, { tag: 't3' }, { tag: { in: ['t1', 't2', 't4', 't5', 't6', 't7'] } }),
    });
    const before = threads.sent;
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(source, options), { minLength: 1, maxLength: 8 }), async (searches) => {
        const requests = searches.map(([by, how]) => ({
          database: 'default',
          consistency: 'eventually',
          ...({ collection: 'items', select: [], ...by, ...how } as SearchRequest),
        }));
        const results = await Promise.all(requests.map((request) => pooled.search(request)));
        for (const [index, request] of requests.entries()) {
          const expected = await plain.search(request);
          const shown = ({ hits: found, exact }: typeof expected) => [exact, found.map(({ key, score }) => [key, score])];
          expect(shown(results[index]!)).toEqual(shown(expected));
          hits += expected.hits.length;
        }
      }),
      propertyOptions(60),
    );
    expect(threads.sent - before).toBeGreaterThan(60);
    expect(hits).toBeGreaterThan(60);
    // Segments that searches read are replaced and freed meanwhile.
    const search = { database: 'default', collection: 'items', field: 'cosine', vector: vectors[0], limit: 5, select: [] } as const;
    const kept: Promise<unknown>[] = [];
    let isMerging = true;
    const merging = pooled.compact('default').finally(() => {
      isMerging = false;
    });
    for (let round = 0; isMerging && round < 200; round++) {
      kept.push(...Array.from({ length: 4 }, () => pooled.search(search)));
      await put(pooled, [item(1_000_000 + round)]);
    }
    await merging;
    for (const result of (await Promise.all(kept)) as { hits: readonly unknown[] }[]) expect(result.hits).toHaveLength(5);
  }, 120_000);

  it('do small searches and those of growing rows here, and tell nobody', async () => {
    const threads = await openThreads({ minProducts: 10_000_000 });
    const node = await nodeWith(threads);
    await put(
      node,
      Array.from({ length: 500 }, (_, id) => item(id)),
    );
    const request = { database: 'default', collection: 'items', field: 'cosine', vector: vector(), limit: 5 } as const;
    expect((await node.search(request)).hits).toHaveLength(5);
    await flush(node);
    expect((await node.search(request)).hits).toHaveLength(5);
    expect(threads.sent).toBe(0);
  });

  const jobOf = (threads: SearchThreads, k: number): VectorJob => {
    const block = threads.kernel.createBlock({ dim: DIM });
    for (let row = 0; row < 2_000; row++) block.append(vector());
    const index = createHnsw(threads.kernel, { dim: DIM, metric: 'L2', seed: 1 });
    index.addFrom(block);
    index.buildStep(2_000);
    return { kind: 'graph', target: index, options: { query: vector(), k, ef: k, block }, isSealed: true, products: 1_000_000 };
  };

  it('are done here when their thread dies of them, and the next ones by another thread', async () => {
    const threads = await openThreads({ script: new URL('../../../../packages/kernel/src/testing/dying-thread.ts', import.meta.url) });
    const deadly = jobOf(threads, 4_444);
    const [hits] = await threads.run([deadly]);
    expect(hits!.offsets).toHaveLength(2_000);
    const usual = jobOf(threads, 10);
    for (let round = 0; round < 5; round++)
      expect((await threads.run([usual, usual])).map(({ offsets }) => offsets.length)).toEqual([10, 10]);
  });

  it('are refused together, when the last of them has ended', async () => {
    const threads = await openThreads();
    const good = jobOf(threads, 10);
    const bad = { ...good, options: { ...good.options, query: new Float32Array(DIM - 1) } } as VectorJob;
    await expect(threads.run([bad, good, bad])).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
  });
});
