import { defineSchema, f } from '@terndb/core';
import { propertyOptions, seededRng } from '@terndb/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../database/open-engine.ts';
import type { Engine, SearchHit, SearchRequest } from '../../database/types.ts';
import { hnswKind } from '../../indexes/hnsw-kind.ts';
import { memoryPorts } from '../../testing/memory-ports.ts';

/** Above what the planner scans in any case. */
const SEALED = 8_000;
const REPLACED = 300;
const GROWING = 500;
const DIM = 24;
const SEED = 20;
const GOOD_RECALL = 0.95;

const { definition: schema } = defineSchema({
  items: {
    id: f.primaryKey('int64'),
    tag: f.keyword(),
    rank: f.number(),
    cosine: f.vector(DIM, { metric: 'COSINE' }),
    inner: f.vector(DIM, { metric: 'IP' }).nullable(),
    // More than a graph may have.
    squared: f.vector(DIM, { metric: 'L2', index: { m: 2_000, efConstruction: 250 } }),
    flat: f.vector(DIM, { metric: 'L2', index: { type: 'FLAT' } }),
  },
});
const FIELDS = ['cosine', 'inner', 'squared'] as const;

const rng = seededRng(SEED);
const gaussian = (): number => {
  let sum = 0;
  for (let i = 0; i < 6; i++) sum += rng.nextUint32() / 2 ** 32;
  return sum - 3;
};
const vector = (): Float32Array => Float32Array.from({ length: DIM }, gaussian);
const QUERIES = Array.from({ length: 60 }, vector);

function item(id: number) {
  const inner = id % 40 === 7 ? null : vector();
  const value = vector();
  return { id, tag: `t${id % 10}`, rank: id, cosine: vector(), inner, squared: value, flat: value };
}

let graphs: Engine;
let exact: Engine;

/** Both hold the same: sealed rows with graphs, of which some were replaced or deleted since, and growing rows. */
beforeAll(async () => {
  const entities = Array.from({ length: SEALED }, (_, id) => item(id));
  const replaced = Array.from({ length: REPLACED }, (_, index) => item(index * 20));
  const grown = Array.from({ length: GROWING }, (_, index) => item(SEALED + index));
  const fill = async (engine: Engine): Promise<Engine> => {
    engine.writeAll([{ type: 'put', collection: 'items', entities }]);
    await engine.flush();
    await engine.seal();
    await engine.buildIndexes();
    engine.writeAll([{ type: 'put', collection: 'items', entities: [...replaced, ...grown] }]);
    engine.write({ type: 'deleteBy', collection: 'items', where: { rank: { in: [1, 2, 3, 4_001, SEALED + 5] } } });
    await engine.flush();
    return engine;
  };
  const limits = { sealRows: 1e9, sealBytes: 1e12 };
  graphs = await fill(await openEngine({ ports: await memoryPorts(), schema, limits, indexKinds: [hnswKind(1_000)] }));
  exact = await fill(await openEngine({ ports: await memoryPorts(), schema, limits, indexKinds: [] }));
}, 60_000);
afterAll(async () => {
  await graphs.close();
  await exact.close();
});

const keys = (hits: readonly SearchHit[]): unknown[] => hits.map(({ key }) => key);

function recallOf(hits: readonly SearchHit[], truth: readonly SearchHit[]): number {
  const found = new Set(keys(hits));
  return truth.length === 0 ? 1 : truth.filter(({ key }) => found.has(key)).length / truth.length;
}

