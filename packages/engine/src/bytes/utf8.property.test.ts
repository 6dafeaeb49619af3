import { utf8Encode } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8, decodeUtf8, encodeUtf8Into, utf8Bound } from './utf8.ts';

/** All planes, and often the places where UTF-8 and UTF-16 order differently. */
const unit = fc.oneof(
  fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
  fc.string({ unit: 'binary', maxLength: 2 }),
);
const text = fc.array(unit, { maxLength: 20 }).map((parts) => parts.join(''));

describe('utf-8', () => {
  it('is written as the platform writes it, a lone surrogate as U+FFFD, inside its bound', () => {
    const units = fc.array(fc.integer({ min: 0xd700, max: 0xe100 }), { maxLength: 10 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(fc.oneof(text, units), (value) => {
        const target = new Uint8Array(utf8Bound(value) + 1);
        const written = encodeUtf8Into(value, target, 1);
        expect(target.slice(1, 1 + written)).toEqual(utf8Encode(value));
      }),
      propertyOptions(300),
    );
  });

  it('is read back from inside a buffer', () => {
    fc.assert(
      fc.property(text, (value) => {
        const bytes = utf8Encode(`x${value}y`);
        expect(decodeUtf8(bytes, 1, bytes.length - 1)).toBe(value);
      }),
      propertyOptions(300),
    );
  });

  it('compares as the strings do, by UTF-16 code units', () => {
    fc.assert(
      fc.property(text, text, text, (shared, a, b) => {
        const x = utf8Encode(shared + a);
        const y = utf8Encode(shared + b);
        const wanted = shared + a < shared + b ? -1 : shared + a > shared + b ? 1 : 0;
        expect(Math.sign(compareUtf8(x, 0, x.length, y, 0, y.length))).toBe(wanted);
      }),
      propertyOptions(500),
    );
  });
});
