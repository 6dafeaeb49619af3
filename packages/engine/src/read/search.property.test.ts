import { comparePrimaryKeys, type FilterNode, type SparseValue, type StoredValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadContext } from './context.ts';
import type { Page } from './request.ts';
import type { SearchPlan } from './search/plan.ts';
import type { VectorQuery } from './search/query-vector.ts';
import { NO_BOUNDS, passesBounds, type ScoreBounds } from './search/ranking.ts';
import { searchResult, searchWindow } from './search.ts';
import { binaryVectors, denseVectors, filtersOf, NAMED, sparseVectors, viewsOf } from './testing/arbitraries.ts';
import { vectorScore } from './testing/flat-vectors.ts';
import { memoryContext } from './testing/memory-view.ts';
import { names, type OracleRow, oracleRows } from './testing/oracle.ts';

const runs = propertyOptions(500);

/** A query in one space. */
type OneQuery = Exclude<VectorQuery, { kind: 'spaces' }>;
const queries: fc.Arbitrary<OneQuery> = fc.oneof(
  denseVectors.map((query): OneQuery => ({ kind: 'dense', field: 'cosine', metric: 'COSINE', query })),
  denseVectors.map((query): OneQuery => ({ kind: 'dense', field: 'inner', metric: 'IP', query })),
  denseVectors.map((query): OneQuery => ({ kind: 'dense', field: 'squared', metric: 'L2', query })),
  sparseVectors.map((query): OneQuery => ({ kind: 'sparse', field: 'terms', query })),
  binaryVectors.map((query): OneQuery => ({ kind: 'binary', field: 'hamming', metric: 'HAMMING', query })),
  binaryVectors.map((query): OneQuery => ({ kind: 'binary', field: 'jaccard', metric: 'JACCARD', query })),
);
// Scores that occur, so that bounds fall on ties, and some that no float32 holds.
const limits = fc.constantFrom(-16, -8, -5, -2, -1, -0.5, 0, 0.1, 0.5, 2 / 3, 1, 2, 3);
const bounds: fc.Arbitrary<ScoreBounds> = fc.oneof(
  fc.constant(NO_BOUNDS),
  fc.record({
    atLeast: fc.constantFrom(-Infinity, -2, 0.1),
    above: fc.oneof(fc.constant(-Infinity), limits),
    atMost: fc.oneof(fc.constant(Infinity), limits),
  }),
);
// Most rows are worth keeping: ties at the boundary need several.
const filters = fc.oneof({ weight: 2, arbitrary: fc.constant<FilterNode>({ type: 'true' }) }, { weight: 1, arbitrary: filtersOf(NAMED) });
const pages = fc.record({ offset: fc.nat(5), limit: fc.integer({ min: 1, max: 8 }) });
const contexts = fc.array(viewsOf(NAMED), { minLength: 1, maxLength: 3 }).map((views) =>
  memoryContext(
    NAMED,
    views.map(({ view }) => view),
  ),
);

interface OracleHit extends OracleRow {
  readonly score: number;
}

function oracleScore(query: OneQuery, value: StoredValue): number | undefined {
  if (value === null) return undefined;
  if (query.kind === 'dense') return vectorScore(query.metric, query.query, value as Float32Array) + 0;
  if (query.kind === 'sparse') return oracleInnerProduct(query.query, value as SparseValue);
  const bits = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const [a, b] = [bits(query.query), bits(value as Uint8Array)];
  const pairs = Array.from(a, (bit, i) => bit + b[i]);
  if (query.metric === 'HAMMING') return 0 - pairs.filter((pair) => pair === '01' || pair === '10').length;
  const either = pairs.filter((pair) => pair !== '00').length;
  const both = pairs.filter((pair) => pair === '11').length;
  return either === 0 ? 0 : 0 - Math.fround((either - both) / either);
}

function oracleInnerProduct(a: SparseValue, b: SparseValue): number | undefined {
  const shared = [...b.indices].filter((index) => a.indices.includes(index));
  if (shared.length === 0) return undefined;
  return shared.reduce((sum, index) => sum + a.values[a.indices.indexOf(index)]! * b.values[b.indices.indexOf(index)]!, 0) + 0;
}