describe('a search of segments with graphs', () => {
  it('finds on random data nearly all of the best ten, for every metric, and says that it is not exact', () => {
    expect(graphs.inspect().partitions[0]!.segments.map(({ indexes }) => indexes)).toEqual([['cosine:hnsw', 'inner:hnsw', 'squared:hnsw']]);
    for (const field of FIELDS) {
      let recall = 0;
      for (const query of QUERIES) {
        const request: SearchRequest = { collection: 'items', field, vector: query, limit: 10, select: [] };
        const [found, truth] = [graphs.search(request), exact.search(request)];
        expect([found.exact, truth.exact]).toEqual([false, true]);
        recall += recallOf(found.hits, truth.hits) / QUERIES.length;
      }
      expect(recall).toBeGreaterThanOrEqual(GOOD_RECALL);
    }
  });

  it('gives exactly the hits of a scan when asked to be exact, whatever the filter, range, page or grouping', () => {
    let hits = 0;
    let approximate = 0;
    let recall = 0;
    let runs = 0;
    const rows = fc.record({
      field: fc.constantFrom(...FIELDS),
      query: fc.nat(QUERIES.length - 1),
      limit: fc.integer({ min: 1, max: 40 }),
      offset: fc.constantFrom(0, 0, 3, 17),
      share: fc.constantFrom(null, null, 7_500, 100, 0),
      grouped: fc.boolean(),
      minScore: fc.constantFrom(undefined, undefined, -20, 0.3),
      radius: fc.constantFrom(undefined, undefined, 'wide', 'ring'),
    });
    fc.assert(
      fc.property(rows, ({ field, query, limit, offset, share, grouped, minScore, radius }) => {
        const inner = field === 'squared' ? { radius: 40, rangeFilter: 15 } : { radius: 0.2, rangeFilter: 0.5 };
        const request: SearchRequest = {
          collection: 'items',
          field,
          vector: QUERIES[query],
          limit,
          offset,
          ...(share === null ? {} : { where: { rank: { lt: share } } }),
          ...(grouped ? { groupBy: { field: 'tag', size: 2 } } : {}),
          ...(minScore === undefined ? {} : { minScore }),
          ...(radius === undefined ? {} : { range: radius === 'wide' ? { radius: inner.radius } : inner }),
        };
        const truth = exact.search(request);
        const asked = graphs.search({ ...request, exact: true });
        expect(asked).toEqual({ ...truth, token: asked.token });
        const found = graphs.search(request);
        if (!found.exact) approximate++;
        else expect(found.hits).toEqual(truth.hits);
        // Neither fewer nor others than may be: masked rows and rows that the filter refuses never come.
        if (radius === undefined && minScore === undefined && !grouped) expect(found.hits).toHaveLength(truth.hits.length);
        const all = exact.search({ ...request, limit: 10_000, offset: 0, groupBy: undefined });
        const scores = new Map(all.hits.map(({ key, score }) => [key, score]));
        for (const { key, score } of found.hits) expect(scores.get(key)).toBe(score);
        expect(new Set(keys(found.hits)).size).toBe(found.hits.length);
        for (const [index, hit] of found.hits.entries())
          if (!grouped && index > 0) expect(hit.score).toBeLessThanOrEqual(found.hits[index - 1]!.score);
        recall += recallOf(found.hits, truth.hits);
        hits += found.hits.length;
        runs++;
      }),
      propertyOptions(150),
    );
    expect(hits).toBeGreaterThan(100);
    expect(approximate).toBeGreaterThan(10);
    expect(recall / runs).toBeGreaterThanOrEqual(GOOD_RECALL);
  });

  it('scans, and is exact, where few rows pass, many hits are wanted or the range has an inner bound', () => {
    const search = (more: Partial<SearchRequest>): boolean =>
      graphs.search({ collection: 'items', field: 'squared', vector: QUERIES[0], limit: 10, ...more }).exact;
    expect(search({})).toBe(false);
    expect(search({ where: { tag: 't3' } })).toBe(true);
    expect(search({ limit: 2_000 })).toBe(true);
    expect(search({ range: { radius: 60, rangeFilter: 10 } })).toBe(true);
    expect(search({ exact: true })).toBe(true);
    expect(search({ field: 'flat' })).toBe(true);
  });

  it('finds rows written after the graph at once, and a replaced row only as it is now', () => {
    const request: SearchRequest = { collection: 'items', field: 'squared', limit: 1 };
    const like = (key: number) => graphs.query({ collection: 'items', where: { id: key }, select: ['squared'] }).entities[0]!['squared'];
    for (const key of [0, 20, SEALED + 1, 11]) {
      const [hit] = graphs.search({ ...request, vector: like(key) }).hits;
      expect([hit!.key, hit!.score]).toEqual([key, 0]);
    }
    const deleted = exact.search({ collection: 'items', field: 'squared', vector: QUERIES[0], limit: 10_000, exact: true });
    expect(keys(deleted.hits)).not.toContain(4_001);
  });

  it('refuses `exact` that is not a boolean', () => {
    expect(() => graphs.search({ collection: 'items', field: 'flat', vector: QUERIES[0], exact: 'yes' as never })).toThrow(
      /exact: true or false/,
    );
  });

  it('finds more with a larger `ef`, less with a smaller one, and is exact where `ef` is worth a scan', () => {
    const recall = (more: Partial<SearchRequest>): number => {
      let sum = 0;
      for (const vector of QUERIES) {
        const request: SearchRequest = { collection: 'items', field: 'cosine', vector, limit: 10, select: [] };
        sum += recallOf(graphs.search({ ...request, ...more }).hits, exact.search(request).hits) / QUERIES.length;
      }
      return sum;
    };
    const [small, usual, large] = [recall({ ef: 10 }), recall({}), recall({ ef: 500 })];
    expect(small).toBeLessThan(usual);
    expect(large).toBeGreaterThanOrEqual(usual);
    expect(large).toBeGreaterThan(0.99);
    const request: SearchRequest = { collection: 'items', field: 'cosine', vector: QUERIES[0], limit: 10 };
    expect(graphs.search({ ...request, ef: 16_384 }).exact).toBe(true);
    expect(graphs.search({ ...request, ef: 10, exact: true })).toMatchObject({ exact: true });
    // Fewer candidates than hits are never kept.
    expect(graphs.search({ ...request, ef: 1, limit: 40 }).hits).toHaveLength(40);
  });

  it.each([0, 1.5, 16_385, '64', Number.NaN])('refuses ef %j', async (ef) => {
    const request: SearchRequest = { collection: 'items', field: 'cosine', vector: QUERIES[0], ef: ef as never };
    expect(() => graphs.search(request)).toThrow(/ef: an integer from 1 to 16384/);
    await expect(graphs.recall({ collection: 'items', field: 'cosine', ef: ef as never })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('can be probed for its recall at an `ef`', async () => {
    const probe = (ef: number) => graphs.recall({ collection: 'items', field: 'cosine', sample: 40, ef });
    const [small, large] = [await probe(10), await probe(500)];
    expect(small.recall).toBeLessThan(large.recall);
    expect(large.recall).toBeGreaterThan(0.99);
  });

  it('can be probed for its recall', async () => {
    const probed = await graphs.recall({ collection: 'items', field: 'squared', sample: 40 });
    expect(probed).toMatchObject({ queries: 40, limit: 10, exact: false });
    expect(probed.recall).toBeGreaterThanOrEqual(GOOD_RECALL);
    expect(probed.recall).toBeLessThanOrEqual(1);
    expect(await exact.recall({ collection: 'items', field: 'squared', sample: 7, limit: 3 })).toMatchObject({
      recall: 1,
      queries: 7,
      exact: true,
    });
    await expect(graphs.recall({ collection: 'items' })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(graphs.recall({ collection: 'items', field: 'tag' })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
    await expect(graphs.recall({ collection: 'items', field: 'inner', sample: 0 })).rejects.toMatchObject({ code: 'QUERY_INVALID' });
  });
});
