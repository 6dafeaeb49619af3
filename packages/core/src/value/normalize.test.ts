import { describe, expect, test } from 'vitest';
import { defineSchema } from '../schema/define-schema.ts';
import { f } from '../schema/fields.ts';
import { errorOf } from '../testing/errors.ts';
import { comparePrimaryKeys, normalizeKey, normalizePatch, normalizePut } from './normalize.ts';
import type { SparseValue, StoredFields } from './value.ts';

const { notes, items, leased } = defineSchema({
  notes: {
    title: f.text({ maxLength: 8 }),
    body: f.collabText(),
    tag: f.keyword(['work', 'home']).nullable(),
    stars: f.number().default(3),
    maybe: f.number().nullable().default(1),
    at: f.date().nullable(),
    big: f.int64().nullable(),
    done: f.boolean().default(false),
    data: f.json().default({}),
    none: f.json().nullable(),
    labels: f.array(f.keyword(['new', 'sale']), { maxCapacity: 2 }).default([]),
    doc: f.collab(),
    vec: f.vector({ embed: ['title'] }),
    image: f.vector(2).nullable(),
    terms: f.sparseVector().nullable(),
    bits: f.binaryVector(16).nullable(),
  },
  items: { sku: f.primaryKey('int64'), name: f.text() },
  leased: { n: f.primaryKey('int64', { autoId: true }) },
}).definition.collections;

const minimal = { title: 'a', body: 'b' };
const put = (entity: unknown, options: { index?: number; dimOf?: () => number } = {}) =>
  normalizePut(notes, 'notes', entity, { newKey: () => 'new', ...options });
const stored = (entity: object): StoredFields => put({ ...minimal, ...entity }).fields;

