import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Factors, pairsIn, pairsOf, pairwise } from './pairwise.ts';

const factors: fc.Arbitrary<Factors> = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 7 })
  .map((counts) => Object.fromEntries(counts.map((count, at) => [`f${at}`, Array.from({ length: count }, (_, value) => `v${value}`)])));

it('lets every two values of two factors meet, in far fewer rows than there are combinations', () => {
  fc.assert(
    fc.property(factors, (given) => {
      const rows = pairwise(given);
      expect(new Set(rows.flatMap(pairsIn))).toEqual(pairsOf(given));
      for (const row of rows) expect(Object.keys(row).sort()).toEqual(Object.keys(given).sort());
      expect(rows.length).toBeLessThanOrEqual(pairsOf(given).size);
      expect(pairwise(given)).toEqual(rows);
    }),
    propertyOptions(100),
  );
  const ten = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`f${at}`, ['a', 'b', 'c']]));
  expect(pairwise(ten).length).toBeLessThan(30);
});