function oracleHits(context: ReadContext, node: FilterNode, query: OneQuery, range: ScoreBounds): OracleHit[] {
  return oracleRows(context, node)
    .flatMap((row) => {
      const score = oracleScore(query, row.read(query.field));
      return score === undefined || !passesBounds(score, range) ? [] : [{ ...row, score }];
    })
    .sort((a, b) => b.score - a.score || comparePrimaryKeys(a.key, b.key) || a.partition - b.partition);
}

function planOf(query: VectorQuery, node: FilterNode, page: Page, range: ScoreBounds): SearchPlan {
  const { atLeast, ...rest } = range;
  return {
    source: { type: 'vector', query },
    node,
    page,
    select: { fields: ['id'] },
    minScore: atLeast,
    range: { ...rest, atLeast: -Infinity },
    grouping: undefined,
    fusion: { fusion: { type: 'rrf', k: 60, byCoverage: true }, weights: {} },
    rerank: [],
    highlight: undefined,
    degraded: null,
    exact: false,
    effort: { ef: undefined, nprobe: undefined },
  };
}

test('a vector search gives the page of all passing rows by score, then key, then partition, for every metric and range', () => {
  let hits = 0;
  let ties = 0;
  fc.assert(
    fc.property(contexts, filters, queries, pages, bounds, (context, node, query, page, range) => {
      const expected = oracleHits(context, node, query, range).slice(page.offset, page.offset + page.limit);
      const plan = planOf(query, node, page, range);
      const window = searchWindow(context, plan);
      expect(names(window.groups.slice(page.offset).flat())).toEqual(names(expected));
      const result = searchResult(context, plan, window);
      expect(result.hits.map((hit) => hit.score)).toEqual(expected.map((row) => row.score));
      expect(result.hits.map((hit) => hit.entity)).toEqual(expected.map((row) => ({ id: row.key })));
      hits += expected.length;
      ties += expected.filter((row, i) => i > 0 && row.score === expected[i - 1]!.score).length;
    }),
    runs,
  );
  expect(hits).toBeGreaterThan(0);
  expect(ties).toBeGreaterThan(0);
});

test('grouping gives the first groups by their best hit, each with its best hits, whatever shares a group', () => {
  let groups = 0;
  const grouping = fc.record({ field: fc.constantFrom('tag', 'big', 'sold'), size: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(contexts, filters, queries, pages, bounds, grouping, (context, node, query, page, range, group) => {
      const byValue = new Map<StoredValue, OracleHit[]>();
      for (const hit of oracleHits(context, node, query, range))
        byValue.set(hit.read(group.field), [...(byValue.get(hit.read(group.field)) ?? []), hit]);
      const expected = [...byValue.values()].slice(page.offset, page.offset + page.limit).flatMap((hits) => hits.slice(0, group.size));
      const plan: SearchPlan = { ...planOf(query, node, page, range), grouping: group };
      expect(names(searchWindow(context, plan).groups.slice(page.offset).flat())).toEqual(names(expected));
      groups += expected.length;
    }),
    runs,
  );
  expect(groups).toBeGreaterThan(0);
});

test('a search like a stored entity gives what its vector gives, without itself', () => {
  let hits = 0;
  fc.assert(
    fc.property(contexts, filters, pages, fc.nat(12), (context, node, page, pick) => {
      const withVector = oracleRows(context, { type: 'true' }).filter((row) => row.read('squared') !== null);
      const like = withVector[pick];
      fc.pre(like !== undefined);
      // Of a key that several partitions hold, the first that has it is meant.
      fc.pre(context.partitions.findIndex(({ view }) => view.find(like.key) !== undefined) === like.partition);
      const query: VectorQuery = { kind: 'dense', field: 'squared', metric: 'L2', query: like.read('squared') as Float32Array };
      const others = oracleHits(context, node, query, NO_BOUNDS).filter((row) => row.key !== like.key || row.partition !== like.partition);
      const field = NAMED.fields.find((candidate) => candidate.name === 'squared')!;
      if (field.type !== 'vector') throw new Error('squared is a vector');
      const plan: SearchPlan = { ...planOf(query, node, page, NO_BOUNDS), source: { type: 'like', field, key: like.key } };
      const expected = others.slice(page.offset, page.offset + page.limit);
      expect(names(searchWindow(context, plan).groups.slice(page.offset).flat())).toEqual(names(expected));
      hits += expected.length;
    }),
    propertyOptions(200),
  );
  expect(hits).toBeGreaterThan(0);
});
