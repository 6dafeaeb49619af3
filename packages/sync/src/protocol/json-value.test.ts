import type { JsonValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJsonValue, encodeJsonValue } from './json-value.ts';

const leaf = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.float32Array({ noNaN: true }),
  fc.int8Array(),
);
const key = fc.oneof(fc.string(), fc.constantFrom('$', '$date', '$int64', '__proto__', '$float32'));
const values = fc.letrec((tie) => ({
  value: fc.oneof(leaf, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true })),
})).value;

const overTheWire = (value: unknown): unknown => decodeJsonValue(JSON.parse(JSON.stringify(encodeJsonValue(value))) as JsonValue);

describe('values as JSON', () => {
  it('come back as they were, whatever the keys of their objects are', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(overTheWire(value)).toEqual(value);
      }),
      propertyOptions(500),
    );
  });

  it('have a readable form', () => {
    const value = { id: 2n ** 62n, at: new Date(0), vector: Float32Array.of(1), nothing: undefined, list: [undefined] };
    expect(encodeJsonValue(value)).toEqual({
      id: { $int64: '4611686018427387904' },
      at: { $date: '1970-01-01T00:00:00.000Z' },
      vector: { $float32: 'AACAPw==' },
      list: [null],
    });
  });

  it('are refused when a tag is unknown or holds something else', () => {
    for (const bad of [
      { $what: 'x' },
      { $int64: 'ten' },
      { $float32: 'AAA=' },
      { $bytes: '?' },
      { $int8: '?' },
      { $int64: 5 },
      { $: 'x' },
    ]) {
      expect(() => decodeJsonValue(bad)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    }
  });

  it('are refused beyond 128 levels, so that nobody makes a reader recurse', () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 5000; level++) deep = [deep];
    expect(() => decodeJsonValue(deep)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
    expect(() => encodeJsonValue(deep)).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
  });
});
