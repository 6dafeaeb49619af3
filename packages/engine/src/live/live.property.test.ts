import type { PrimaryKey } from '@terndb/core';
import { ManualClock, propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QueryRequest, SearchRequest } from '../database/types.ts';
import { runQuery } from '../read/query.ts';
import { runSearch } from '../read/search.ts';
import { keysOf, NAMED, rowsOf } from '../read/testing/arbitraries.ts';
import { createLive, LIVE_INTERVAL_MS } from './live.ts';
import { ChangingCollection, type Edit } from './testing/changing-collection.ts';

const PARTITIONS = ['_default', 'p1'];
const partitions = fc.constantFrom(...PARTITIONS);
const keys = keysOf('varchar') as fc.Arbitrary<PrimaryKey>;
const edits: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ partition: partitions, row: rowsOf(NAMED, keys) })
      .map(({ partition, row }): Edit => ({ type: 'put', partition, key: row.key, fields: row.fields })),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('delete' as const), partition: partitions, key: keys }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('seal' as const), partition: partitions }) },
);
/** Batches of edits, each followed by some time. */
const histories = fc.array(fc.record({ batch: fc.array(edits, { maxLength: 4 }), waitMs: fc.integer({ min: 0, max: 40 }) }), {
  maxLength: 12,
});

const page = fc.record({ limit: fc.integer({ min: 1, max: 6 }), offset: fc.nat(4) });
const wheres = fc.constantFrom<unknown>(
  undefined,
  { sold: true },
  { price: { gte: 1 } },
  { not: { tag: 'a' } },
  { body: { match: 'tern' } },
);
const queryRequests: fc.Arbitrary<QueryRequest> = fc
  .record({
    page,
    where: wheres,
    orderBy: fc.constantFrom<unknown>(undefined, { field: 'price' }, [{ field: 'tag', order: 'desc' }, { field: 'big' }]),
    partitions: fc.constantFrom(undefined, ['p1']),
  })
  .map(({ page: paging, ...rest }) => ({ collection: 'items', ...paging, ...rest }));
const sources = fc.constantFrom<Partial<SearchRequest>>(
  { vector: [1, 0, 2], field: 'squared' },
  { vector: [1, 0, 2], field: 'cosine', minScore: 0.5 },
  { vector: [1, -1, 0], field: 'inner', range: { radius: 0, rangeFilter: 2 } },
  { vector: { 1: 1, 3: 0.5 }, field: 'terms' },
  { vector: Uint8Array.of(1, 3), field: 'hamming' },
  { like: 'a', field: 'squared' },
  { text: 'tern' },
  { text: 'sea wi' },
  { text: 'seal', field: 'title' },
  { text: 'tern', vector: [1, 0, 2], field: 'squared' },
);
const searchRequests: fc.Arbitrary<SearchRequest> = fc
  .record({
    page,
    where: wheres,
    source: sources,
    groupBy: fc.constantFrom<unknown>(undefined, undefined, { field: 'tag' }, { field: 'sold', size: 2 }),
  })
  .map(({ page: paging, source, where, groupBy }) => ({ collection: 'items', ...paging, where, groupBy, ...source }));

/** What a watcher was told last: a result, or an error's code. */
interface Told {
  value: unknown;
  count: number;
}

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** Follows a history and compares, whenever a frame has passed, what was told last with a fresh evaluation. */
function follow(
  history: readonly { readonly batch: readonly Edit[]; readonly waitMs: number }[],
  watch: (live: ReturnType<typeof createLive>, told: Told) => void,
  read: (collection: ChangingCollection) => unknown,
): number {
  const collection = new ChangingCollection(NAMED, PARTITIONS);
  const clock = new ManualClock();
  const live = createLive({ clock, onChange: collection.onChange, open: collection.pin });
  const told: Told = { value: undefined, count: 0 };
  watch(live, told);
  expect(told).toEqual({ value: outcome(() => read(collection)), count: 1 });
  for (const { batch, waitMs } of history) {
    collection.apply(batch);
    clock.advance(waitMs);
    if (waitMs >= LIVE_INTERVAL_MS) expect(told.value).toEqual(outcome(() => read(collection)));
  }
  clock.advance(LIVE_INTERVAL_MS);
  expect(told.value).toEqual(outcome(() => read(collection)));
  expect(collection.open).toBe(0);
  return told.count;
}

function teller(told: Told): [(result: unknown) => void, (error: { code: string }) => void] {
  const tell = (value: unknown) => {
    told.value = value;
    told.count++;
  };
  return [tell, (error) => tell(error.code)];
}

test('a live query has told the fresh result whenever a frame has passed, whatever changed', () => {
  let told = 0;
  fc.assert(
    fc.property(histories, queryRequests, (history, request) => {
      told += follow(
        history,
        (live, state) => live.watchQuery(request, ...teller(state)),
        (collection) => runQuery(collection.context(request.partitions), request),
      );
    }),
    propertyOptions(500),
  );
  expect(told).toBeGreaterThan(500);
});

test('a live search has told the fresh result whenever a frame has passed, whatever changed', () => {
  let told = 0;
  fc.assert(
    fc.property(histories, searchRequests, (history, request) => {
      told += follow(
        history,
        (live, state) => live.watchSearch(request, ...teller(state)),
        (collection) => runSearch(collection.context(), request),
      );
    }),
    propertyOptions(500),
  );
  expect(told).toBeGreaterThan(500);
});
