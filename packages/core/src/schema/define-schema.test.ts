import { describe, expect, test } from 'vitest';
import { errorOf } from '../testing/errors.ts';
import { defineSchema, schemaFromDefinition } from './define-schema.ts';
import type { FieldDefinition, SchemaDefinition } from './definition.ts';
import { f } from './fields.ts';
import { RESERVED_COLLECTIONS, RESERVED_FIELDS } from './names.ts';

/** Past the types, as JavaScript would call it. */
const define = defineSchema as unknown as (collections: unknown, options?: unknown) => ReturnType<typeof schemaFromDefinition>;
const anyF = f as unknown as Record<
  string,
  (...args: unknown[]) => { nullable(): unknown; default(value: unknown): { nullable(): unknown } }
>;
const fieldsOf = (shape: unknown): readonly FieldDefinition[] => define({ a: shape }).definition.collections['a']!.fields;
const fieldOf = (field: unknown): FieldDefinition => fieldsOf({ title: f.text(), x: field }).find(({ name }) => name === 'x')!;

describe('the canonical form', () => {
  test('has the key first, then fields by name in code unit order, and collections by name', () => {
    const { definition } = defineSchema({ b: { z: f.text(), sku: f.primaryKey('int64'), Z: f.text(), a: f.text() }, a: {} });
    expect(Object.keys(definition.collections)).toEqual(['a', 'b']);
    expect(definition.collections.b.fields.map(({ name }) => name)).toEqual(['sku', 'Z', 'a', 'z']);
  });

  test('does not depend on the order in which the literal names things', () => {
    const one = defineSchema({ a: { x: f.text(), y: f.keyword(), k: f.primaryKey('varchar') }, b: {} });
    const two = defineSchema({ b: {}, a: { k: f.primaryKey('varchar'), y: f.keyword(), x: f.text() } });
    expect(JSON.stringify(two)).toBe(JSON.stringify(one));
  });

  test('adds the key `id`, VarChar and automatic, where none is declared', () => {
    expect(fieldsOf({})).toEqual([
      { name: 'id', type: 'primaryKey', nullable: false, params: { keyType: 'varchar', autoId: true, maxLength: 512 } },
    ]);
  });

  test('lets a declared key leave the name `id` to another field', () => {
    expect(fieldsOf({ sku: f.primaryKey('int64'), id: f.keyword() }).map(({ name }) => name)).toEqual(['sku', 'id']);
  });

  test.each([
    ['text', f.text(), { search: false, maxLength: 523_264, analyzer: 'standard' }],
    ['collabText', f.collabText({ search: true }), { search: true, analyzer: 'standard' }],
    ['collab', f.collab(), {}],
    ['keyword', f.keyword(), { values: null }],
    ['keyword', f.keyword(['b', 'a']), { values: ['b', 'a'] }],
    ['date', f.date(), {}],
    ['array', f.array(f.int64()), { of: { name: 'element', type: 'int64', nullable: false, params: {} }, maxCapacity: 4096 }],
    ['sparseVector', f.sparseVector(), { metric: 'IP' }],
    [
      'binaryVector',
      f.binaryVector(64),
      { dim: 64, metric: 'HAMMING', index: { type: 'AUTOINDEX', m: 16, efConstruction: 200, quantization: 'none' } },
    ],
    [
      'vector',
      f.vector({ embed: ['title'] }),
      {
        dim: null,
        embed: ['title'],
        model: null,
        metric: 'COSINE',
        index: { type: 'AUTOINDEX', m: 16, efConstruction: 200, quantization: 'none' },
      },
    ],
    [
      'vector',
      f.vector(8, { metric: 'L2', index: { type: 'HNSW', m: 32 } }),
      { dim: 8, embed: null, model: null, metric: 'L2', index: { type: 'HNSW', m: 32, efConstruction: 200, quantization: 'none' } },
    ],
    [
      'vector',
      f.vector(8, { index: { engine: 'hnswlib' } }),
      {
        dim: 8,
        embed: null,
        model: null,
        metric: 'COSINE',
        index: { type: 'AUTOINDEX', m: 16, efConstruction: 200, quantization: 'none', engine: 'hnswlib' },
      },
    ],
  ])('names every param of %s', (type, field, params) => {
    expect(fieldOf(field)).toEqual({ name: 'x', type, nullable: false, params });
  });

  test('names no engine and no lists of an index where they are left out, so that hashes are those from before there were others', () => {
    expect(JSON.stringify(fieldOf(f.vector(8)))).not.toMatch(/engine|nlist/);
  });

  test('takes the elements of a vector, names none where they are float32, and refuses them beside embed', () => {
    expect(fieldOf(f.vector(8, { elements: 'int8' })).params).toMatchObject({ dim: 8, elements: 'int8' });
    expect(fieldOf(f.vector(8, { elements: 'float32' }))).toEqual(fieldOf(f.vector(8)));
    expect(() => fieldOf(f.vector(8, { elements: 'float64' as never }))).toThrow(/elements: 'float32' or 'float16'/);
    expect(() => defineSchema({ c: { text: f.text(), x: f.vector(8, { embed: ['text'], elements: 'float16' }) } })).toThrow(
      /elements: 'float32' with embed expected, got string "float16"/,
    );
  });

  test.each<[string, unknown, object]>([
    ['text', f.text({ index: 'sorted' }), { search: false, maxLength: 523_264, analyzer: 'standard', index: 'sorted' }],
    ['keyword', f.keyword(['a'], { index: 'bitmap' }), { values: ['a'], index: 'bitmap' }],
    ['keyword of any value', f.keyword({ index: 'inverted' }), { values: null, index: 'inverted' }],
    ['int64', f.int64({ index: 'none' }), { index: 'none' }],
    ['number', f.number({ index: 'inverted' }), { index: 'inverted' }],
    ['boolean', f.boolean({ index: 'bitmap' }), { index: 'bitmap' }],
    ['date', f.date({ index: 'sorted' }), { index: 'sorted' }],
  ])('names the index that %s asks for', (_, field, params) => {
    expect(fieldOf(field).params).toEqual(params);
  });

  test('names no index of scalars where it is left to the segments, so that hashes are those from before there was a choice', () => {
    expect(fieldOf(f.keyword({ index: 'auto' }))).toEqual(fieldOf(f.keyword()));
    expect(fieldOf(f.array(f.keyword(), { index: 'auto' }))).toEqual(fieldOf(f.array(f.keyword())));
    expect(fieldOf(f.array(f.keyword(), { index: 'inverted' })).params).toMatchObject({ index: 'inverted' });
  });

  test.each<[string, unknown, string, string, string]>([
    [
      'an inverted index of texts, which have no dictionary',
      f.text({ index: 'inverted' as never }),
      'index',
      "'auto' or 'none' or 'sorted'",
      'string "inverted"',
    ],
    [
      'an order of lists',
      f.array(f.int64(), { index: 'sorted' as never }),
      'index',
      "'auto' or 'none' or 'inverted' or 'bitmap'",
      'string "sorted"',
    ],
    [
      'an index by no name',
      f.int64({ index: 'btree' as never }),
      'index',
      "'auto' or 'none' or 'sorted' or 'inverted' or 'bitmap'",
      'string "btree"',
    ],
    ['an index of JSON', anyF['json']!({ index: 'sorted' }), '', 'no params', "'index'"],
    ['an index of a document', anyF['collabText']!({ index: 'sorted' }), '', 'only search, analyzer', "'index'"],
    ['an index of elements', f.array(f.int64({ index: 'sorted' })), 'of', 'elements without null, default and index', 'an index'],
  ])('refuses %s', (_, field, param, expected, got) => {
    const error = errorOf(() => fieldOf(field));
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID', details: { collection: 'a', field: 'x', ...(param && { param }) } });
    expect(error.message).toContain(expected);
    expect(error.details['got']).toBe(got);
  });

  test('takes lists of near rows, and how many, for dense vectors', () => {
    const index = { type: 'IVF', quantization: 'sq8', nlist: 128 } as const;
    expect(fieldOf(f.vector(8, { index })).params).toMatchObject({ index: { ...index, m: 16, efConstruction: 200 } });
    for (const nlist of [0, 65_537, 1.5, null]) {
      expect(() => fieldOf(f.vector(8, { index: { type: 'IVF', nlist: nlist as never } }))).toThrow(/nlist: integer from 1 to 65536/);
    }
    expect(() => fieldOf(f.binaryVector(64, { index: { nlist: 8 } as never }))).toThrow(/nlist/);
  });

  test('refuses another engine, and any for binary vectors', () => {
    expect(() => fieldOf(f.vector(8, { index: { engine: 'faiss' as never } }))).toThrow(/hnswlib/);
    expect(() => fieldOf(f.binaryVector(64, { index: { engine: 'hnswlib' } as never }))).toThrow(/engine/);
  });

  test.each([
    ['an int64 beyond 2^53 as decimal text', f.int64().default(2n ** 60n), '1152921504606846976'],
    ['a small bigint as a number', f.int64().default(-5n), -5],
    ['a date as ISO 8601 in UTC', f.date().default(new Date(5)), '1970-01-01T00:00:00.005Z'],
    ['JSON with its keys in order', f.json().default({ b: 1, a: [{ d: 1, c: 2 }] }), { a: [{ c: 2, d: 1 }], b: 1 }],
    ['an array by its elements', f.array(f.int64()).default([1n, 2n ** 62n]), [1, '4611686018427387904']],
    ['JSON null where null is a value', f.json().default(null), null],
  ])('writes a default: %s', (_, field, expected) => {
    expect(fieldOf(field).default).toEqual(expected);
  });

  test('has no default where a nullable field is given null, which says the same', () => {
    expect(fieldOf(f.number().nullable().default(null))).toEqual({ name: 'x', type: 'number', nullable: true, params: {} });
  });

  test('keeps nullable and default in whichever order they were called', () => {
    expect(fieldOf(f.number().nullable().default(1))).toEqual(fieldOf(anyF['number']!().default(1).nullable()));
  });

  test('is kept apart from the arrays that were passed in', () => {
    const values = ['a', 'b'];
    const schema = defineSchema({ a: { x: f.keyword(values) } });
    values.push('c');
    expect(JSON.stringify(schema)).not.toContain('"c"');
  });

  test('carries the version, 1 unless given', () => {
    expect(defineSchema({}).version).toBe(1);
    expect(JSON.parse(JSON.stringify(defineSchema({}, { version: 7 })))).toEqual({ format: 1, version: 7, collections: {} });
  });
});

