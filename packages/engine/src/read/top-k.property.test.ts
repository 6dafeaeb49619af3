import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TopK } from './top-k.ts';

test('the heap keeps what a sort would put first, and its worst is the last of them', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.nat(12), (items, limit) => {
      const top = new TopK<number>(limit, (a, b) => a - b);
      for (const item of items) top.push(item);
      const expected = items.toSorted((a, b) => a - b).slice(0, limit);
      expect(top.sorted()).toEqual(expected);
      expect(top.full).toBe(items.length >= limit);
      expect(top.worst).toBe(top.full ? expected.at(-1) : undefined);
    }),
    propertyOptions(500),
  );
});
