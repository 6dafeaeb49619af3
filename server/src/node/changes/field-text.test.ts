import { defineSchema, type FieldDefinition, f, fieldOf, type StoredValue, toPublic } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import { encodeJsonValue } from '@terndb/sync';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fieldText, keyText } from './field-text.ts';

const { definition } = defineSchema({
  all: {
    text: f.text().nullable(),
    keyword: f.keyword(),
    number: f.number(),
    int64: f.int64(),
    boolean: f.boolean(),
    date: f.date(),
    json: f.json(),
    keywords: f.array(f.int64()),
    floats: f.vector(3, { metric: 'L2' }),
    halves: f.vector(3, { metric: 'L2', elements: 'float16' }),
    bytes: f.vector(3, { metric: 'L2', elements: 'int8' }),
    wide: f.vector(5_000, { metric: 'L2' }),
    bits: f.binaryVector(16),
    sparse: f.sparseVector(),
    body: f.collabText(),
  },
});
const fieldNamed = (name: string): FieldDefinition => fieldOf(definition.collections.all, name)!;
const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const oddJson = fc.constantFrom('{"$date":1}', '{"\\u0024date":1}', '[1e999]', '{"a":\n{"$":1}}', `${'9'.repeat(400)}`, '{"__proto__":1}');
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const row = (length: number): fc.Arbitrary<Float32Array> =>
  fc.array(float, { minLength: length, maxLength: length }).map((numbers) => Float32Array.from(numbers));
const values: Readonly<Record<string, fc.Arbitrary<StoredValue>>> = {
  text: fc.option(fc.string({ unit: 'binary' })),
  keyword: fc.string(),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }),
  int64: integer,
  boolean: fc.boolean(),
  date: fc.date({ noInvalidDate: true }).map((date) => date.getTime()),
  json: fc.oneof(fc.json(), oddJson),
  keywords: fc.array(integer),
  floats: row(3),
  halves: fc.uint16Array({ minLength: 3, maxLength: 3, max: 0x7bff }),
  bytes: fc.int8Array({ minLength: 3, maxLength: 3 }),
  wide: row(5_000),
  bits: fc.uint8Array({ minLength: 2, maxLength: 2 }),
  sparse: fc.constant({ indices: Uint32Array.of(1, 7), values: Float32Array.of(0.5, 2) }),
  body: fc.option(fc.string()),
};

it.each(Object.keys(values))('writes a %s as JSON of its public value, in one line', (name) => {
  const field = fieldNamed(name);
  fc.assert(
    fc.property(values[name]!, (value) => {
      const text = fieldText(field, value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(encodeJsonValue(toPublic(field, value)))));
      expect(text).not.toMatch(/[\n\r]/);
    }),
    propertyOptions(name === 'wide' ? 3 : 100),
  );
});

it('writes a key of 64 bits exactly', () => {
  expect([keyText('a "b"'), keyText(7), keyText(2n ** 63n - 1n)]).toEqual(['"a \\"b\\""', '7', '{"$int64":"9223372036854775807"}']);
});