describe('SCHEMA_INVALID names collection, field, expected and got', () => {
  const longName = 'x'.repeat(256);
  test.each<[string, unknown, string]>([
    ['a null field', { a: { x: null } }, 'a.x: field (f.text(), f.number() …) expected, got null'],
    ['a field that is no builder', { a: { x: 'text' } }, 'a.x: field (f.text(), f.number() …) expected, got string "text"'],
    ['a collection that is no object', { a: [f.text()] }, 'a: object of fields expected, got array of 1'],
    ['no collections', null, 'object of collections expected, got null'],
    ['a collection name with a dash', { 'a-b': {} }, 'collection name [A-Za-z_][A-Za-z0-9_]* of at most 255 expected, got string "a-b"'],
    ['a reserved collection', { close: {} }, "close: collection name that is not reserved expected, got 'close'"],
    ['a collection with an underscore in front', { _a: {} }, "_a: collection name that is not reserved expected, got '_a'"],
    [
      'a field name with a dot',
      { a: { 'x.y': f.text() } },
      'a: field name [A-Za-z_][A-Za-z0-9_]* of at most 255 expected, got string "x.y"',
    ],
    [
      'a field name that is too long',
      { a: { [longName]: f.text() } },
      `a: field name [A-Za-z_][A-Za-z0-9_]* of at most 255 expected, got string "${'x'.repeat(40)}…"`,
    ],
    ['a reserved field', { a: { not: f.text() } }, "a.not: field name that is not reserved expected, got 'not'"],
    [
      'a prototype trick',
      { a: JSON.parse('{"__proto__":null}') as unknown },
      'a.__proto__: field (f.text(), f.number() …) expected, got null',
    ],
    ['two keys', { a: { k: f.primaryKey('int64'), l: f.primaryKey('varchar') } }, 'a: one primary key expected, got k and l'],
    [
      'a field called id beside the implicit key',
      { a: { id: f.keyword() } },
      'a.id: key (f.primaryKey) under the name id expected, got keyword',
    ],
    [
      'an unknown param',
      { a: { x: anyF['text']!({ maxLenght: 3 }) } },
      "a.x: only search, maxLength, analyzer, index expected, got 'maxLenght'",
    ],
    ['a flag that is none', { a: { x: anyF['text']!({ search: 'yes' }) } }, 'a.x: search: boolean expected, got string "yes"'],
    ['a length of 0', { a: { x: f.text({ maxLength: 0 }) } }, 'a.x: maxLength: integer from 1 to 523264 expected, got number 0'],
    [
      'an unknown analyzer',
      { a: { x: anyF['text']!({ analyzer: 'klingon' }) } },
      `a.x: analyzer: 'standard' or 'english' or 'whitespace' or 'icu' expected, got string "klingon"`,
    ],
    [
      'a key longer than keys may be',
      { a: { k: f.primaryKey('varchar', { maxLength: 513 }) } },
      'a.k: maxLength: integer from 1 to 512 expected, got number 513',
    ],
    [
      'an int64 key with a length',
      { a: { k: anyF['primaryKey']!('int64', { maxLength: 3 }) } },
      'a.k: maxLength: none for an int64 key expected, got number 3',
    ],
    ['an unknown key type', { a: { k: anyF['primaryKey']!('uuid') } }, `a.k: keyType: 'varchar' or 'int64' expected, got string "uuid"`],
    ['a nullable key', { a: { k: anyF['primaryKey']!('int64').nullable() } }, 'a.k: primaryKey that is never null expected, got nullable'],
    ['no keyword values', { a: { x: f.keyword([]) } }, 'a.x: values: array of 1 to 1024 strings expected, got array of 0'],
    ['an empty keyword value', { a: { x: f.keyword(['']) } }, 'a.x: values: string of 1 to 65535 UTF-8 bytes at 0 expected, got string ""'],
    ['a keyword value twice', { a: { x: f.keyword(['b', 'a', 'b']) } }, 'a.x: values: distinct strings expected, got string "b" twice'],
    [
      'a keyword value that is no text',
      { a: { x: f.keyword(['\ud800']) } },
      'a.x: values: string of 1 to 65535 UTF-8 bytes at 0 expected, got string "\\ud800"',
    ],
    [
      'an array of texts',
      { a: { x: anyF['array']!(f.text()) } },
      `a.x: of: 'keyword' or 'int64' or 'number' or 'boolean' expected, got string "text"`,
    ],
    ['an array of nothing', { a: { x: anyF['array']!() } }, 'a.x: of: field (f.text(), f.number() …) expected, got undefined'],
    [
      'an array of nullable elements',
      { a: { x: anyF['array']!(f.number().nullable()) } },
      'a.x: of: elements without null, default and index expected, got nullable',
    ],
    [
      'an array of elements with a default',
      { a: { x: anyF['array']!(f.number().default(1)) } },
      'a.x: of: elements without null, default and index expected, got a default',
    ],
    [
      'an array that is too large',
      { a: { x: f.array(f.number(), { maxCapacity: 4097 }) } },
      'a.x: maxCapacity: integer from 1 to 4096 expected, got number 4097',
    ],
    [
      'a bad keyword inside an array',
      { a: { x: f.array(f.keyword(['b', 'b'])) } },
      'a.x: of.values: distinct strings expected, got string "b" twice',
    ],
    ['a vector without dim', { a: { x: anyF['vector']!() } }, 'a.x: dim: integer from 1 to 32768, or embed expected, got neither'],
    ['a dim of 0', { a: { x: f.vector(0) } }, 'a.x: dim: integer from 1 to 32768 expected, got number 0'],
    ['a dim that is no integer', { a: { x: f.vector(1.5) } }, 'a.x: dim: integer from 1 to 32768 expected, got number 1.5'],
    ['a dim that is too large', { a: { x: f.vector(32_769) } }, 'a.x: dim: integer from 1 to 32768 expected, got number 32769'],
    [
      'a binary dim that is no multiple of 8',
      { a: { x: f.binaryVector(12) } },
      'a.x: dim: integer from 8 to 262144, a multiple of 8 expected, got number 12',
    ],
    [
      'an unknown metric',
      { a: { x: anyF['vector']!(3, { metric: 'cosine' }) } },
      `a.x: metric: 'COSINE' or 'IP' or 'L2' expected, got string "cosine"`,
    ],
    ['a bad index param', { a: { x: f.vector(3, { index: { m: 1 } }) } }, 'a.x: index.m: integer from 2 to 2048 expected, got number 1'],
    [
      'an embed source that does not exist',
      { a: { x: f.vector(3, { embed: ['y'] }) } },
      "a.x: embed: names of text fields expected, got 'y' (no such field)",
    ],
    [
      'an embed source that is no text',
      { a: { n: f.number(), x: f.vector({ embed: ['n'] }) } },
      "a.x: embed: names of text fields expected, got 'n' (number)",
    ],
    ['an empty embed', { a: { x: f.vector({ embed: [] }) } }, 'a.x: embed: array of 1 to 16 strings expected, got array of 0'],
    [
      'an empty model',
      { a: { t: f.text(), x: f.vector({ embed: ['t'], model: '' }) } },
      'a.x: model: string of 1 to 255 characters expected, got string ""',
    ],
    [
      'a default that is not allowed',
      { a: { x: f.keyword(['b', 'c']).default('d' as 'b') } },
      `a.x: default that fits ('b' or 'c') expected, got string "d"`,
    ],
    [
      'a default of the wrong type',
      { a: { x: anyF['number']!().default('1') } },
      'a.x: default that fits (number) expected, got string "1"',
    ],
    ['a default of NaN', { a: { x: f.number().default(Number.NaN) } }, 'a.x: default that fits (number) expected, got number NaN'],
    [
      'a default null of a field that is not nullable',
      { a: { x: anyF['number']!().default(null) } },
      'a.x: default that fits (number) expected, got null',
    ],
    [
      'a default that has lost digits',
      { a: { x: f.int64().default(2 ** 60) } },
      'a.x: default that fits (64-bit integer) expected, got number 1152921504606847000',
    ],
    [
      'a default beyond 64 bits',
      { a: { x: f.int64().default(2n ** 63n) } },
      'a.x: default that fits (64-bit integer) expected, got string "9223372036854775808"',
    ],
    [
      'a default that is no moment',
      { a: { x: f.date().default(new Date(Number.NaN)) } },
      'a.x: default that fits (date (ISO 8601, UTC)) expected, got string "Invalid Date"',
    ],
    [
      'a default that is no JSON',
      { a: { x: anyF['json']!().default({ at: new Date() }) } },
      'a.x: default that fits (json) expected, got Object',
    ],
    [
      'a default longer than the text may be',
      { a: { x: f.text({ maxLength: 3 }).default('ää') } },
      'a.x: default that fits (text) expected, got string "ää"',
    ],
    [
      'a default with too many elements',
      { a: { x: f.array(f.number(), { maxCapacity: 1 }).default([1, 2]) } },
      'a.x: default that fits (array) expected, got array of 2',
    ],
    [
      'a default of a vector',
      { a: { x: anyF['vector']!(3).default([1, 2, 3]) } },
      'a.x: default that fits (vector) expected, got array of 3',
    ],
  ])('%s', (_, collections, message) => {
    const error = errorOf(() => define(collections));
    expect(error.code).toBe('SCHEMA_INVALID');
    expect(error.message).toBe(message);
    expect(Object.keys(error.details)).toEqual(expect.arrayContaining(['collection', 'expected', 'got']));
  });

  test('the details say the same as the message, as data', () => {
    const { details } = errorOf(() => define({ a: { x: f.vector(3, { index: { m: 1 } }) } }));
    expect(details).toEqual({ collection: 'a', field: 'x', param: 'index.m', expected: 'integer from 2 to 2048', got: 'number 1' });
  });

  test.each([...RESERVED_COLLECTIONS])('the collection name %s is reserved', (name) => {
    expect(errorOf(() => define({ [name]: {} })).code).toBe('SCHEMA_INVALID');
  });

  test.each([...RESERVED_FIELDS, '__defineGetter__'])('the field name %s is reserved', (name) => {
    expect(errorOf(() => define({ a: { [name]: f.text() } })).message).toContain('reserved');
  });

  test('every member of Object.prototype is reserved, so that records of fields are safe', () => {
    for (const name of Object.getOwnPropertyNames(Object.prototype))
      expect(() => define({ a: Object.fromEntries([[name, f.text()]]) })).toThrow('reserved');
  });

  test.each([0, -1, 1.5, '1', Number.NaN, null])('a version of %s', (version) => {
    expect(errorOf(() => define({}, { version })).message).toContain('version that is an integer from 1 expected');
  });

  test('more fields than a collection may have', () => {
    const shape = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`f${i}`, f.number()]));
    expect(errorOf(() => define({ a: shape })).message).toBe('a: at most 64 fields expected, got 65');
  });

  test('more vectors than a collection may have', () => {
    const shape = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`f${i}`, i % 2 ? f.vector(3) : f.sparseVector()]));
    expect(errorOf(() => define({ a: shape })).message).toBe('a: at most 10 vector fields expected, got 11');
  });

  test('a definition that the meta store could not hold', () => {
    const values = Array.from({ length: 1000 }, (_, i) => `${i}`.padStart(100, '0'));
    expect(errorOf(() => define({ a: { x: f.keyword(values) } })).message).toMatch(
      /^a: definition of at most 60000 bytes expected, got \d+$/,
    );
  });

  test('more collections than a database may have', () => {
    const many = Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`c${i}`, {}]));
    expect(errorOf(() => define(many)).message).toBe('at most 1024 collections expected, got 1025');
  });
});

