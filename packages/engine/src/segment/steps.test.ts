import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runAtOnce, sortInSteps } from './steps.ts';

it('sorting in steps sorts as sorting in one go does, earlier ones first among equals', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 3 }), fc.nat({ max: 6_000 }), (pattern, length) => {
      const items = Array.from({ length }, (_, at) => ({ at, key: (at * (pattern[at % 3] ?? 7919)) % 1_001 }));
      const order = (a: { key: number }, b: { key: number }): number => a.key - b.key;
      expect(runAtOnce(sortInSteps(items, order))).toEqual([...items].sort(order));
    }),
    propertyOptions(40),
  );
});
