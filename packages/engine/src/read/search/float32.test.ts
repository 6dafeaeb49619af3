import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextFloat32Above } from './float32.ts';

test('the next float32 is above, is a float32, and none lies between', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true }), fc.float({ noNaN: true })), fc.float({ noNaN: true }), (x, other) => {
      const next = nextFloat32Above(x);
      if (x === Number.NEGATIVE_INFINITY || x >= 3.4028234663852886e38) return;
      expect(next).toBeGreaterThan(x);
      expect(Object.is(Math.fround(next), next)).toBe(true);
      expect(other > x && other < next).toBe(false);
      expect(Math.fround(x) > x ? Math.fround(x) : next).toBe(next);
    }),
    propertyOptions(2000),
  );
});

test.each([
  [0, 2 ** -149],
  [-(2 ** -149), 0],
  [1, 1 + 2 ** -23],
  [-1, -1 + 2 ** -24],
  [0.1, Math.fround(0.1)],
  [-1e300, -3.4028234663852886e38],
  [1e300, Number.POSITIVE_INFINITY],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
])('after %s comes %s', (x, next) => {
  expect(nextFloat32Above(x) + 0).toBe(next);
});
