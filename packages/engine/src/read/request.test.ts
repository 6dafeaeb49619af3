import { DbError, defineSchema, f } from '@terndb/core';
import { describe, expect, test } from 'vitest';
import type { QueryRequest, SearchRequest } from '../database/types.ts';
import { runGet } from './get.ts';
import { runCount, runQuery } from './query.ts';
import { runSearch } from './search.ts';
import { NAMED, NUMBERED } from './testing/arbitraries.ts';
import { memoryBlock, memoryContext, memoryView } from './testing/memory-view.ts';

const rows = ['a', 'b', 'c'].map((key, i) => ({
  key,
  version: i + 1,
  fields: { price: i, body: 'tern', squared: Float32Array.of(i, 0, 0), at: 0, stars: 1 },
}));
const context = memoryContext(NAMED, [memoryView(NAMED, [memoryBlock({ definition: NAMED, rows, form: 'typed' })])]);

function failure(act: () => unknown): DbError {
  try {
    act();
  } catch (error) {
    if (error instanceof DbError) return error;
    throw error;
  }
  throw new Error('no error');
}
const query = (request: object) => runQuery(context, { collection: 'items', ...request } as QueryRequest);
const search = (request: object) => runSearch(context, { collection: 'items', ...request } as SearchRequest);
const vector = { vector: [1, 2, 3], field: 'squared' };

describe('a filter in the filter language', () => {
  const keys = (request: object) => query(request).keys;

  test('narrows a query, a count and a search, with templates, and beside a where', () => {
    expect(keys({ filter: 'price >= 1' })).toEqual(['b', 'c']);
    expect(keys({ filter: 'price in {prices}', filterParams: { prices: [0, 2] } })).toEqual(['a', 'c']);
    expect(keys({ filter: 'price >= 1', where: { price: { lt: 2 } } })).toEqual(['b']);
    expect(keys({ filter: ' ' })).toEqual(['a', 'b', 'c']);
    expect(runCount(context, { collection: 'items', filter: 'price * 2 == 4' }).count).toBe(1);
    expect(search({ ...vector, filter: 'price != stars' }).hits.map((hit) => hit.key)).toEqual(['a', 'c']);
  });

  test('says where it is wrong', () => {
    const error = failure(() => query({ filter: 'price > "1"' }));
    expect(error.code).toBe('FILTER_INVALID');
    expect(error.message).toBe('filter at 8: number for price (number) expected, got string "1"');
    expect(error.details).toMatchObject({ collection: 'items', offset: 8 });
    expect(failure(() => query({ filter: 5 })).message).toBe('filter at 0: string expected, got number 5');
    expect(failure(() => query({ filter: 'price > 1', filterParams: [] })).message).toContain('object as filterParams');
  });
});

