import { type CompareOperator, DbError, defineSchema, type FieldDefinition, f, type ScalarValue, type StoredValue } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { andInto, createFullBitmap, setOffsets } from '../../bitmap/bitmap.ts';
import { fromBase64Url } from '../../bytes/base64url.ts';
import { withFlippedBit, withSplice } from '../../bytes/testing/damage-bytes.ts';
import type { Column } from '../../columns/column.ts';
import { matchRows } from '../../read/filter/evaluate.ts';
import { leafMask } from '../../read/filter/leaf.ts';
import { presentRows } from '../../read/filter/present.ts';
import { type ValueLeaf, valueTest } from '../../read/filter/value-test.ts';
import { filtersOf, NAMED, NUMBERED, viewsOf } from '../../read/testing/arbitraries.ts';
import { typedColumn } from '../../read/testing/typed-column.ts';
import type { RowBlock } from '../../view/view.ts';
import { SCALAR_INDEX_V1 } from './fixtures/scalar-index-v1.ts';
import { CHECKSUM_AT, HEADER_BYTES } from './format.ts';
import { openFile, scalarFile, structuresOf, withScalarIndexes } from './testing/scalar-file.ts';
import { checksumOf } from './write-scalar-index.ts';

const OPERATORS: readonly CompareOperator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'];

describe.each([
  ['string keys', NAMED],
  ['int64 keys', NUMBERED],
])('a filter over fields with scalar indexes, %s', (_name, definition) => {
  test('passes the rows that pass without them', () => {
    let answered = 0;
    let passed = 0;
    const fields = definition.fields.map(({ name }) => name);
    fc.assert(
      fc.property(viewsOf(definition), filtersOf(definition), fc.nat(5), ({ view }, node, pick) => {
        for (const block of view.blocks) {
          const onFind = (): void => {
            answered += 1;
          };
          const rows = matchRows(withScalarIndexes(block, { fields, pick, onFind }), node, definition);
          expect(rows).toEqual(matchRows(block, node, definition));
          passed += rows.length;
        }
      }),
      propertyOptions(1_000),
    );
    expect(answered).toBeGreaterThan(20);
    expect(passed).toBeGreaterThan(0);
  });
});

/** Values at the edges of every kind, and constants that are none of the column's. */
const EDGES: Readonly<Record<string, readonly StoredValue[]>> = {
  number: [0, -0, 1, -1, 5e-324, -5e-324, 1.7976931348623157e308, -1.7976931348623157e308, Infinity, -Infinity, 0.1, 2 ** 53],
  int64: [0, -1, 1, 2 ** 53 - 1, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, -(2n ** 53n) - 1n],
  boolean: [true, false],
  keyword: ['', 'a', 'ab', 'abc', 'b', 'é', '\u{1f426}', '\uffee', 'A%b', 'a\\b', '\ufffd'],
};
const CONSTANTS: readonly ScalarValue[] = [
  0,
  -0,
  2 ** 53,
  2n ** 53n,
  1n,
  Infinity,
  2n ** 63n,
  -(2n ** 63n),
  1,
  0.1,
  'a',
  '',
  '\ufffd',
  '\ud83d',
  'é',
  true,
  false,
];
const PATTERNS = ['', '%', 'a%', 'ab', '_', 'a_%', '\\%', 'A\\%%', 'é%', '\u{1f426}%', '\uffee_', 'a\\\\%', '\ud83d%'];

const { definition: schema } = defineSchema({
  all: {
    number: f.number(),
    int64: f.int64(),
    boolean: f.boolean(),
    keyword: f.keyword(),
    text: f.text(),
    numbers: f.array(f.number()),
    int64s: f.array(f.int64()),
    booleans: f.array(f.boolean()),
    keywords: f.array(f.keyword()),
  },
});
const fieldOf = (name: string): FieldDefinition => schema.collections.all.fields.find((field) => field.name === name)!;
const kinds = ['number', 'int64', 'boolean', 'keyword', 'text', 'numbers', 'int64s', 'booleans', 'keywords'].map(
  (name) => [name, fieldOf(name), EDGES[name === 'text' ? 'keyword' : name.replace(/s$/, '')]!] as const,
);

function leavesOf(type: string, values: readonly StoredValue[]): fc.Arbitrary<ValueLeaf> {
  const own = values as readonly ScalarValue[];
  if (type.endsWith('s'))
    return fc.record({
      type: fc.constant('contains' as const),
      field: fc.constant('x'),
      mode: fc.constantFrom('any' as const, 'all' as const),
      values: fc.array(fc.constantFrom(...own), { maxLength: 3 }),
    });
  const constant = fc.constantFrom(...own);
  return fc.oneof(
    fc.record({ type: fc.constant('compare' as const), field: fc.constant('x'), operator: fc.constantFrom(...OPERATORS), value: constant }),
    fc.record({
      type: fc.constant('in' as const),
      field: fc.constant('x'),
      values: fc.array(type === 'int64' ? constant : fc.constantFrom(...own, ...CONSTANTS), { maxLength: 5 }),
      negated: fc.boolean(),
    }),
    fc.record({ type: fc.constant('like' as const), field: fc.constant('x'), pattern: fc.constantFrom(...PATTERNS) }),
  );
}

function blockOf(column: Column, rows: number): RowBlock {
  return { rows, column: () => column, valueAt: () => null } as unknown as RowBlock;
}

