import type { SparseValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runSearch } from '../read/search.ts';
import { NAMED } from '../read/testing/arbitraries.ts';
import { memoryBlock, memoryContext, memoryView } from '../read/testing/memory-view.ts';

function randomRows(seed: number, count: number) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, i) => {
    const indices = [...new Set(Array.from({ length: 8 }, () => Math.floor(uniform() ** 2 * 40)))].sort((a, b) => a - b);
    const terms: SparseValue = { indices: Uint32Array.from(indices), values: Float32Array.from(indices, () => uniform() * 3 - 1) };
    return { key: `k${String(i).padStart(5, '0')}`, fields: { terms: uniform() < 0.1 ? null : terms }, live: uniform() > 0.1 };
  });
}

const weights = fc.dictionary(fc.integer({ min: 0, max: 45 }).map(String), fc.constantFrom(-2, -0.5, 0.25, 1, 3), {
  minKeys: 1,
  maxKeys: 16,
});

test('an index by dimension finds what a scan finds, with the same scores to the last bit', () => {
  let hits = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 30 }),
      weights,
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(undefined, { radius: 0.5 }, { radius: -1, rangeFilter: 2 }),
      (seed, vector, limit, range) => {
        const rows = randomRows(seed, 1200);
        const search = (cacheKey: object | undefined) => {
          const view = memoryView(NAMED, [memoryBlock({ definition: NAMED, form: 'typed', rows, cacheKey })]);
          return runSearch(memoryContext(NAMED, [view]), { collection: 'items', vector, field: 'terms', limit, range, select: [] });
        };
        const indexed = search({});
        expect(indexed).toEqual(search(undefined));
        hits += indexed.hits.length;
      },
    ),
    propertyOptions(60),
  );
  expect(hits).toBeGreaterThan(0);
});
