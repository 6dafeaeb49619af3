import { expect, test } from 'vitest';
import { defineSchema } from './define-schema.ts';
import { f } from './fields.ts';
import { schemaHash } from './hash.ts';

const notes = { title: f.text({ search: true }), stars: f.number().default(0), vec: f.vector(3) };

test('the hash of a known schema never changes: devices and servers compare it across versions', () => {
  const { definition } = defineSchema({ notes });
  expect(schemaHash(definition)).toMatchInlineSnapshot(`"1effcde91b59f23e4959816e45e836fd"`);
  expect(schemaHash(definition.collections.notes)).toMatchInlineSnapshot(`"78a8880e05d60db81b31ebbc20e3a9e2"`);
});

test('a collection keeps its hash when only the version of the schema rises', () => {
  const [one, two] = [defineSchema({ notes }), defineSchema({ notes, more: {} }, { version: 2 })];
  expect(schemaHash(two.definition.collections.notes)).toBe(schemaHash(one.definition.collections.notes));
  expect(schemaHash(two.definition)).not.toBe(schemaHash(one.definition));
});

test('any param makes another hash', () => {
  const hashes = [f.text(), f.text({ search: true }), f.text({ maxLength: 9 }), f.text().nullable(), f.text().default(''), f.keyword()].map(
    (x) => schemaHash(defineSchema({ a: { x } }).definition),
  );
  expect(new Set(hashes).size).toBe(hashes.length);
});
