import fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { defineSchema, schemaFromDefinition } from './define-schema.ts';
import type { SchemaDefinition } from './definition.ts';
import { f } from './fields.ts';
import { schemaHash } from './hash.ts';
import { isReservedField } from './names.ts';

const define = defineSchema as unknown as (collections: unknown, options?: unknown) => ReturnType<typeof schemaFromDefinition>;

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/).filter((name) => !isReservedField(name) && name !== 'id');
const maybe = <T>(field: { nullable(): unknown; default(value: T): { nullable(): unknown } }, value: T): fc.Arbitrary<unknown> =>
  fc.constantFrom(field, field.nullable(), field.default(value), field.default(value).nullable());
const fields: fc.Arbitrary<unknown> = fc.oneof(
  fc.boolean().chain((search) => maybe(f.text({ search }), 'text')),
  fc
    .uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
    .chain((v) => maybe(f.keyword(v), v[0]!)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).chain((v) => maybe(f.int64(), v)),
  fc
    .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom('auto', 'none', 'sorted', 'inverted', 'bitmap'))
    .chain(([v, index]) => maybe(f.number({ index }), v)),
  maybe(f.boolean(), true),
  fc.date({ noInvalidDate: true }).chain((v) => maybe(f.date(), v)),
  fc.jsonValue({ depthSize: 'small' }).chain((v) => maybe(f.json<unknown>(), v)),
  fc.array(fc.maxSafeInteger(), { maxLength: 3 }).chain((v) => maybe(f.array(f.int64()), v)),
  fc.integer({ min: 1, max: 2048 }).map((dim) => f.vector(dim)),
  fc.integer({ min: 1, max: 64 }).map((n) => f.binaryVector(n * 8)),
  fc.constantFrom(f.collab(), f.collabText(), f.sparseVector().nullable()),
);
const shapes = fc.uniqueArray(fc.tuple(names, fields), { maxLength: 8, selector: ([name]) => name });

test('what JSON carries away and brings back is the same schema with the same hash', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 1e9 }), (entries, version) => {
      const schema = define({ a: Object.fromEntries(entries) }, { version });
      const back = schemaFromDefinition(JSON.parse(JSON.stringify(schema)) as SchemaDefinition);
      expect(back.definition).toEqual(schema.definition);
      expect(JSON.stringify(back)).toBe(JSON.stringify(schema));
      expect(schemaHash(back.definition)).toBe(schemaHash(schema.definition));
    }),
    propertyOptions(200),
  );
});

test('the order of fields and collections in the literal does not matter', () => {
  const shuffled = shapes.chain((entries) => fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })));
  fc.assert(
    fc.property(shuffled, ([entries, others]) => {
      const one = define({ a: Object.fromEntries(entries), b: {} });
      const two = define({ b: {}, a: Object.fromEntries(others) });
      expect(JSON.stringify(two)).toBe(JSON.stringify(one));
      expect(schemaHash(two.definition)).toBe(schemaHash(one.definition));
    }),
    propertyOptions(100),
  );
});

test('whatever stands in a definition, it is a schema in canonical form or a typed error', () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true, maxDepth: 2 });
  const field = fc.record(
    {
      name: fc.oneof(names, anything),
      type: fc.oneof(fc.constantFrom('text', 'keyword', 'int64', 'array', 'vector', 'date', 'json'), anything),
      nullable: fc.oneof(fc.boolean(), anything),
      default: anything,
      params: anything,
    },
    { requiredKeys: ['name', 'type'] },
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(field, anything), { maxLength: 3 }), (list) => {
      try {
        const { definition } = schemaFromDefinition({
          format: 1,
          version: 1,
          collections: { a: { fields: list } },
        } as unknown as SchemaDefinition);
        expect(schemaFromDefinition(JSON.parse(JSON.stringify(definition)) as SchemaDefinition).definition).toEqual(definition);
      } catch (error) {
        expect(error).toHaveProperty('code', 'SCHEMA_INVALID');
        refused++;
      }
    }),
    propertyOptions(500),
  );
  expect(refused).toBeGreaterThan(0);
});
