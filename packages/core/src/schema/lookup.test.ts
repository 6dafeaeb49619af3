import { expect, test } from 'vitest';
import { defineSchema } from './define-schema.ts';
import { f } from './fields.ts';
import { defaultSelectOf, defaultValueOf, fieldOf, keyFieldOf, searchableTextFieldsOf, valueFieldsOf, vectorFieldsOf } from './lookup.ts';

const { items } = defineSchema({
  items: {
    sku: f.primaryKey('int64'),
    name: f.text({ search: true }),
    note: f.text().default('none'),
    body: f.collabText({ search: true }),
    big: f.int64().default(2n ** 60n),
    small: f.int64().default(7),
    at: f.date().default(new Date(5)),
    data: f.json().default({ b: [1], a: null }),
    nothing: f.json().default(null),
    list: f.array(f.int64()).default([1, 2n ** 62n]),
    image: f.vector(3),
    terms: f.sparseVector(),
    bits: f.binaryVector(8),
  },
}).definition.collections;

test('a definition answers for its key, its fields, its vectors and its searchable texts', () => {
  expect(keyFieldOf(items).name).toBe('sku');
  expect(fieldOf(items, 'sku')).toBe(keyFieldOf(items));
  expect(fieldOf(items, 'toString')).toBeUndefined();
  expect(fieldOf(items, 'nmae')).toBeUndefined();
  expect(valueFieldsOf(items)).toHaveLength(items.fields.length - 1);
  expect(vectorFieldsOf(items).map(({ name }) => name)).toEqual(['bits', 'image', 'terms']);
  expect(searchableTextFieldsOf(items).map(({ name }) => name)).toEqual(['body', 'name']);
});

test('without select come the key and all fields but vectors', () => {
  expect(defaultSelectOf(items)).toEqual(['sku', 'at', 'big', 'body', 'data', 'list', 'name', 'note', 'nothing', 'small']);
});

test.each([
  ['name', null],
  ['note', 'none'],
  ['big', 2n ** 60n],
  ['small', 7],
  ['at', 5],
  ['data', '{"a":null,"b":[1]}'],
  ['nothing', 'null'],
  ['list', [1, 2n ** 62n]],
  ['image', null],
])('the stored default of %s is %s', (name, value) => {
  expect(defaultValueOf(fieldOf(items, name)!)).toEqual(value);
});