describe('a put', () => {
  test('names every field but the key: defaults filled in, null where there is no value', () => {
    expect(put(minimal)).toEqual({
      pk: 'new',
      fields: {
        title: 'a',
        body: 'b',
        tag: null,
        stars: 3,
        maybe: 1,
        at: null,
        big: null,
        done: false,
        data: '{}',
        none: null,
        labels: [],
        doc: null,
        vec: null,
        image: null,
        terms: null,
        bits: null,
      },
    });
  });

  test('takes the key that is given, and a new one only where there is none', () => {
    expect(put({ ...minimal, id: 'mine' }).pk).toBe('mine');
    expect(put({ ...minimal, id: undefined }).pk).toBe('new');
  });

  test('treats undefined as left out, and keeps an explicit null of a nullable field with a default', () => {
    expect(stored({ maybe: undefined, stars: undefined })).toMatchObject({ maybe: 1, stars: 3 });
    expect(stored({ maybe: null })['maybe']).toBeNull();
  });

  test.each<[string, object, StoredFields]>([
    ['a date as milliseconds', { at: new Date(1234) }, { at: 1234 }],
    ['a bigint that is safe as a number', { big: 5n }, { big: 5 }],
    ['a bigint beyond 2^53 as it is', { big: 2n ** 62n }, { big: 2n ** 62n }],
    ['-0 as 0', { stars: -0, big: -0 }, { stars: 0, big: 0 }],
    ['JSON as canonical text', { data: { b: 1, a: [null, { d: 2, c: '"' }] } }, { data: '{"a":[null,{"c":"\\"","d":2}],"b":1}' }],
    ['null of a json field that is not nullable as JSON null', { data: null }, { data: 'null' }],
    ['null of a nullable json field as null', { none: null }, { none: null }],
    ['JSON without its undefined properties', { data: { a: undefined, b: 1 } }, { data: '{"b":1}' }],
    ['numbers as float32', { image: [1, 0.1] }, { image: Float32Array.of(1, 0.1) }],
    ['a dense vector from doubles', { image: Float64Array.of(1, 2) }, { image: Float32Array.of(1, 2) }],
    ['an embedded vector that is given', { vec: [1, 2, 3] }, { vec: Float32Array.of(1, 2, 3) }],
    ['bytes', { bits: Uint8Array.of(1, 2), doc: Uint8Array.of(9) }, { bits: Uint8Array.of(1, 2), doc: Uint8Array.of(9) }],
    [
      'a sparse vector in order',
      { terms: { 7: 0.5, 2: 1 } },
      { terms: { indices: Uint32Array.of(2, 7), values: Float32Array.of(1, 0.5) } as SparseValue },
    ],
    [
      'a sparse vector of two lists in order',
      { terms: { indices: [4294967295, 0], values: [1, 2] } },
      { terms: { indices: Uint32Array.of(0, 4294967295), values: Float32Array.of(2, 1) } },
    ],
    ['an empty sparse vector', { terms: {} }, { terms: { indices: new Uint32Array(), values: new Float32Array() } }],
  ])('stores %s', (_, given, expected) => {
    const fields = stored(given);
    for (const name of Object.keys(expected)) expect(fields[name]).toStrictEqual(expected[name]);
  });

  test('stores -0 as the same value as 0', () => {
    expect(Object.is(stored({ stars: -0 })['stars'], 0)).toBe(true);
  });

  test('copies what it keeps', () => {
    const given = {
      ...minimal,
      labels: ['new'],
      image: Float32Array.of(1, 2),
      bits: Uint8Array.of(1, 2),
      doc: Uint8Array.of(1),
      terms: { indices: Uint32Array.of(1), values: Float32Array.of(1) },
    };
    const { fields } = put(given);
    given.labels[0] = 'sale';
    for (const array of [given.image, given.bits, given.doc, given.terms.indices, given.terms.values]) array.fill(7);
    expect(fields).toMatchObject({ labels: ['new'], image: Float32Array.of(1, 2), bits: Uint8Array.of(1, 2), doc: Uint8Array.of(1) });
    expect(fields['terms']).toStrictEqual({ indices: Uint32Array.of(1), values: Float32Array.of(1) });
  });

  test('reads every property once, so that a getter cannot change its mind after the check', () => {
    let reads = 0;
    const entity = {
      ...minimal,
      get stars() {
        return reads++ === 0 ? 5 : 'later';
      },
    };
    expect(put(entity).fields['stars']).toBe(5);
    expect(reads).toBe(1);
  });

  test('looks at own properties only', () => {
    expect(put(Object.assign(Object.create({ stars: 9 }) as object, minimal)).fields['stars']).toBe(3);
    expect(put(Object.assign(Object.create(null) as object, minimal)).fields['title']).toBe('a');
  });

  test('does not let a `__proto__` key through, nor reach a prototype', () => {
    const error = errorOf(() => put(JSON.parse('{"title":"a","body":"b","__proto__":{"stars":9}}')));
    expect(error).toMatchObject({ code: 'FIELD_UNKNOWN', details: { field: '__proto__' } });
    expect(stored({ data: JSON.parse('{"__proto__":{"x":1}}') as unknown })['data']).toBe('{"__proto__":{"x":1}}');
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});

describe('a put is refused with a code that says what, which one, expected and got:', () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  test.each<[string, unknown, string, string]>([
    ['no object', 'x', 'FIELD_INVALID', 'notes: object of fields expected, got string "x"'],
    ['an array', [minimal], 'FIELD_INVALID', 'notes: object of fields expected, got array of 1'],
    ['a field left out', { title: 'a' }, 'FIELD_INVALID', 'notes.body: collabText expected, got none'],
    ['an unknown field', { ...minimal, titel: 'x' }, 'FIELD_UNKNOWN', "got 'titel'"],
    ['null where it is not allowed', { ...minimal, stars: null }, 'FIELD_INVALID', 'notes.stars: finite number expected, got null'],
    [
      'null for an embedded vector that is not nullable',
      { ...minimal, vec: null },
      'FIELD_INVALID',
      'notes.vec: Float32Array or array of numbers expected, got null',
    ],
    ['a number for a text', { ...minimal, title: 1 }, 'FIELD_INVALID', 'notes.title: string expected, got number 1'],
    [
      'a text longer than its maxLength in bytes',
      { ...minimal, title: 'ääääx' },
      'FIELD_INVALID',
      'notes.title: string of at most 8 UTF-8 bytes expected, got 9',
    ],
    [
      'half a surrogate pair',
      { ...minimal, title: 'a\udc00' },
      'FIELD_INVALID',
      'notes.title: well-formed string expected, got a lone surrogate',
    ],
    [
      'a keyword that is not listed',
      { ...minimal, tag: 'play' },
      'FIELD_INVALID',
      `notes.tag: 'work' or 'home' expected, got string "play"`,
    ],
    ['NaN', { ...minimal, stars: Number.NaN }, 'FIELD_INVALID', 'notes.stars: finite number expected, got number NaN'],
    ['an infinity', { ...minimal, stars: -1 / 0 }, 'FIELD_INVALID', 'notes.stars: finite number expected, got number -Infinity'],
    ['a bigint for a number', { ...minimal, stars: 1n }, 'FIELD_INVALID', 'notes.stars: finite number expected, got bigint 1'],
    [
      'an integer that lost digits',
      { ...minimal, big: 2 ** 53 },
      'FIELD_INVALID',
      'notes.big: safe integer (or a bigint) expected, got number 9007199254740992',
    ],
    ['a fraction for an int64', { ...minimal, big: 1.5 }, 'FIELD_INVALID', 'notes.big: 64-bit integer expected, got number 1.5'],
    [
      'a bigint beyond 64 bits',
      { ...minimal, big: 2n ** 63n },
      'FIELD_INVALID',
      'notes.big: 64-bit integer expected, got bigint 9223372036854775808',
    ],
    ['a string for a boolean', { ...minimal, done: 'true' }, 'FIELD_INVALID', 'notes.done: boolean expected, got string "true"'],
    ['an ISO string for a date', { ...minimal, at: '2020-01-01' }, 'FIELD_INVALID', 'notes.at: Date expected, got string "2020-01-01"'],
    ['an invalid date', { ...minimal, at: new Date(Number.NaN) }, 'FIELD_INVALID', 'notes.at: valid Date expected, got Invalid Date'],
    [
      'an object that says it is a date',
      { ...minimal, at: { [Symbol.toStringTag]: 'Date' } },
      'FIELD_INVALID',
      'notes.at: valid Date expected, got Invalid Date',
    ],
    [
      'NaN inside JSON',
      { ...minimal, data: { a: [1, Number.NaN] } },
      'FIELD_INVALID',
      'notes.data: JSON value expected, got number NaN at .a[1]',
    ],
    ['a date inside JSON', { ...minimal, data: { at: new Date() } }, 'FIELD_INVALID', 'notes.data: JSON value expected, got Date at .at'],
    [
      'a class instance inside JSON',
      { ...minimal, data: new (class Point {})() },
      'FIELD_INVALID',
      'notes.data: JSON value expected, got Object',
    ],
    ['a hole inside JSON', { ...minimal, data: [1, undefined] }, 'FIELD_INVALID', 'notes.data: JSON value expected, got undefined at [1]'],
    ['a cycle', { ...minimal, data: cyclic }, 'FIELD_INVALID', 'more than 100 levels, or a cycle'],
    ['JSON nested too deep', { ...minimal, data: deep(101) }, 'FIELD_INVALID', 'more than 100 levels, or a cycle'],
    [
      'JSON that is too long',
      { ...minimal, data: 'x'.repeat(65_535) },
      'FIELD_INVALID',
      'notes.data: at most 65536 bytes of JSON expected, got 65537',
    ],
    ['no array', { ...minimal, labels: 'new' }, 'FIELD_INVALID', 'notes.labels: array of keyword expected, got string "new"'],
    [
      'too many elements',
      { ...minimal, labels: ['new', 'new', 'new'] },
      'FIELD_INVALID',
      'notes.labels: at most 2 elements expected, got 3',
    ],
    [
      'an element that does not fit',
      { ...minimal, labels: ['new', 'old'] },
      'FIELD_INVALID',
      `notes.labels: 'new' or 'sale' expected, got string "old" at 1`,
    ],
    ['a null element', { ...minimal, labels: [null] }, 'FIELD_INVALID', 'notes.labels: string expected, got null at 0'],
    ['a vector of another dim', { ...minimal, image: [1, 2, 3] }, 'DIMENSION_MISMATCH', 'notes.image: dim 2 expected, got 3'],
    [
      'a vector with NaN',
      { ...minimal, image: Float32Array.of(1, Number.NaN) },
      'FIELD_INVALID',
      'notes.image: finite float32 numbers expected, got NaN at 1',
    ],
    [
      'a number too large for float32',
      { ...minimal, image: [1e39, 0] },
      'FIELD_INVALID',
      'notes.image: finite float32 numbers expected, got 1e+39 at 0',
    ],
    ['a vector with a hole', { ...minimal, image: [undefined, 1] }, 'FIELD_INVALID', 'notes.image: numbers expected, got undefined at 0'],
    [
      'a vector of integers of another kind',
      { ...minimal, image: Int8Array.of(1, 2) },
      'FIELD_INVALID',
      'notes.image: Float32Array or array of numbers expected, got Int8Array of 2 bytes',
    ],
    ['an empty vector for the model', { ...minimal, vec: [] }, 'FIELD_INVALID', 'notes.vec: numbers expected, got none'],
    [
      'a binary vector of another dim',
      { ...minimal, bits: Uint8Array.of(1) },
      'DIMENSION_MISMATCH',
      'notes.bits: dim 16 (2 bytes) expected, got 8',
    ],
    ['a binary vector that is no bytes', { ...minimal, bits: [1, 2] }, 'FIELD_INVALID', 'notes.bits: Uint8Array expected, got array of 2'],
    [
      'a sparse vector that is an array',
      { ...minimal, terms: [1, 2] },
      'FIELD_INVALID',
      'notes.terms: object of dimension → weight, or { indices, values } expected, got array of 2',
    ],
    [
      'a sparse dimension that is none',
      { ...minimal, terms: { '-1': 1 } },
      'FIELD_INVALID',
      'notes.terms: dimensions from 0 to 2^32 - 1 expected, got string "-1"',
    ],
    [
      'a sparse dimension beyond uint32',
      { ...minimal, terms: { indices: [2 ** 32], values: [1] } },
      'FIELD_INVALID',
      'notes.terms: dimensions from 0 to 2^32 - 1 expected, got number 4294967296',
    ],
    [
      'a sparse dimension twice',
      { ...minimal, terms: { indices: [7, 1, 7], values: [1, 2, 3] } },
      'FIELD_INVALID',
      'notes.terms: distinct dimensions expected, got 7 twice',
    ],
    [
      'a sparse weight that is not finite',
      { ...minimal, terms: { 1: 1 / 0 } },
      'FIELD_INVALID',
      'notes.terms: finite float32 numbers expected, got Infinity at 0',
    ],
    [
      'fewer weights than dimensions',
      { ...minimal, terms: { indices: [1, 2], values: [1] } },
      'FIELD_INVALID',
      'notes.terms: 2 values, one per index expected, got 1',
    ],
    ['an empty key', { ...minimal, id: '' }, 'KEY_INVALID', 'notes.id: string that is not empty expected, got string ""'],
    ['a null key', { ...minimal, id: null }, 'KEY_INVALID', 'notes.id: string expected, got null'],
    ['a number as key', { ...minimal, id: 1 }, 'KEY_INVALID', 'notes.id: string expected, got number 1'],
    [
      'a key that is too long',
      { ...minimal, id: 'ä'.repeat(257) },
      'KEY_INVALID',
      'notes.id: string of at most 512 UTF-8 bytes expected, got 514',
    ],
  ])('%s', (_, entity, code, message) => {
    const error = errorOf(() => put(entity));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject({ collection: 'notes', expected: expect.any(String), got: expect.any(String) });
  });

  test('an entity larger than an op may be', () => {
    const { big } = defineSchema({ big: { a: f.text(), b: f.text() } }).definition.collections;
    const half = 'x'.repeat(270_000);
    expect(errorOf(() => normalizePut(big, 'big', { a: half, b: half }, { newKey: () => 'k' }))).toMatchObject({
      code: 'ENTITY_TOO_LARGE',
      message: 'big: at most 523264 bytes expected, got 540027',
    });
  });

  test('its place in a batch is told', () => {
    const error = errorOf(() => put({ ...minimal, stars: 'x' }, { index: 3 }));
    expect(error.message).toBe('notes[3].stars: finite number expected, got string "x"');
    expect(error.details).toEqual({ collection: 'notes', index: 3, field: 'stars', expected: 'finite number', got: 'string "x"' });
  });

  test('a vector that does not fit the model, where the model is known', () => {
    expect(errorOf(() => put({ ...minimal, vec: [1, 2] }, { dimOf: () => 384 })).message).toBe(
      "notes.vec: dim 384 (the model's) expected, got 2",
    );
    expect(put({ ...minimal, vec: [1, 2] }, { dimOf: () => 2 }).fields['vec']).toHaveLength(2);
  });

  test('a key left out that nobody makes', () => {
    const newKey = () => 1;
    expect(errorOf(() => normalizePut(items, 'items', { name: 'x' }, { newKey })).message).toBe(
      'items.sku: 64-bit integer expected, got none',
    );
    expect(errorOf(() => normalizePut(leased, 'leased', {}, { newKey })).message).toContain('automatic ones are made by a server');
  });
});

describe('a patch', () => {
  test('has the named fields only, and no defaults', () => {
    expect(normalizePatch(notes, 'notes', { stars: 1, at: null, tag: undefined })).toEqual({ stars: 1, at: null });
    expect(normalizePatch(notes, 'notes', {})).toEqual({});
  });

  test.each([
    [{ id: 'x' }, 'FIELD_INVALID', 'notes.id: fields other than the key expected, got the key'],
    [{ body: 'x' }, 'FIELD_INVALID', 'notes.body: an edit through its Yjs type expected, got a patch'],
    [{ doc: new Uint8Array() }, 'FIELD_INVALID', 'notes.doc: an edit through its Yjs type expected, got a patch'],
    [{ nope: 1 }, 'FIELD_UNKNOWN', "got 'nope'"],
    [{ stars: null }, 'FIELD_INVALID', 'notes.stars: finite number expected, got null'],
    [{ image: [1] }, 'DIMENSION_MISMATCH', 'notes.image: dim 2 expected, got 1'],
    [null, 'FIELD_INVALID', 'notes: object of fields expected, got null'],
  ])('of %j is refused', (patch, code, message) => {
    const error = errorOf(() => normalizePatch(notes, 'notes', patch));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

test('values of another realm are taken like our own', () => {
  type Vm = { runInNewContext(code: string): unknown };
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): Vm } };
  const foreign = process.getBuiltinModule('node:vm').runInNewContext(`({
    title: 'a', body: 'b', at: new Date(5), data: { list: [{}] }, labels: ['new'], image: new Float32Array([1, 2]), vec: [1],
    bits: new Uint8Array(2), terms: { indices: new Uint32Array([1]), values: [2] },
  })`) as { image: unknown };
  expect(foreign.image instanceof Float32Array).toBe(false);
  const { fields } = put(foreign);
  expect(fields).toMatchObject({ at: 5, data: '{"list":[{}]}', labels: ['new'], image: Float32Array.of(1, 2), bits: new Uint8Array(2) });
  expect(fields['image'] instanceof Float32Array && fields['bits'] instanceof Uint8Array && Array.isArray(fields['labels'])).toBe(true);
});

describe('keys', () => {
  test('of int64 are numbers where they are safe', () => {
    expect(normalizeKey(items, 'items', 5n)).toBe(5);
    expect(normalizeKey(items, 'items', 2n ** 60n)).toBe(2n ** 60n);
    expect(errorOf(() => normalizeKey(items, 'items', '5'))).toMatchObject({
      code: 'KEY_INVALID',
      details: { collection: 'items', field: 'sku' },
    });
  });

  test('are ordered by value, and by code units', () => {
    expect([2n ** 60n, -1, 10, 9].sort(comparePrimaryKeys)).toEqual([-1, 9, 10, 2n ** 60n]);
    expect(['b', 'ä', 'a', 'B', '\u{1f600}', '\uffff'].sort(comparePrimaryKeys)).toEqual(['B', 'a', 'b', 'ä', '\u{1f600}', '\uffff']);
    expect(comparePrimaryKeys('a', 'a')).toBe(0);
  });
});
