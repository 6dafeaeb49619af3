import { describe, expect, test } from 'vitest';
import { compareDefinitions, mergeDefinitions, schemaConflict } from './compatibility.ts';
import { defineSchema } from './define-schema.ts';
import { f } from './fields.ts';
import type { Shapes } from './types.ts';

const of = (collections: Shapes, version = 1) =>
  (defineSchema as (c: Shapes, o: { version: number }) => ReturnType<typeof defineSchema>)(collections, { version }).definition;
const base = { title: f.text({ search: true }) };

describe('compareDefinitions', () => {
  test('the same definition is equal, whatever its version', () => {
    expect(compareDefinitions(of({ notes: base }), of({ notes: base }, 2))).toEqual({ type: 'equal' });
  });

  test.each<[string, Shapes[string], Shapes[string]]>([
    ['chosen', { n: f.number() }, { n: f.number({ index: 'sorted' }) }],
    ['changed', { n: f.keyword(['a'], { index: 'bitmap' }) }, { n: f.keyword(['a'], { index: 'none' }) }],
    ['left to the segments again', { n: f.array(f.int64(), { index: 'inverted' }) }, { n: f.array(f.int64()) }],
  ])('an index of scalars that is %s makes no difference, and the store keeps the newer choice', (_, before, after) => {
    expect(compareDefinitions(of({ a: before }), of({ a: after }))).toEqual({ type: 'equal' });
    expect(mergeDefinitions(of({ a: before }), of({ a: after }, 2))).toEqual(of({ a: after }, 2));
  });

  test('an index of vectors is a part of what two schemas share', () => {
    const difference = compareDefinitions(of({ a: { v: f.vector(3) } }), of({ a: { v: f.vector(3, { index: { type: 'FLAT' } }) } }));
    expect(difference.type).toBe('conflict');
  });

  test('a collection that is stored and not wanted does not matter', () => {
    expect(compareDefinitions(of({ notes: base, old: {} }), of({ notes: base }))).toEqual({ type: 'equal' });
  });

  test.each([
    ['a nullable field', f.number().nullable()],
    ['a field with a default', f.number().default(1)],
    ['a collab document, which starts empty', f.collab()],
    ['an embedded vector, which is computed later', f.vector({ embed: ['title'] })],
    ['a nullable vector', f.vector(3).nullable()],
  ])('%s is additive', (_, added) => {
    const difference = compareDefinitions(of({ notes: base }), of({ notes: { ...base, added } }));
    expect(difference).toMatchObject({ type: 'additive', collections: [], fields: [{ collection: 'notes', field: { name: 'added' } }] });
  });

  test('a new collection is additive', () => {
    expect(compareDefinitions(of({ notes: base }), of({ notes: base, more: {} }))).toEqual({
      type: 'additive',
      collections: ['more'],
      fields: [],
    });
  });

  test('a schema that lacks stored fields is older, and its SCHEMA_CONFLICT names them', () => {
    const difference = compareDefinitions(of({ notes: { ...base, stars: f.number(), at: f.date() } }, 2), of({ notes: base }));
    if (difference.type !== 'older') throw new Error(difference.type);
    expect(difference.missing.map(({ field }) => field.name)).toEqual(['at', 'stars']);
    const error = schemaConflict(difference);
    expect(error.message).toBe('the database has a newer schema: notes.at, notes.stars expected, got an older schema without');
    expect(error.details).toMatchObject({ collection: 'notes', missing: ['notes.at', 'notes.stars'] });
  });

  test.each<[string, Shapes[string], string, string]>([
    [
      'a new field that old rows cannot do without',
      { ...base, n: f.number() },
      'n',
      'a new field that is nullable or has a default expected, got number',
    ],
    [
      'another type',
      { title: f.keyword() },
      'title',
      'text {"analyzer":"standard","maxLength":523264,"search":true} expected, got keyword {"values":null}',
    ],
    [
      'another param',
      { title: f.text() },
      'title',
      '"search":true} expected, got text {"analyzer":"standard","maxLength":523264,"search":false}',
    ],
    ['a field that becomes nullable', { title: f.text({ search: true }).nullable() }, 'title', '"search":true}, nullable'],
    ['another default', { title: f.text({ search: true }).default('x') }, 'title', 'default "x"'],
    ['another key', { ...base, sku: f.primaryKey('int64') }, 'sku', 'key id expected, got primaryKey'],
    ['a field renamed', { name: f.text().nullable() }, 'title', 'expected, got no such field, and a new field notes.name'],
  ])('%s is a conflict that names collection, field, expected and got', (_, notes, field, message) => {
    const difference = compareDefinitions(of({ notes: base }), of({ notes }));
    if (difference.type !== 'conflict') throw new Error(difference.type);
    expect(difference).toMatchObject({ collection: 'notes', field });
    const error = schemaConflict(difference);
    expect(error.code).toBe('SCHEMA_CONFLICT');
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject({ collection: 'notes', field, expected: difference.expected, got: difference.got });
  });
});

test('after an additive change the store keeps collections that are no longer wanted', () => {
  const merged = mergeDefinitions(of({ notes: base, old: {} }), of({ notes: { ...base, n: f.number().nullable() }, more: {} }, 2));
  expect(merged).toEqual(of({ notes: { ...base, n: f.number().nullable() }, old: {}, more: {} }, 2));
});
