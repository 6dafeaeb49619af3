import { defineSchema, f, type PrimaryKey } from '@terndb/core';
import { describe, expect, it } from 'vitest';
import { matchedBlocks } from '../query.ts';
import { memoryBlock, memoryContext, memoryView } from '../testing/memory-view.ts';
import { runAggregate } from './aggregates.ts';
import type { AggregateRequest } from './types.ts';

const { sales } = defineSchema({
  sales: {
    shop: f.keyword(),
    note: f.text({ search: true }).nullable(),
    pieces: f.int64().nullable(),
    price: f.number().nullable(),
    at: f.date().nullable(),
    labels: f.array(f.keyword()).nullable(),
  },
}).definition.collections;
type Row = Readonly<Record<string, string | number | bigint | null>>;

function aggregate(rows: readonly Row[], request: Omit<AggregateRequest, 'collection'>, form: 'typed' | 'values' = 'typed') {
  const given = rows.map((fields, at) => ({ key: `k${at}` as PrimaryKey, fields }));
  const context = memoryContext(sales, [memoryView(sales, [memoryBlock({ definition: sales, rows: given, form })])]);
  return runAggregate(context, { collection: 'sales', ...request }, { matched: matchedBlocks }).groups;
}
const refused = (request: object, rows: readonly Row[] = []): unknown => {
  try {
    return aggregate(rows, request);
  } catch (error) {
    return error;
  }
};

describe('aggregates', () => {
  it('of no row are 0 for counts and null for everything else, in one group; with a field to group by there is none', () => {
    const aggregates = { n: 'count', of: { count: 'price' }, sum: { sum: 'price' }, avg: { avg: 'pieces' }, min: { min: 'at' } };
    expect(aggregate([], { aggregates })).toEqual([{ n: 0, of: 0, sum: null, avg: null, min: null }]);
    expect(aggregate([], { aggregates, groupBy: 'shop' })).toEqual([]);
  });

  it('leave out nulls, and have them as one group', () => {
    const rows = [
      { shop: 'a', price: 2, pieces: null },
      { shop: 'a', price: null, pieces: null },
      { shop: 'b', price: 4, pieces: 7 },
    ];
    const aggregates = { n: 'count', prices: { count: 'price' }, avg: { avg: 'price' } };
    expect(aggregate(rows, { aggregates })).toEqual([{ n: 3, prices: 2, avg: 3 }]);
    expect(aggregate(rows, { aggregates: { n: 'count' }, groupBy: 'pieces' })).toEqual([
      { pieces: 7, n: 1 },
      { pieces: null, n: 2 },
    ]);
  });

  it('add int64 values up exactly, beyond 64 bits too, in segments as among growing rows', () => {
    const largest = 2n ** 63n - 1n;
    const rows = [
      { shop: 'a', pieces: largest },
      { shop: 'a', pieces: largest },
      { shop: 'b', pieces: -(2n ** 63n) },
      { shop: 'b', pieces: -1 },
    ];
    for (const form of ['typed', 'values'] as const) {
      expect(aggregate(rows, { aggregates: { sum: { sum: 'pieces' } }, groupBy: 'shop' }, form)).toEqual([
        { shop: 'a', sum: 2n * largest },
        { shop: 'b', sum: -(2n ** 63n) - 1n },
      ]);
      expect(aggregate(rows.slice(1), { aggregates: { sum: { sum: 'pieces' }, max: { max: 'pieces' } } }, form)).toEqual([
        { sum: -2, max: largest },
      ]);
    }
  });

  it('tell times as dates and group by several fields', () => {
    const rows = [
      { shop: 'a', at: 5 },
      { shop: 'a', at: 5 },
      { shop: 'b', at: 1 },
    ];
    expect(aggregate(rows, { aggregates: { n: 'count', last: { max: 'at' } }, groupBy: ['at', 'shop'] })).toEqual([
      { at: new Date(1), shop: 'b', n: 1, last: new Date(1) },
      { at: new Date(5), shop: 'a', n: 2, last: new Date(5) },
    ]);
  });

  it('filter first', () => {
    const rows = [{ shop: 'a' }, { shop: 'b' }, { shop: 'b' }];
    expect(aggregate(rows, { aggregates: { n: 'count' }, where: { shop: 'b' } })).toEqual([{ n: 2 }]);
    expect(refused({ aggregates: { n: 'count' }, filter: 'shop ==' })).toMatchObject({ code: 'FILTER_INVALID' });
  });

  it('give distinct values where nothing is asked of the groups', () => {
    expect(aggregate([{ shop: 'b' }, { shop: 'a' }, { shop: 'b' }], { groupBy: 'shop', limit: 1 })).toEqual([{ shop: 'a' }]);
  });

  it('refuse a sum that is no double', () => {
    const rows = [
      { shop: 'a', price: 1.7e308 },
      { shop: 'a', price: 1.7e308 },
    ];
    expect(refused({ aggregates: { s: { sum: 'price' } } }, rows)).toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('make no more groups than the limit', () => {
    const rows = Array.from({ length: 65_537 }, (_, at) => ({ shop: 'a', pieces: at }));
    expect(aggregate(rows.slice(1), { aggregates: { n: 'count' }, groupBy: 'pieces' })).toHaveLength(65_536);
    expect(refused({ groupBy: 'pieces' }, rows)).toMatchObject({ code: 'QUERY_INVALID', message: expect.stringContaining('65536 groups') });
    expect(refused({ groupBy: ['shop', 'pieces'] }, rows)).toMatchObject({ code: 'QUERY_INVALID' });
  });

  it('are refused by code where they cannot be', () => {
    const bad = [
      {},
      { aggregates: [] },
      { aggregates: { n: 'sum' } },
      { aggregates: { n: { median: 'price' } } },
      { aggregates: { n: { sum: 'price', avg: 'price' } } },
      { aggregates: { n: { sum: 'shop' } } },
      { aggregates: { n: { max: 'labels' } } },
      { aggregates: { n: { sum: 1 } } },
      { aggregates: { '': 'count' } },
      { aggregates: { shop: 'count' }, groupBy: 'shop' },
      { groupBy: 'labels' },
      { groupBy: ['shop', 'shop'] },
      { groupBy: Array.from({ length: 9 }, () => 'shop') },
      { aggregates: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`a${at}`, 'count'])) },
      { aggregates: { n: 'count' }, orderBy: { field: 'm' } },
      { aggregates: { n: 'count' }, orderBy: { field: 'n', order: 'up' } },
      { aggregates: { n: 'count' }, limit: 0 },
      { aggregates: { n: 'count' }, limit: 65_537 },
    ];
    for (const request of bad) expect(refused(request), JSON.stringify(request)).toMatchObject({ code: 'QUERY_INVALID' });
    expect(refused({ aggregates: { n: { sum: 'none' } } })).toMatchObject({ code: 'FIELD_UNKNOWN' });
    expect(refused({ groupBy: 'none' })).toMatchObject({ code: 'FIELD_UNKNOWN' });
    expect(refused({ aggregates: { n: 'count' }, scope: 'global' })).toMatchObject({ code: 'NOT_CONNECTED' });
  });
});
