import { defineSchema, f } from '@terndb/core';
import { seededRng } from '@terndb/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, SearchHit, SearchRequest } from '../../database/types.ts';
import { hnswKind } from '../../indexes/hnsw-kind.ts';
import { listKind } from '../../indexes/list-kind.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

/** Above what the planner scans in any case. */
const ROWS = 10_500;
const DIM = 32;
const SEED = 59;
/** Clusters, as real vectors have: random directions alone are the worst case of one-bit codes. */
const CENTRES = 60;

const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    rank: f.number(),
    auto: f.vector(DIM),
    floats: f.vector(DIM, { index: { type: 'HNSW' } }),
    bytes: f.vector(DIM, { metric: 'L2', index: { type: 'HNSW', quantization: 'sq8' } }),
    bits: f.vector(DIM, { index: { type: 'HNSW', quantization: 'binary', efConstruction: 100 } }),
    lists: f.vector(DIM, { metric: 'L2', index: { type: 'IVF', nlist: 100 } }),
    listBytes: f.vector(DIM, { metric: 'IP', index: { type: 'IVF', quantization: 'sq8' } }),
    listBits: f.vector(DIM, { index: { type: 'IVF', quantization: 'binary' } }).nullable(),
    flat: f.vector(DIM, { index: { type: 'FLAT' } }),
  },
});
const TYPES = {
  auto: 'hnsw',
  floats: 'hnsw-f32',
  bytes: 'hnsw',
  bits: 'hnsw-b1',
  lists: 'ivf',
  listBytes: 'ivf-sq8',
  listBits: 'ivf-b1',
} as const;
const FIELDS = Object.keys(TYPES) as (keyof typeof TYPES)[];
const GOOD_RECALL = 0.9;

const rng = seededRng(SEED);
const gaussian = (): number => {
  let sum = 0;
  for (let i = 0; i < 6; i++) sum += rng.nextUint32() / 2 ** 32;
  return sum - 3;
};
const centres = Array.from({ length: CENTRES }, () => Array.from({ length: DIM }, gaussian));
const vector = (): Float32Array => {
  const centre = centres[rng.nextUint32() % CENTRES]!;
  return Float32Array.from(centre, (value) => value + gaussian() / 2);
};
const QUERIES = Array.from({ length: 40 }, vector);

function item(id: number) {
  const value = vector();
  const fields = Object.fromEntries([...FIELDS, 'flat'].map((field) => [field, value]));
  return { id, rank: id, ...fields, listBits: id % 50 === 3 ? null : value };
}

let indexed: Engine;
let exact: Engine;
const kinds = [
  ...(['hnsw', 'hnsw-f32', 'hnsw-b1'] as const).map((type) => hnswKind(1_000, type)),
  ...(['ivf', 'ivf-sq8', 'ivf-b1'] as const).map((type) => listKind(1_000, type)),
];

beforeAll(async () => {
  const entities = Array.from({ length: ROWS }, (_, id) => item(id));
  const fill = async (engine: Engine): Promise<Engine> => {
    engine.writeAll([{ type: 'put', collection: 'items', entities }]);
    await engine.flush();
    await engine.seal();
    await engine.buildIndexes();
    engine.write({ type: 'deleteBy', collection: 'items', where: { rank: { in: [1, 2, 3, 4_001] } } });
    await engine.flush();
    return engine;
  };
  const limits = { sealRows: 1e9, sealBytes: 1e12 };
  indexed = await fill(await openEngine({ ports: await memoryPorts(), schema, limits, indexKinds: kinds }));
  exact = await fill(await openEngine({ ports: await memoryPorts(), schema, limits, indexKinds: [] }));
}, 90_000);
afterAll(async () => {
  await indexed.close();
  await exact.close();
});

