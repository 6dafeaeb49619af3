import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_ENTITY_BYTES, MAX_OP_BYTES } from '../limits.ts';
import { encodedOpBytes } from '../ops/record-codec.ts';
import { defineSchema } from '../schema/define-schema.ts';
import { f } from '../schema/fields.ts';
import { defaultSelectOf } from '../schema/lookup.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { entityBytes } from './entity-bytes.ts';
import { normalizePut } from './normalize.ts';
import { toPublic, toPublicEntity } from './public.ts';

const { rows } = defineSchema({
  rows: {
    key: f.primaryKey('int64'),
    text: f.text(),
    tag: f.keyword().nullable(),
    big: f.int64().nullable(),
    score: f.number().default(1),
    flag: f.boolean(),
    at: f.date().nullable(),
    data: f.json<unknown>(),
    ints: f.array(f.int64()).default([]),
    dense: f.vector(3).nullable(),
    sparse: f.sparseVector().nullable(),
    bits: f.binaryVector(16),
  },
}).definition.collections;

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const int64 = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const entities = fc.record(
  {
    key: int64,
    text,
    tag: fc.option(text),
    big: fc.option(int64),
    score: fc.double({ noNaN: true, noDefaultInfinity: true }),
    flag: fc.boolean(),
    at: fc.option(fc.date({ noInvalidDate: true })),
    data: fc.jsonValue(),
    ints: fc.array(int64, { maxLength: 5 }),
    dense: fc.option(fc.array(float, { minLength: 3, maxLength: 3 })),
    sparse: fc.option(fc.dictionary(fc.integer({ min: 0, max: 0xffffffff }).map(String), float, { maxKeys: 5 })),
    bits: fc.uint8Array({ minLength: 2, maxLength: 2 }),
  },
  { requiredKeys: ['key', 'text', 'flag', 'data', 'bits'] },
);
const normalize = (entity: unknown) => normalizePut(rows, 'rows', entity, { newKey: () => 'unused' });
const everything = rows.fields.map(({ name }) => name);

test('what is read back can be put again and is stored the same', () => {
  fc.assert(
    fc.property(entities, (entity) => {
      const { pk, fields } = normalize(entity);
      expect(Object.keys(fields).sort()).toEqual(everything.slice(1).sort());
      const read = toPublicEntity(rows, everything, pk, ({ name }) => fields[name]!);
      expect(normalize(read)).toStrictEqual({ pk, fields });
    }),
    propertyOptions(300),
  );
});

test('entityBytes is never less than what the op codec writes', () => {
  fc.assert(
    fc.property(entities, (entity) => {
      const { pk, fields } = normalize(entity);
      const written = encodedOpBytes({ type: 'put', pk, fields, create: true });
      expect(written).toBeGreaterThan(0);
      expect(entityBytes(pk, fields) + MAX_OP_BYTES - MAX_ENTITY_BYTES).toBeGreaterThanOrEqual(written);
      expect(entityBytes(pk, fields)).toBeLessThan(written + 24 * everything.length + 8 * (fields['ints'] as unknown[]).length);
    }),
    propertyOptions(300),
  );
});

test('dates, JSON and sparse vectors read as what was written', () => {
  const entity = {
    key: 1,
    text: 'x',
    flag: true,
    at: new Date(7),
    data: { b: [1, null], a: 'x' },
    sparse: { 9: 0.5, 3: 1 },
    bits: new Uint8Array(2),
  };
  const { pk, fields } = normalize(entity);
  expect(toPublicEntity(rows, Object.keys(entity), pk, ({ name }) => fields[name]!)).toEqual(entity);
});

test('an entity has its key and the selected fields, nothing else', () => {
  const { pk, fields } = normalize({ key: 1, text: 'x', flag: true, data: 1, bits: new Uint8Array(2) });
  expect(toPublicEntity(rows, ['text'], pk, ({ name }) => fields[name]!)).toEqual({ key: 1, text: 'x' });
  expect(Object.keys(toPublicEntity(rows, defaultSelectOf(rows), pk, ({ name }) => fields[name]!))).toEqual(defaultSelectOf(rows));
});

test('a collab document that never had content reads as an empty one', () => {
  const field = defineSchema({ a: { doc: f.collab() } }).definition.collections.a.fields[1]!;
  expect(toPublic(field, null)).toBe('{}');
});
