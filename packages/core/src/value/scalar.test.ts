import fc from 'fast-check';
import { encodeUtf8 } from 'lib0/string';
import { expect, test } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { normalizeInt64, utf8Length } from './scalar.ts';

test('equal 64-bit integers are the same value, and keep theirs', () => {
  fc.assert(
    fc.property(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt)), (value) => {
      const normal = normalizeInt64(value)!;
      expect(BigInt(normal)).toBe(value);
      expect(typeof normal).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
      expect(normalizeInt64(normal)).toBe(normal);
    }),
    propertyOptions(300),
  );
});

test.each([2n ** 63n, -(2n ** 63n) - 1n, 2 ** 53, 1.5, Number.NaN, '1', null, undefined, {}])('%s is no 64-bit integer', (value) => {
  expect(normalizeInt64(value)).toBeUndefined();
});

test('the UTF-8 length is that of the encoder', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Length(text)).toBe(encodeUtf8(text).length);
    }),
    propertyOptions(300),
  );
});

test.each(['\ud800', '\udc00', 'a\ud83dx', '\udc00\ud800', '😀\ud83d'])('a lone surrogate has no UTF-8 length (%j)', (text) => {
  expect(utf8Length(text)).toBe(-1);
});