describe('a bad request is an error that names the option, what it takes and what it got', () => {
  test.each<[string, object, string, string]>([
    ['limit', { limit: 0 }, 'QUERY_INVALID', 'items: limit: an integer from 1 to 16384 expected, got 0'],
    ['limit', { limit: 2.5 }, 'QUERY_INVALID', 'got 2.5'],
    ['limit', { limit: Number.NaN }, 'QUERY_INVALID', 'got NaN'],
    ['offset', { offset: -1 }, 'QUERY_INVALID', 'items: offset: an integer from 0 to 16384 expected, got -1'],
    ['offset + limit', { offset: 16_000, limit: 385 }, 'QUERY_INVALID', 'items: offset + limit: at most 16384 expected, got 16385'],
    ['select', { select: 'price' }, 'QUERY_INVALID', 'select: an array of field names expected, got "price"'],
    ['select', { select: ['pric'] }, 'FIELD_UNKNOWN', 'got "pric"'],
    ['orderBy', { orderBy: 'price' }, 'QUERY_INVALID', 'orderBy: { field, order? } expected, got "price"'],
    ['orderBy.order', { orderBy: { field: 'price', order: 'up' } }, 'QUERY_INVALID', `orderBy.order: 'asc' or 'desc' expected, got "up"`],
    ['orderBy', { orderBy: { field: 'pric' } }, 'FIELD_UNKNOWN', 'got "pric"'],
    ['orderBy.field body', { orderBy: [{ field: 'body' }] }, 'QUERY_INVALID', 'got "text"'],
    ['scope', { scope: 'near' }, 'QUERY_INVALID', `'local', 'global' or 'hybrid' expected, got "near"`],
    ['consistency', { consistency: 'soon' }, 'QUERY_INVALID', 'got "soon"'],
    ['consistency', { consistency: { maxStalenessMs: '1' } }, 'QUERY_INVALID', 'got Object'],
  ])('query, %s: %j', (option, request, code, message) => {
    const error = failure(() => query(request));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.details['option']).toBe(option);
  });

  test.each<[string, object, string, string]>([
    ['search', {}, 'QUERY_INVALID', `one of 'text', 'vector' and 'like' expected`],
    ['text', { text: 5 }, 'QUERY_INVALID', 'text: a string expected, got 5'],
    ['text', { text: 'x'.repeat(70_000) }, 'QUERY_INVALID', 'at most 65536 bytes'],
    ['like', { like: 'a', vector: [1, 2, 3], field: 'squared' }, 'QUERY_INVALID', `no 'vector' or 'text' beside it`],
    ['like', { like: 'nobody', field: 'squared' }, 'QUERY_INVALID', 'nobody'],
    ['like', { like: 'a', field: 'inner' }, 'QUERY_INVALID', 'entity a has no vector in inner'],
    [
      'field',
      { vector: [1, 2, 3] },
      'QUERY_INVALID',
      'one of the vector fields cosine, hamming, inner, jaccard, squared, terms expected, got nothing',
    ],
    ['field', { vector: [1, 2, 3], field: 'sqared' }, 'FIELD_UNKNOWN', 'got "sqared"'],
    ['field price', { vector: [1, 2, 3], field: 'price' }, 'QUERY_INVALID', 'a vector field expected, got "number"'],
    ['field', { text: 'x', field: 'price' }, 'QUERY_INVALID', 'a searchable text'],
    ['vector', { vector: [1, 2, 'x'], field: 'squared' }, 'QUERY_INVALID', 'string "x" at 2'],
    ['vector', { vector: [1, 2, Number.NaN], field: 'squared' }, 'QUERY_INVALID', 'NaN at 2'],
    ['vector', { vector: [1, 2], field: 'squared' }, 'DIMENSION_MISMATCH', 'dim 3 expected, got 2'],
    ['vector', { vector: new Uint8Array(3), field: 'hamming' }, 'DIMENSION_MISMATCH', 'dim 16 (2 bytes) expected, got 24'],
    ['mode', { text: 'x', mode: 'fuzzy' }, 'QUERY_INVALID', 'got "fuzzy"'],
    ['mode', { text: 'x', mode: 'semantic' }, 'QUERY_INVALID', `'keyword' in a collection without embedded fields`],
    ['mode', { ...vector, mode: 'keyword' }, 'QUERY_INVALID', `a 'text' beside it`],
    ['minScore', { ...vector, minScore: '1' }, 'QUERY_INVALID', 'a finite number expected, got "1"'],
    ['range', { text: 'x', range: { radius: 1 } }, 'QUERY_INVALID', `a 'vector' or 'like' beside it`],
    ['range.radius', { ...vector, range: {} }, 'QUERY_INVALID', 'range.radius: a finite number expected, got nothing'],
    ['range.rangeFilter', { ...vector, range: { radius: 1, rangeFilter: 1 } }, 'QUERY_INVALID', 'less than the radius 1 expected, got 1'],
    [
      'range.rangeFilter',
      { vector: [1, 2, 3], field: 'cosine', range: { radius: 1, rangeFilter: 0.5 } },
      'QUERY_INVALID',
      'more than the radius 1',
    ],
    ['groupBy', { ...vector, groupBy: 'tag' }, 'QUERY_INVALID', '{ field, size? } expected, got "tag"'],
    ['groupBy.field price', { ...vector, groupBy: { field: 'price' } }, 'QUERY_INVALID', 'keyword, int64, boolean'],
    ['groupBy.size', { ...vector, groupBy: { field: 'tag', size: 0 } }, 'QUERY_INVALID', 'an integer from 1 to 10 expected, got 0'],
  ])('search, %s: %j', (option, request, code, message) => {
    const error = failure(() => search(request));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.details['option']).toBe(option);
  });

  test('a key of the wrong kind', () => {
    expect(failure(() => runGet(context, { collection: 'items', keys: [7] })).code).toBe('KEY_INVALID');
    expect(failure(() => search({ like: 7, field: 'squared' })).code).toBe('KEY_INVALID');
  });
});

describe('what needs a server', () => {
  test.each([
    { scope: 'global' },
    { scope: 'hybrid' },
    { consistency: 'strong' },
    { consistency: 'bounded' },
    { consistency: { maxStalenessMs: 5 } },
  ])('is NOT_CONNECTED on every read: %j', (options) => {
    const request = { collection: 'items', ...options };
    for (const read of [
      () => runQuery(context, request),
      () => runCount(context, request),
      () => runGet(context, { ...request, keys: ['a'] }),
      () => runSearch(context, { ...request, ...vector }),
    ])
      expect(failure(read).code).toBe('NOT_CONNECTED');
  });

  test.each([{}, { scope: 'local' }, { consistency: 'session' }, { consistency: 'eventually' }, { consistency: { atLeast: 'token' } }])(
    'is not this: %j',
    (options) => {
      expect(runCount(context, { collection: 'items', ...options }).count).toBe(3);
    },
  );
});

