import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { readValue, writeValue } from '../ops/value-codec.ts';
import { defineSchema } from '../schema/define-schema.ts';
import type { FieldDefinitionOf, VectorElements } from '../schema/definition.ts';
import { f } from '../schema/fields.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { isDenseValue, isStoredVector, narrowVector, widenVector } from './elements.ts';
import { normalizePut } from './normalize.ts';
import { toPublic } from './public.ts';
import { normalizeQueryVector } from './query-vector.ts';
import type { StoredVector } from './value.ts';

const DIM = 4;
const { definition } = defineSchema({
  items: {
    float32: f.vector(DIM).nullable(),
    float16: f.vector(DIM, { elements: 'float16' }).nullable(),
    bfloat16: f.vector(DIM, { elements: 'bfloat16' }).nullable(),
    int8: f.vector(DIM, { elements: 'int8' }).nullable(),
  },
});
const { items } = definition.collections;
const ELEMENTS = ['float32', 'float16', 'bfloat16', 'int8'] as const satisfies readonly VectorElements[];
const fieldOf = (name: VectorElements): FieldDefinitionOf<'vector'> =>
  items.fields.find((field) => field.name === name) as FieldDefinitionOf<'vector'>;
const put = (name: VectorElements, value: unknown): StoredVector =>
  normalizePut(items, 'items', { [name]: value }, { newKey: () => 'k' }).fields[name] as StoredVector;
const read = (name: VectorElements, value: StoredVector): number[] => [...(toPublic(fieldOf(name), value) as Float32Array)];

/** All finite values of 16 bits, as float32. */
function allHalves(elements: 'float16' | 'bfloat16'): Float32Array {
  const exponent = elements === 'float16' ? 0x7c00 : 0x7f80;
  const bits = Array.from({ length: 65_536 }, (_, half) => half).filter((half) => (half & exponent) !== exponent);
  return widenVector(elements, Uint16Array.from(bits));
}

