import { comparePrimaryKeys } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runSearch } from '../search.ts';
import { NAMED, viewsOf } from '../testing/arbitraries.ts';
import { memoryContext } from '../testing/memory-view.ts';

test('a hybrid search that does not look at coverage scores a row by the sum of 1 / (60 + rank) over the two lists it is in', () => {
  let inBoth = 0;
  const vectors = fc.constantFrom([1, 0, 2], [-1, 0.5, 0], [0, 0, 0]);
  fc.assert(
    fc.property(
      viewsOf(NAMED),
      vectors,
      fc.constantFrom('tern', 'sea wind', 's'),
      fc.integer({ min: 1, max: 8 }),
      ({ view }, vector, text, limit) => {
        const context = memoryContext(NAMED, [view]);
        const request = { collection: 'items', limit: 100 };
        const lists = [runSearch(context, { ...request, vector, field: 'squared' }), runSearch(context, { ...request, text })];
        const scores = new Map<string, number>();
        for (const { hits } of lists) {
          hits.forEach(({ key }, index) => {
            if (scores.has(key as string)) inBoth++;
            scores.set(key as string, (scores.get(key as string) ?? 0) + 1 / (60 + index + 1));
          });
        }
        const expected = [...scores].sort(([a, x], [b, y]) => y - x || comparePrimaryKeys(a, b)).slice(0, limit);
        const { hits } = runSearch(context, {
          ...request,
          vector,
          field: 'squared',
          text,
          limit,
          fusion: { type: 'rrf', byCoverage: false },
        });
        expect(hits.map((hit) => [hit.key, hit.score])).toEqual(expected);
      },
    ),
    propertyOptions(500),
  );
  expect(inBoth).toBeGreaterThan(0);
});
