import fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { canonicalCopy } from './canonical-copy.ts';
import { canonicalJson, NotJson } from './canonical-json.ts';

test('equal JSON values have equal texts, whatever the order of their keys', () => {
  expect(canonicalJson({ b: [1, { d: null, c: true }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":true,"d":null}]}');
  expect(canonicalJson({ a: 'x', b: [1, { c: true, d: null }] })).toBe('{"a":"x","b":[1,{"c":true,"d":null}]}');
});

test('keys are ordered by code units, integers included', () => {
  expect(canonicalJson({ 10: 0, 9: 0, B: 0, a: 0, '': 0 })).toBe('{"":0,"10":0,"9":0,"B":0,"a":0}');
});

test('the text parses to the value, and its text is the same again', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = canonicalJson(value);
      expect(typeof text).toBe('string');
      const back: unknown = JSON.parse(text as string);
      expect(back).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(back)).toBe(text);
    }),
    propertyOptions(300),
  );
});

test('whatever is passed in gives a text or says where it is not JSON', () => {
  let refused = 0;
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withTypedArray: true,
        withSparseArray: true,
        withNullPrototype: true,
      }),
      (value) => {
        const text = canonicalJson(value);
        if (text instanceof NotJson) refused++;
        // The small form that pages carry takes and gives the same.
        expect(canonicalCopy(value)).toEqual(text instanceof NotJson ? undefined : JSON.parse(text));
      },
    ),
    propertyOptions(500),
  );
  expect(refused).toBeGreaterThan(0);
});