const keys = (hits: readonly SearchHit[]): unknown[] => hits.map(({ key }) => key);
function recall(field: string, more: Partial<SearchRequest> = {}): number {
  let sum = 0;
  for (const query of QUERIES) {
    const request: SearchRequest = { collection: 'items', field, vector: query, limit: 10, select: [] };
    const truth = keys(exact.search(request).hits);
    const found = new Set(keys(indexed.search({ ...request, ...more }).hits));
    sum += truth.filter((key) => found.has(key)).length / truth.length / QUERIES.length;
  }
  return sum;
}

describe('the index that a field asks for', () => {
  it('is the one that its segments get', () => {
    const names = FIELDS.map((field) => `${field}:${TYPES[field]}`).sort();
    expect(indexed.inspect().partitions[0]!.segments.map(({ indexes }) => indexes)).toEqual([names]);
  });

  it.each(FIELDS)('finds nearly all of the best ten of %s, with exact scores, and says that it is not exact', (field) => {
    const request: SearchRequest = { collection: 'items', field, vector: QUERIES[0], limit: 10 };
    const found = indexed.search(request);
    expect(found.exact).toBe(false);
    const scores = new Map(exact.search({ ...request, limit: 16_000 }).hits.map(({ key, score }) => [key, score]));
    for (const { key, score } of found.hits) expect(scores.get(key)).toBe(score);
    expect(recall(field)).toBeGreaterThanOrEqual(GOOD_RECALL);
  });

  it.each(FIELDS)('of %s gives the hits of a scan when asked to be exact, and where few rows pass', (field) => {
    const request: SearchRequest = { collection: 'items', field, vector: QUERIES[1], limit: 10, select: [] };
    const few = { ...request, where: { rank: { lt: 60 } } };
    for (const [asked, truth] of [
      [indexed.search({ ...request, exact: true }), exact.search(request)],
      [indexed.search(few), exact.search(few)],
    ] as const)
      expect({ exact: asked.exact, hits: asked.hits }).toEqual({ exact: true, hits: truth.hits });
  });

  it.each(FIELDS)('of %s never gives deleted rows, rows without a vector, or rows that a filter refuses', (field) => {
    const request: SearchRequest = { collection: 'items', field, vector: QUERIES[2], limit: 200, where: { rank: { lt: 5_000 } } };
    const { hits } = indexed.search({ ...request, select: ['rank', field] });
    expect(hits).toHaveLength(200);
    for (const { key, entity } of hits) {
      expect([1, 2, 3, 4_001]).not.toContain(key);
      expect(entity['rank']).toBeLessThan(5_000);
      expect(entity[field]).not.toBeNull();
    }
  });

  it.each(['lists', 'listBytes', 'listBits'])(
    'of lists finds more of %s with a larger `nprobe`, and is exact where that is all of them',
    (field) => {
      const [one, some] = [recall(field, { nprobe: 1 }), recall(field, { nprobe: 60 })];
      expect(one).toBeLessThan(some);
      expect(some).toBeGreaterThan(0.98);
      const request: SearchRequest = { collection: 'items', field, vector: QUERIES[0], limit: 10 };
      expect(indexed.search({ ...request, nprobe: 65_536 }).exact).toBe(true);
    },
  );

  it('can be probed for its recall, at an `nprobe` too', async () => {
    const probe = (more: object) => indexed.recall({ collection: 'items', field: 'lists', sample: 30, ...more });
    const [one, usual] = [await probe({ nprobe: 1 }), await probe({})];
    expect(one).toMatchObject({ queries: 30, exact: false });
    expect(one.recall).toBeLessThan(usual.recall);
    expect(usual.recall).toBeGreaterThanOrEqual(GOOD_RECALL);
  });

  it.each([0, 1.5, 65_537, '64'])('refuses nprobe %j', async (nprobe) => {
    const request: SearchRequest = { collection: 'items', field: 'lists', vector: QUERIES[0], nprobe: nprobe as never };
    expect(() => indexed.search(request)).toThrow(/nprobe: an integer from 1 to 65536/);
    await expect(indexed.recall({ collection: 'items', field: 'lists', nprobe: nprobe as never })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
    });
  });
});