describe('entities', () => {
  test('come without vectors unless selected, as public values, with the key always', () => {
    const [first] = query({ limit: 1 }).entities;
    expect(first).toMatchObject({ id: 'a', price: 0, at: new Date(0), tag: null });
    expect(Object.keys(first!)).not.toContain('squared');
    expect(query({ limit: 1, select: ['squared'] }).entities).toEqual([{ id: 'a', squared: Float32Array.of(0, 0, 0) }]);
    expect(query({ limit: 1, select: [] }).entities).toEqual([{ id: 'a' }]);
    expect(search({ ...vector, limit: 1, select: ['id', 'price', 'price'] }).hits[0]!.entity).toEqual({ id: 'b', price: 1 });
  });

  test('are got in the order of the keys, undefined for absent ones, from the first partition that has them', () => {
    const other = memoryView(NUMBERED, [
      memoryBlock({
        definition: NUMBERED,
        form: 'values',
        rows: [
          { key: 1, fields: { price: 10 } },
          { key: 2n ** 60n, fields: {} },
        ],
      }),
    ]);
    const first = memoryView(NUMBERED, [
      memoryBlock({
        definition: NUMBERED,
        form: 'typed',
        rows: [
          { key: 1, fields: { price: 1 } },
          { key: 3, fields: {} },
        ],
      }),
    ]);
    const { entities } = runGet(memoryContext(NUMBERED, [first, other]), {
      collection: 'items',
      keys: [2n ** 60n, 4, 1n, 1],
      select: ['price'],
    });
    expect(entities).toEqual([{ id: 2n ** 60n, price: null }, undefined, { id: 1, price: 1 }, { id: 1, price: 1 }]);
  });

  test('carry versions and keys, and pending where the log has not confirmed them', () => {
    const pending = { ...context, isPending: (_partition: string, key: unknown) => key === 'b' };
    const result = runQuery(pending, { collection: 'items' });
    expect([result.keys, result.versions, result.pendingKeys]).toEqual([['a', 'b', 'c'], [1, 2, 3], ['b']]);
    const { hits } = runSearch(pending, { collection: 'items', ...vector });
    expect(hits.map((hit) => [hit.key, hit.pending, hit.version, hit.from])).toEqual([
      ['b', true, 2, 'local'],
      ['a', false, 1, 'local'],
      ['c', false, 3, 'local'],
    ]);
  });
});

describe('a text search where the schema embeds text and no embedder is loaded', () => {
  const schema = defineSchema({
    notes: { title: f.text({ search: true }), vec: f.vector({ embed: ['title'] }) },
    embeddedOnly: { title: f.text(), vec: f.vector({ embed: ['title'] }) },
  });
  const { notes, embeddedOnly } = schema.definition.collections;
  const notesContext = memoryContext(notes, [
    memoryView(notes, [memoryBlock({ definition: notes, form: 'values', rows: [{ key: 'a', fields: { title: 'tern' } }] })]),
  ]);
  const text = (request: object) => runSearch(notesContext, { collection: 'notes', text: 'tern', ...request });

  test.each([{}, { mode: 'hybrid' }, { fusion: { type: 'weighted', weights: { vec: 2 } } }])(
    'answers with keywords and says so: %j',
    (request) => {
      const { hits, degraded } = text(request);
      expect([hits.map((hit) => hit.key), degraded]).toEqual([['a'], 'embedder-loading']);
    },
  );

  test.each([{ mode: 'keyword' }, { field: 'title' }])('is whole where keywords were asked for: %j', (request) => {
    expect(text(request).degraded).toBeNull();
  });

  test.each([{ mode: 'semantic' }, { field: 'vec' }])('is refused where only meaning was asked for: %j', (request) => {
    expect(failure(() => text(request)).code).toBe('EMBEDDER_UNAVAILABLE');
    const only = memoryContext(embeddedOnly, []);
    expect(failure(() => runSearch(only, { collection: 'embeddedOnly', text: 'tern' })).code).toBe('EMBEDDER_UNAVAILABLE');
  });

  test('a query vector of another length than the model gave is refused when it meets one', () => {
    const vectors = memoryContext(notes, [
      memoryView(notes, [
        memoryBlock({
          definition: notes,
          form: 'values',
          dims: { vec: 2 },
          rows: [{ key: 'a', fields: { title: 'tern', vec: Float32Array.of(1, 0) } }],
        }),
      ]),
    ]);
    expect(runSearch(vectors, { collection: 'notes', vector: [1, 1] }).hits).toHaveLength(1);
    expect(failure(() => runSearch(vectors, { collection: 'notes', vector: [1, 1, 1] })).code).toBe('DIMENSION_MISMATCH');
  });

  test('what the facade knows about the read comes first', () => {
    const behind = { ...notesContext, info: { ...notesContext.info, degraded: 'behind-token' as const } };
    expect(runSearch(behind, { collection: 'notes', text: 'tern' }).degraded).toBe('behind-token');
  });
});