describe('schemaFromDefinition', () => {
  const from = schemaFromDefinition as (definition: unknown) => ReturnType<typeof schemaFromDefinition>;
  const withFields = (...fields: unknown[]): unknown => ({ format: 1, version: 1, collections: { a: { fields } } });

  test('gives back what JSON carried away', () => {
    const schema = defineSchema({ a: { x: f.text({ search: true }), v: f.vector({ embed: ['x'] }) } }, { version: 3 });
    expect(schemaFromDefinition(JSON.parse(JSON.stringify(schema)) as SchemaDefinition).definition).toEqual(schema.definition);
  });

  test('brings fields into their order and fills in params that were left out', () => {
    const { definition } = from(withFields({ name: 'b', type: 'text' }, { name: 'a', type: 'number' }, { name: 'k', type: 'primaryKey' }));
    expect(definition).toEqual(defineSchema({ a: { k: f.primaryKey('varchar'), a: f.number(), b: f.text() } }).definition);
  });

  test('refuses a newer format with FORMAT_VERSION_UNSUPPORTED', () => {
    expect(errorOf(() => from({ format: 2, version: 1, collections: {} })).code).toBe('FORMAT_VERSION_UNSUPPORTED');
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'schema definition expected, got undefined'],
    ['no format', { version: 1, collections: {} }, 'format 1 expected, got undefined'],
    ['no version', { format: 1, collections: {} }, 'version that is an integer from 1 expected, got undefined'],
    ['an unknown member', { format: 1, version: 1, collections: {}, extra: 1 }, "only format, version, collections expected, got 'extra'"],
    ['collections in an array', { format: 1, version: 1, collections: [] }, 'object of collections expected, got array of 0'],
    ['no fields', { format: 1, version: 1, collections: { a: {} } }, 'a: object with fields expected, got Object'],
    ['a field that is none', withFields(1), 'a: field expected, got number 1'],
    [
      'an unknown type',
      withFields({ name: 'x', type: 'geo' }),
      'a.x: field type (primaryKey, text, collabText, collab, keyword, int64, number, boolean, date, json, array, vector, sparseVector, binaryVector) expected, got string "geo"',
    ],
    [
      'a type of Object.prototype',
      withFields({ name: 'x', type: 'toString' }),
      'a.x: field type (primaryKey, text, collabText, collab, keyword, int64, number, boolean, date, json, array, vector, sparseVector, binaryVector) expected, got string "toString"',
    ],
    [
      'a name twice',
      withFields({ name: 'x', type: 'text' }, { name: 'x', type: 'number' }),
      "a.x: distinct field names expected, got 'x' twice",
    ],
    ['params that are none', withFields({ name: 'x', type: 'text', params: [] }), 'a.x: object expected, got array of 0'],
    [
      'a param of another type',
      withFields({ name: 'x', type: 'text', params: { dim: 3 } }),
      "a.x: only search, maxLength, analyzer, index expected, got 'dim'",
    ],
    ['a param where there is none', withFields({ name: 'x', type: 'json', params: { dim: 3 } }), "a.x: no params expected, got 'dim'"],
    [
      'a date in another form',
      withFields({ name: 'x', type: 'date', default: '2020-01-01' }),
      'a.x: default that fits (date (ISO 8601, UTC)) expected, got string "2020-01-01"',
    ],
    [
      'an int64 in another form',
      withFields({ name: 'x', type: 'int64', default: '5' }),
      'a.x: default that fits (64-bit integer) expected, got string "5"',
    ],
  ])('refuses %s', (_, definition, message) => {
    const error = errorOf(() => from(definition));
    expect(error.code).toBe('SCHEMA_INVALID');
    expect(error.message).toBe(message);
  });
});