describe('elements of dense vectors', () => {
  test.each(['float16', 'bfloat16'] as const)(
    'every finite %s is read as the number that it is, and stored again as the same bits',
    (elements) => {
      const values = allHalves(elements);
      expect(values.length).toBeGreaterThan(60_000);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(new Set(values).size).toBe(values.length - 1); // 0 and -0
      expect(widenVector(elements, narrowVector(elements, values))).toEqual(values);
      for (const value of [1, -2, 0.5, 1.5, 2 ** -14, 2 ** 15]) expect(values).toContain(value);
    },
  );

  test('a number becomes the nearest half, the even one of two', () => {
    const names = ['float16', 'bfloat16'] as const;
    const sorted = Object.fromEntries(names.map((name) => [name, [...new Set(allHalves(name))].sort((a, b) => a - b)]));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.float({ noNaN: true, min: -65_000, max: 65_000 }), (name, value) => {
        const [stored] = put(name, [value, 0, 0, 0]);
        const [got] = widenVector(name, Uint16Array.of(stored!));
        const all = sorted[name]!;
        const error = Math.abs(got! - value);
        const at = all.indexOf(got! + 0);
        for (const other of [all[at - 1], all[at + 1]]) {
          if (other === undefined) continue;
          const worse = Math.abs(other - value);
          expect(worse).toBeGreaterThanOrEqual(error);
          if (worse === error && error > 0) expect(stored! % 2).toBe(0);
        }
      }),
      propertyOptions(500),
    );
  });

  test.each([
    ['float16', 65_519, 65_504],
    ['float16', 2 ** -25, 0],
    ['float16', 1 + 2 ** -11, 1],
    ['float16', 1 + 3 * 2 ** -11, 1 + 2 ** -9],
    ['bfloat16', 3.395e38, 3.3895313892515355e38],
    ['bfloat16', 1 + 2 ** -8, 1],
    ['int8', -128, -128],
    ['int8', 127, 127],
  ] as const)('as %s, %d is kept as %d', (name, value, expected) => {
    expect(read(name, put(name, [value, 0, 0, 1]))).toEqual([expected, 0, 0, 1]);
  });

  test.each([
    ['float16', [65_520, 0, 0, 0], /finite float16 numbers expected, got 65520 at 0/],
    ['float16', [0, Number.NaN, 0, 0], /finite float16 numbers expected, got NaN at 1/],
    ['bfloat16', [0, 0, 3.4e38 + 1e36, 0], /finite bfloat16 numbers/],
    ['bfloat16', [0, 0, Number.NEGATIVE_INFINITY, 0], /finite bfloat16 numbers/],
    ['int8', [128, 0, 0, 0], /whole numbers from -128 to 127 expected, got 128 at 0/],
    ['int8', [0, 0.5, 0, 0], /whole numbers from -128 to 127 expected, got 0.5 at 1/],
    ['int8', [0, Number.NaN, 0, 0], /whole numbers/],
    ['int8', Float32Array.of(1, 2, 3, 4), /Int8Array or array of numbers/],
    ['int8', Uint8Array.of(1, 2, 3, 4), /Int8Array or array of numbers/],
    ['float16', Uint16Array.of(1, 2, 3, 4), /Float32Array or array of numbers/],
    ['float16', ['1', 0, 0, 0], /numbers expected, got string "1" at 0/],
    ['int8', [1n, 0, 0, 0], /numbers expected, got bigint 1 at 0/],
  ] as const)('refuses for %s %s', (name, value, message) => {
    expect(() => put(name, value)).toThrow(expect.objectContaining({ code: 'FIELD_INVALID', message: expect.stringMatching(message) }));
    expect(() => normalizeQueryVector(fieldOf(name), 'items', value)).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }));
  });

  test.each(ELEMENTS)('refuses for %s a vector of another dimension, and takes null where it may', (name) => {
    expect(() => put(name, [1, 2, 3])).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    expect(put(name, null)).toBeNull();
  });

  test('what is given is copied; Float64Array and Float16Array count as numbers', () => {
    const given = Int8Array.of(1, -2, 3, 127);
    const stored = put('int8', given);
    expect(stored).toEqual(given);
    given.fill(0);
    expect(stored[3]).toBe(127);
    expect(read('float16', put('float16', Float64Array.of(0.5, -1, 2, 3)))).toEqual([0.5, -1, 2, 3]);
    const Float16 = (globalThis as { Float16Array?: { of(...values: number[]): ArrayLike<number> } }).Float16Array;
    if (Float16 !== undefined) expect(read('float16', put('float16', Float16.of(0.5, -1, 2, 3)))).toEqual([0.5, -1, 2, 3]);
  });

  test('a stored vector is read back from a frame as the same bytes, at the width of its elements', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ELEMENTS),
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: DIM, maxLength: DIM }),
        (name, values) => {
          const stored = put(name, values);
          const writer = new ByteWriter();
          writeValue(writer, stored);
          const bytes = writer.toBytes();
          expect(bytes.length).toBe(2 + stored.byteLength);
          const back = readValue(new ByteReader(bytes, 'value'));
          expect(back).toEqual(stored);
          expect([isDenseValue(back), isStoredVector(fieldOf(name), back)]).toEqual([true, true]);
          expect(() => readValue(new ByteReader(bytes.slice(0, -1), 'value'))).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }));
        },
      ),
      propertyOptions(200),
    );
  });

  test('is no stored vector: other elements, halves that are not finite, bytes', () => {
    expect(isStoredVector(fieldOf('float16'), Float32Array.of(1))).toBe(false);
    expect(isStoredVector(fieldOf('float32'), Uint16Array.of(1))).toBe(false);
    expect(isStoredVector(fieldOf('int8'), Uint8Array.of(1))).toBe(false);
    expect(isStoredVector(fieldOf('float16'), Uint16Array.of(0x7c00))).toBe(false);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(isStoredVector(fieldOf('float32'), Float32Array.of(1, bad, -1))).toBe(false);
    expect(isStoredVector(fieldOf('float32'), Float32Array.of(3.4e38, -3.4e38, -0, 3.4e38))).toBe(true);
    expect(isStoredVector(fieldOf('bfloat16'), Uint16Array.of(0x7c00))).toBe(true);
    expect(isStoredVector(fieldOf('bfloat16'), Uint16Array.of(0x7fc0))).toBe(false);
    expect(isStoredVector(fieldOf('float32'), Float32Array.of(Number.NaN))).toBe(false);
  });

  test.each(ELEMENTS)('a query for %s is float32, by the rules for storing', (name) => {
    expect(normalizeQueryVector(fieldOf(name), 'items', [1, -2, 3, 4])).toEqual(Float32Array.of(1, -2, 3, 4));
  });
});
