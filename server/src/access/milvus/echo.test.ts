import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
}

let server: DoorServer;
beforeAll(async () => {
  server = await startMemoryServer();
});
afterAll(() => server.close());

const call = async (path: string, body: object | string): Promise<Answer> =>
  (await server.post(`/v2/vectordb/${path}`, body, 'root:open sesame')).json() as Promise<Answer>;
async function ok(path: string, body: object | string): Promise<unknown> {
  const { code, message, data } = await call(path, body);
  expect([path, code, message ?? '']).toEqual([path, 0, '']);
  return data;
}

interface Described {
  readonly consistencyLevel: string;
  readonly fields: readonly { readonly name: string; readonly id: number }[];
  readonly indexes: readonly object[];
  readonly properties: readonly object[];
}
const describeOf = (collectionName: string): Promise<Described> => ok('collections/describe', { collectionName }) as Promise<Described>;
const field = (fieldName: string, dataType: string, more: object = {}): object => ({ fieldName, dataType, ...more });

describe('a collection is described as it was made', () => {
  it('with its fields in the order in which they were declared, outputs of functions among them, and added ones last; rows, too', async () => {
    const fields = [
      field('vector', 'FloatVector', { elementTypeParams: { dim: 2 } }),
      field('title', 'VarChar', { elementTypeParams: { max_length: 100, enable_analyzer: true } }),
      field('words', 'SparseFloatVector'),
      field('pk', 'Int64', { isPrimary: true }),
      field('another', 'FloatVector', { elementTypeParams: { dim: 2 } }),
    ];
    const functions = [{ name: 'f', type: 'BM25', inputFieldNames: ['title'], outputFieldNames: ['words'] }];
    const indexParams = [
      { fieldName: 'another', metricType: 'IP' },
      { fieldName: 'vector', metricType: 'L2', indexName: 'first' },
      { fieldName: 'words', metricType: 'BM25' },
    ];
    await ok('collections/create', { collectionName: 'ordered', schema: { fields, functions }, indexParams });
    await ok('collections/fields/add', { collectionName: 'ordered', schema: field('a_later_one', 'Int8', { nullable: true }) });
    await ok('collections/fields/add', { collectionName: 'ordered', schema: field('Z_last', 'Int8', { nullable: true }) });
    const { fields: shown, indexes } = await describeOf('ordered');
    const names = ['vector', 'title', 'words', 'pk', 'another', 'a_later_one', 'Z_last'];
    expect(shown.map(({ name, id }) => [name, id])).toEqual(names.map((name, at) => [name, 100 + at]));
    // Of the first vector field, as Milvus has it.
    expect(indexes).toEqual([{ fieldName: 'vector', indexName: 'first', metricType: 'L2' }]);
    await ok('entities/insert', { collectionName: 'ordered', data: [{ title: 'a', another: [1, 0], pk: 1, vector: [1, 0] }] });
    const rows = (await ok('entities/query', { collectionName: 'ordered', filter: 'pk == 1' })) as readonly object[];
    expect(Object.keys(rows[0]!)).toEqual(names.filter((name) => name !== 'words'));
  });

  it('with the consistency level that was asked for, which holds for reads that name none; one that is none is refused', async () => {
    await ok('collections/create', { collectionName: 'strong', dimension: 2, params: { consistencyLevel: 'Strong' } });
    expect((await describeOf('strong')).consistencyLevel).toBe('Strong');
    await ok('entities/query', { collectionName: 'strong', filter: 'id > 0' });
    await ok('collections/create', { collectionName: 'plain', dimension: 2 });
    expect((await describeOf('plain')).consistencyLevel).toBe('Bounded');
    const odd = { collectionName: 'odd', dimension: 2, params: { consistencyLevel: 'strong' } };
    expect(await call('collections/create', odd)).toMatchObject({
      code: 1100,
      message: expect.stringContaining('consistencyLevel can only be'),
    });
  });

  it('with what tunes it, though nothing here is tuned by that; what the server keeps there itself cannot be given', async () => {
    const params = { 'mmap.enabled': true, partitionKeyIsolation: false, ttlSeconds: 60 };
    await ok('collections/create', { collectionName: 'tuned', dimension: 2, params, properties: { owner: 'ann' } });
    expect((await describeOf('tuned')).properties).toEqual(
      expect.arrayContaining([
        { key: 'owner', value: 'ann' },
        { key: 'mmap.enabled', value: 'true' },
        { key: 'partitionkey.isolation', value: 'false' },
        { key: 'collection.ttl.seconds', value: '60' },
      ]),
    );
    const own = { collectionName: 'own', dimension: 2, properties: { 'milvus.load': 'released' } };
    expect(await call('collections/create', own)).toMatchObject({ code: 1100, message: expect.stringContaining('milvus.load') });
  });

  it('with as many fields and indexes as Milvus lets it have', async () => {
    const long = (at: number): string => `a_field_with_a_rather_long_name_${at}`;
    const texts = Array.from({ length: 61 }, (_, at) => field(long(at), 'VarChar', { elementTypeParams: { max_length: 65_535 } }));
    const fields = [field('id', 'Int64', { isPrimary: true }), field('vector', 'FloatVector', { elementTypeParams: { dim: 2 } }), ...texts];
    const indexes = Array.from({ length: 61 }, (_, at) => ({
      fieldName: long(at),
      indexName: `index_of_${long(at)}`,
      indexType: 'INVERTED',
    }));
    const indexParams = [{ fieldName: 'vector', metricType: 'L2', indexType: 'HNSW', params: { M: 16, efConstruction: 200 } }, ...indexes];
    await ok('collections/create', { collectionName: 'many', schema: { fields }, indexParams });
    expect((await describeOf('many')).fields).toHaveLength(63);
    expect(await ok('indexes/list', { collectionName: 'many' })).toHaveLength(62);
  });
});