describe.each(kinds)('an index over %s', (type, definition, values) => {
  const isList = type.endsWith('s');
  const value = isList ? fc.array(fc.constantFrom(...values), { maxLength: 4 }) : fc.constantFrom(...values);
  const columns = fc.array(fc.option(value as fc.Arbitrary<StoredValue>, { freq: 5 }), { maxLength: 80 });

  test('finds what the column says, at the edges of its values', () => {
    let found = 0;
    fc.assert(
      fc.property(columns, leavesOf(type, values), fc.boolean(), (stored, leaf, negated) => {
        const column = typedColumn(definition, stored);
        const rows = stored.length;
        const all = createFullBitmap(rows);
        const expected = leafMask(blockOf(column, rows), 'id', leaf, negated, all);
        for (const structure of structuresOf(column)) {
          const index = openFile(scalarFile(column, rows, structure), column, rows);
          const block = {
            ...blockOf(column, rows),
            index: () => ({ find: (one: ValueLeaf) => eager(index.find(one)) }),
          } as unknown as RowBlock;
          expect(setOffsets(leafMask(block, 'id', leaf, negated, all))).toEqual(setOffsets(expected));
          const answer = index.find(leaf);
          if (answer === undefined) continue;
          found += 1;
          const hits = answer.mask();
          expect(setOffsets(hits).length).toBeLessThanOrEqual(answer.count);
          // Rows without a value are in no index.
          const present = presentRows(column, hits, rows);
          expect(present).toEqual(hits);
          andInto(present, all);
        }
      }),
      propertyOptions(300),
    );
    expect(found).toBeGreaterThan(100);
  });
});

/** Used whatever it costs. */
function eager<T extends object>(found: T | undefined): T | undefined {
  return found === undefined ? undefined : { ...found, paysOver: () => true };
}

test('a column that holds what is not a number has an index that answers nothing', () => {
  const values = Float64Array.of(1, Number.NaN, 2);
  const column: Column = { kind: 'number', values, validity: null };
  for (const structure of structuresOf(column)) {
    const index = openFile(scalarFile(column, 3, structure), column, 3);
    expect(index.find({ type: 'compare', field: 'x', operator: 'eq', value: 1 })).toBeUndefined();
  }
  expect(valueTest({ type: 'compare', field: 'x', operator: 'eq', value: 1 })(1)).toBe(true);
});

test('files of version 1 are read, and written, as ever', () => {
  const column: Column = { kind: 'number', values: Float64Array.of(3, -1, 0, 3, 7), validity: Uint32Array.of(0b10111) };
  for (const structure of structuresOf(column)) {
    const file = fromBase64Url(SCALAR_INDEX_V1[structure])!;
    expect(scalarFile(column, 5, structure)).toEqual(file);
    const found = openFile(file, column, 5).find({ type: 'compare', field: 'x', operator: 'gte', value: 0 })!;
    expect([found.structure, found.count, [...setOffsets(found.mask())]]).toEqual([structure, 3, [0, 2, 4]]);
  }
});

test('equal columns give equal bytes', () => {
  for (const [type, definition, values] of kinds) {
    const stored = (type.endsWith('s') ? [values, values.slice(2), null] : [...values, null]) as StoredValue[];
    const [a, b] = [typedColumn(definition, stored), typedColumn(definition, [...stored])];
    for (const structure of structuresOf(a))
      expect(scalarFile(a, stored.length, structure)).toEqual(scalarFile(b, stored.length, structure));
  }
});

test('damaged bytes, and files of other rows or another column, are refused', () => {
  const column = typedColumn(
    fieldOf('keyword'),
    Array.from({ length: 300 }, (_, row) => (row % 9 === 0 ? null : `k${row % 7}`)),
  );
  const number = typedColumn(
    fieldOf('number'),
    Array.from({ length: 300 }, (_, row) => row % 11),
  );
  const codes = new Set<string>();
  const codeOf = (open: () => unknown): string => {
    try {
      open();
      return '';
    } catch (error) {
      return error instanceof DbError ? error.code : String(error);
    }
  };
  for (const structure of structuresOf(column)) {
    const file = scalarFile(column, 300, structure);
    expect(codeOf(() => openFile(file, column, 300))).toBe('');
    expect(codeOf(() => openFile(file, column, 301))).toBe('INDEX_CORRUPT');
    if (structure !== 'sorted') expect(codeOf(() => openFile(file, number, 300))).toBe('INDEX_CORRUPT');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(file.length * 8 - 1).map((bit) => withFlippedBit(file, bit)),
          fc.nat(file.length - 1).map((length) => file.slice(0, length)),
          fc
            .record({ from: fc.nat(file.length - 1), to: fc.nat(file.length - 1), length: fc.integer({ min: 1, max: 64 }) })
            .map((splice) => withSplice(file, splice)),
        ),
        fc.boolean(),
        (damaged, isResealed) => {
          fc.pre(damaged.length !== file.length || damaged.some((byte, i) => byte !== file[i]));
          const bytes = isResealed ? resealed(damaged) : damaged;
          const code = codeOf(() => {
            const index = openFile(bytes, column, 300);
            // What opens with a right checksum finds something, within its rows, whatever it finds.
            for (const value of ['k1', 'k5', '', 'z']) index.find({ type: 'compare', field: 'x', operator: 'gte', value })?.mask();
            if (!isResealed) throw new Error('damage that was not noticed');
          });
          codes.add(code);
          expect(['INDEX_CORRUPT', 'FORMAT_VERSION_UNSUPPORTED', ...(isResealed ? [''] : [])]).toContain(code);
        },
      ),
      propertyOptions(400),
    );
  }
  expect(codes).toContain('INDEX_CORRUPT');
});

function resealed(damaged: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(damaged);
  if (copy.length < HEADER_BYTES) return copy;
  new DataView(copy.buffer).setUint32(CHECKSUM_AT, checksumOf(copy), true);
  return copy;
}