describe('what serves an index', () => {
  it.each([
    ['AUTOINDEX', 'graph of int8 codes'],
    ['DISKANN', 'graph of int8 codes'],
    ['AISAQ', 'graph of int8 codes'],
    ['HNSW', 'graph of whole rows'],
    ['HNSW_SQ', 'graph of int8 codes'],
    ['IVF_FLAT', 'lists of whole rows'],
    ['IVF_RABITQ', 'lists of one-bit codes'],
    ['GPU_BRUTE_FORCE', 'exact scan'],
  ])('of type %s is told: %s', async (indexType, served) => {
    const schema = { fields: [field('id', 'Int64', { isPrimary: true }), field('v', 'FloatVector', { elementTypeParams: { dim: 2 } })] };
    const collectionName = `served_${indexType}`;
    await ok('collections/create', { collectionName, schema, indexParams: [{ fieldName: 'v', metricType: 'L2', indexType }] });
    const told = JSON.stringify(await ok('indexes/describe', { collectionName, indexName: 'v' }));
    expect(told).toContain(`{"key":"served_by","value":"${served}`);
  });
});

describe('values that would be changed in silence', () => {
  beforeAll(async () => {
    const fields = [
      field('id', 'Int64', { isPrimary: true }),
      field('vector', 'FloatVector', { elementTypeParams: { dim: 2 } }),
      field('json', 'JSON', { nullable: true }),
    ];
    const schema = { enableDynamicField: true, fields };
    await ok('collections/create', { collectionName: 'exact', schema, indexParams: [{ fieldName: 'vector', metricType: 'L2' }] });
  });

  it.each([
    '"json": 9007199254740993',
    '"json": {"a": [1, 9007199254740993]}',
    '"free": 9007199254740993',
    '"free": {"a": 9007199254740993}',
  ])('are refused: %s is no JSON value that keeps its digits', async (member) => {
    const refused = await call('entities/insert', `{"collectionName": "exact", "data": [{"id": 1, "vector": [1, 0], ${member}}]}`);
    expect(refused).toMatchObject({
      code: 1804,
      message: expect.stringContaining('got 9007199254740993: keep it as a text, or in a field of type Int64'),
    });
  });

  it('are those alone: smaller integers, and long ones as texts, are taken', async () => {
    const data = [{ id: 1, vector: [1, 0], json: { a: 9007199254740991 }, free: '9007199254740993' }];
    await ok('entities/insert', { collectionName: 'exact', data });
    expect(await ok('entities/query', { collectionName: 'exact', filter: 'id == 1' })).toEqual(data);
  });
});

describe('a query with a limit of 0', () => {
  it('has none where a filter says which rows, and is refused where nothing does', async () => {
    await ok('collections/create', { collectionName: 'unlimited', dimension: 2 });
    const data = Array.from({ length: 150 }, (_, id) => ({ id, vector: [1, 0] }));
    await ok('entities/insert', { collectionName: 'unlimited', data });
    const on = { collectionName: 'unlimited', limit: 0, outputFields: ['id'] };
    expect(await ok('entities/query', { ...on, filter: 'id >= 10' })).toHaveLength(140);
    expect(await ok('entities/query', { ...on, filter: 'id >= 10', offset: 100 })).toHaveLength(40);
    expect(await call('entities/query', on)).toMatchObject({
      code: 1100,
      message: expect.stringContaining('empty expression should be used with limit'),
    });
    expect(await call('entities/query', { ...on, filter: 'id >= 10', offset: -1 })).toMatchObject({ code: 65_535 });
    expect(await call('entities/search', { ...on, data: [[1, 0]] })).toMatchObject({
      code: 65_535,
      message: expect.stringContaining('topk [0]'),
    });
  });
});

describe('a search with something that is no vector', () => {
  it.each([[[1, 0]], [[null]], [['AAAA']], [[true]], [[['1', '0']]], [[[1, null]]]])('%j is not JSON of it: 1801', async (data) => {
    expect(await call('entities/search', { collectionName: 'unlimited', data })).toMatchObject({ code: 1801 });
  });

  it('is refused as a group, too: of a key of the dynamic field', async () => {
    const asked = { collectionName: 'unlimited', data: [[1, 0]], groupingField: 'free' };
    expect(await call('entities/search', asked)).toMatchObject({
      code: 1100,
      message: expect.stringContaining('a field of the schema expected'),
    });
  });
});
