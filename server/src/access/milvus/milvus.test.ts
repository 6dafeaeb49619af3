import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { MILVUS_ROUTES } from './handlers.ts';

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
  readonly topks?: readonly number[];
  readonly cost?: number;
}

let server: DoorServer;
const ROOT = 'root:open sesame';
beforeAll(async () => {
  server = await startMemoryServer();
});
afterAll(() => server.close());

async function callText(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${server.url}/v2/vectordb/${path}`, {
    method: 'POST',
    // As the Node SDK sends it.
    headers: { 'content-type': 'text/plain;charset=UTF-8', authorization: `Bearer ${ROOT}`, ...headers },
    body,
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function call(path: string, body: object, headers?: Record<string, string>): Promise<Answer> {
  const { status, text } = await callText(path, JSON.stringify(body), headers);
  expect(status).toBe(200);
  return JSON.parse(text) as Answer;
}

const quick = (collectionName: string, more: object = {}): Promise<Answer> =>
  call('collections/create', { collectionName, dimension: 2, ...more });

describe('collections of the Milvus door', () => {
  it('are created quickly, described, listed, loaded and dropped', async () => {
    expect(await quick('books')).toEqual({ code: 0, data: {} });
    // The same again is fine, another is not.
    expect((await quick('books')).code).toBe(0);
    expect(await quick('books', { dimension: 3 })).toMatchObject({
      code: 65_535,
      message: expect.stringContaining('create duplicate collection with different parameters'),
    });
    expect(await call('collections/has', { collectionName: 'books' })).toEqual({ code: 0, data: { has: true } });
    expect(await call('collections/list', {})).toEqual({ code: 0, data: ['books'] });
    const { data } = await call('collections/describe', { collectionName: 'books' });
    expect(data).toMatchObject({
      collectionName: 'books',
      collectionID: expect.any(Number),
      autoId: false,
      load: 'LoadStateLoaded',
      shardsNum: 1,
      partitionsNum: 1,
      enableDynamicField: true,
      indexes: [{ fieldName: 'vector', indexName: 'vector', metricType: 'COSINE' }],
      fields: [
        { name: 'id', id: 100, type: 'Int64', primaryKey: true, autoId: false, nullable: false },
        { name: 'vector', id: 101, type: 'FloatVector', primaryKey: false, params: [{ key: 'dim', value: '2' }] },
      ],
    });
    expect((data as { fields: unknown[] }).fields).toHaveLength(2);
    expect(await call('collections/get_load_state', { collectionName: 'books' })).toEqual({
      code: 0,
      message: '',
      data: { loadState: 'LoadStateLoaded', loadProgress: 100 },
    });
    expect((await call('collections/release', { collectionName: 'books' })).code).toBe(0);
    expect(await call('collections/get_load_state', { collectionName: 'books' })).toMatchObject({
      data: { loadState: 'LoadStateNotLoad' },
    });
    expect(await call('entities/query', { collectionName: 'books' })).toMatchObject({ code: 101 });
    expect((await call('collections/load', { collectionName: 'books' })).code).toBe(0);
    expect((await call('entities/query', { collectionName: 'books' })).code).toBe(0);
    expect((await call('collections/drop', { collectionName: 'books' })).code).toBe(0);
    expect((await call('collections/drop', { collectionName: 'books' })).code).toBe(0);
    expect(await call('collections/has', { collectionName: 'books' })).toEqual({ code: 0, data: { has: false } });
  });

  it('are refused with the codes that clients know', async () => {
    const refused: readonly (readonly [string, object, number, string])[] = [
      ['collections/create', { collectionName: 'x' }, 1100, 'dimension is required'],
      ['collections/create', { dimension: 2 }, 1802, 'missing required parameters'],
      ['collections/create', { collectionName: '1x', dimension: 2 }, 1100, 'Invalid collection name'],
      ['collections/create', { collectionName: 'x', dimension: 2, idType: 'Float' }, 1100, 'idType'],
      ['collections/create', { collectionName: 'x', dimension: 2, metricType: 'NEAR' }, 1100, 'metric type'],
      ['collections/create', { collectionName: 'x', dimension: '2' }, 1801, 'can only accept json format request'],
      ['collections/create', { collectionName: 'x', dimension: 40_000 }, 1100, 'invalid parameter'],
      ['collections/describe', { collectionName: 'none' }, 100, "can't find collection"],
      ['collections/describe', {}, 1802, 'missing required parameters'],
      ['collections/load', { collectionName: 'none' }, 100, "can't find collection"],
      ['collections/list', { dbName: 'none' }, 800, 'database not found'],
      ['entities/insert', { collectionName: 'none', data: [{}] }, 100, "can't find collection"],
    ];
    for (const [path, body, code, message] of refused) {
      const answer = await call(path, body);
      expect([path, body, answer.code]).toEqual([path, body, code]);
      expect(answer.message).toContain(message);
    }
    for (const body of ['', ' ', '{', '[]', '"x"', 'null']) {
      const { status, text } = await callText('collections/list', body);
      expect([body, status, (JSON.parse(text) as Answer).code]).toEqual([body, 200, 1801]);
    }
    expect((await fetch(`${server.url}/v2/vectordb/collections/fly`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await fetch(`${server.url}/v2/vectordb/collections/list`)).status).toBe(404);
  });

  it('take a schema with Milvus’ types, and say them again', async () => {
    const fields = [
      { fieldName: 'key', dataType: 'VarChar', isPrimary: true, elementTypeParams: { max_length: 64 } },
      { fieldName: 'age', dataType: 'Int8', nullable: true },
      { fieldName: 'name', dataType: 'VarChar', elementTypeParams: { max_length: '5' } },
      { fieldName: 'tags', dataType: 'Array', elementDataType: 'VarChar', elementTypeParams: { max_capacity: 4, max_length: 10 } },
      { fieldName: 'more', dataType: 'JSON', nullable: true },
      { fieldName: 'near', dataType: 'FloatVector', elementTypeParams: { dim: '2' } },
    ];
    const indexParams = [{ fieldName: 'near', indexName: 'near', metricType: 'L2', indexType: 'HNSW' }];
    expect((await call('collections/create', { collectionName: 'people', schema: { fields }, indexParams, description: 'all' })).code).toBe(
      0,
    );
    const { data } = await call('collections/describe', { collectionName: 'people' });
    const described = data as {
      description: string;
      fields: { name: string; type: string; elementType?: string; params?: { key: string; value: string }[] }[];
    };
    expect(described.description).toBe('all');
    expect(Object.fromEntries(described.fields.map(({ name, type }) => [name, type]))).toEqual({
      key: 'VarChar',
      age: 'Int8',
      name: 'VarChar',
      tags: 'Array',
      more: 'JSON',
      near: 'FloatVector',
    });
    expect(described.fields.find(({ name }) => name === 'name')!.params).toEqual([{ key: 'max_length', value: '5' }]);
    expect(described.fields.find(({ name }) => name === 'tags')!.elementType).toBe('VarChar');
    const row = { key: 'a', age: -128, name: 'short', tags: ['x'], more: { deep: [1] }, near: [3, 4] };
    expect(await call('entities/insert', { collectionName: 'people', data: row })).toMatchObject({
      code: 0,
      data: { insertCount: 1, insertIds: ['a'] },
    });
    for (const bad of [{ age: 128 }, { name: 'longer' }, { name: null }, { near: [1] }, { extra: 1 }, { age: 'x' }, { key: undefined }]) {
      const answer = await call('entities/insert', { collectionName: 'people', data: [{ ...row, ...bad }] });
      expect([bad, answer.code]).toEqual([bad, 1804]);
      expect(answer.message).toContain('fail to deal the insert data');
    }
    const found = await call('entities/search', { collectionName: 'people', data: [[0, 0]], outputFields: ['*'] });
    expect(found).toMatchObject({ code: 0, data: [{ ...row, distance: 25 }], topks: [1] });
    expect((await call('entities/query', { collectionName: 'people', outputFields: ['none'] })).code).toBe(65_535);
  });
});

describe('entities of the Milvus door', () => {
  it('are inserted, read, searched, upserted and deleted', async () => {
    await quick('notes');
    const data = [
      { id: 1, vector: [1, 0], color: 'red', stars: 5 },
      { id: 2, vector: [0, 1], color: 'blue', stars: 3 },
      { id: 3, vector: [0.6, 0.8], color: 'red', stars: 1 },
    ];
    expect(await call('entities/insert', { collectionName: 'notes', data })).toEqual({
      code: 0,
      cost: 0,
      data: { insertCount: 3, insertIds: [1, 2, 3] },
    });
    expect(await call('entities/get', { collectionName: 'notes', id: [3, 9, 1], outputFields: ['color', 'vector'] })).toEqual({
      code: 0,
      cost: 0,
      data: [
        { id: 3, vector: [0.6, 0.8], color: 'red' },
        { id: 1, vector: [1, 0], color: 'red' },
      ],
    });
    expect((await call('entities/get', { collectionName: 'notes', id: 2 })).data).toEqual([data[1]]);
    const query = { collectionName: 'notes', filter: 'color == "red" and stars > 2', outputFields: ['color'] };
    expect((await call('entities/query', query)).data).toEqual([{ id: 1, color: 'red' }]);
    expect((await call('entities/query', { ...query, filter: '$meta["stars"] in {wanted}', exprParams: { wanted: [1, 3] } })).data).toEqual(
      [
        { id: 2, color: 'blue' },
        { id: 3, color: 'red' },
      ],
    );
    expect((await call('entities/query', { collectionName: 'notes', outputFields: ['count(*)'] })).data).toEqual([{ 'count(*)': 3 }]);
    const found = await call('entities/search', {
      collectionName: 'notes',
      data: [
        [1, 0],
        [0, 1],
      ],
      limit: 2,
      filter: 'color in ["red", "blue"]',
      outputFields: ['stars'],
    });
    expect(found).toEqual({
      code: 0,
      cost: 0,
      topks: [2, 2],
      data: [
        { id: 1, distance: 1, stars: 5 },
        { id: 3, distance: expect.closeTo(0.6, 4), stars: 1 },
        { id: 2, distance: 1, stars: 3 },
        { id: 3, distance: expect.closeTo(0.8, 4), stars: 1 },
      ],
    });
    expect(await call('entities/upsert', { collectionName: 'notes', data: [{ id: 2, vector: [1, 1] }] })).toMatchObject({
      data: { upsertCount: 1, upsertIds: [2] },
    });
    expect((await call('entities/get', { collectionName: 'notes', id: 2 })).data).toEqual([{ id: 2, vector: [1, 1] }]);
    expect((await call('entities/upsert', { collectionName: 'notes', partialUpdate: true, data: [{ id: 1, vector: [0, 2] }] })).code).toBe(
      0,
    );
    expect((await call('entities/delete', { collectionName: 'notes', filter: 'id in [1, 2]' })).data).toEqual({ deleteCount: 2 });
    expect((await call('collections/get_stats', { collectionName: 'notes' })).data).toEqual({ rowCount: 1 });
  });

  it('are refused with the codes that clients know', async () => {
    await quick('strict', { params: { enableDynamicField: 'false' } });
    const on = { collectionName: 'strict' };
    const refused: readonly (readonly [string, object, number, string])[] = [
      ['entities/insert', { data: [{ id: 1, vector: [1] }] }, 1804, 'fail to deal the insert data'],
      ['entities/insert', { data: [{ id: 1 }] }, 1804, 'fail to deal the insert data'],
      ['entities/insert', { data: [{ id: 1, vector: [1, 2], more: 1 }] }, 1804, 'fail to deal the insert data'],
      ['entities/insert', { data: [{ id: 'x', vector: [1, 2] }] }, 1804, 'fail to deal the insert data'],
      ['entities/insert', { data: [] }, 1802, 'missing required parameters'],
      ['entities/insert', { data: [{ id: 1, vector: [1, 2] }], partitionName: 'none' }, 200, 'partition not found'],
      [
        'entities/upsert',
        {
          data: [
            { id: 1, vector: [1, 2] },
            { id: 1, vector: [1, 2] },
          ],
        },
        1100,
        'duplicate primary keys',
      ],
      ['entities/query', { filter: 'id >' }, 1100, 'failed to create query plan: cannot parse expression'],
      ['entities/query', { limit: 0 }, 65_535, 'topk [0] is invalid'],
      ['entities/query', { limit: 16_385 }, 65_535, 'topk [16385] is invalid'],
      ['entities/query', { limit: 16_384, offset: 1 }, 65_535, 'invalid max query result window'],
      [
        'entities/query',
        { consistencyLevel: 'Now' },
        1100,
        'consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized]',
      ],
      ['entities/query', { partitionNames: ['none'] }, 200, 'partition not found'],
      ['entities/query', { outputFields: ['count(*)'], offset: 0 }, 1100, 'count entities with pagination is not allowed'],
      ['entities/search', {}, 1802, 'missing required parameters'],
      ['entities/search', { data: [[1, 2]], ids: [1] }, 1100, 'invalid parameter'],
      ['entities/search', { data: [[1, 2, 3]] }, 1801, 'can only accept json format request'],
      ['entities/search', { data: [[1, 2]], searchParams: { metricType: 'L2' } }, 1100, 'metric type not match'],
      ['entities/search', { data: [[1, 2]], annsField: 'none' }, 1100, 'cannot find a vector field'],
      ['entities/delete', { filter: '' }, 1802, 'missing required parameters'],
      ['entities/delete', { filter: 'true' }, 1100, ''],
      ['entities/get', {}, 1802, 'missing required parameters'],
    ];
    for (const [path, body, code, message] of refused) {
      const answer = await call(path, { ...on, ...body });
      expect([path, body, answer.code, answer.message]).toEqual([path, body, code, expect.stringContaining(message)]);
    }
  });

  it('have integers that are exact to 64 bits, as numbers or as texts', async () => {
    await quick('exact', { autoID: false });
    const big = '9223372036854775807';
    const { text } = await callText('entities/insert', `{"collectionName":"exact","data":[{"id":${big},"vector":[1,0]}]}`);
    expect(text).toBe(`{"code":0,"cost":0,"data":{"insertCount":1,"insertIds":[${big}]}}`);
    const asNumbers = await callText('entities/query', `{"collectionName":"exact","filter":"id == ${big}"}`);
    expect(asNumbers.text).toContain(`"id":${big}`);
    const asTexts = await callText('entities/search', '{"collectionName":"exact","data":[[1,0]]}', { 'accept-type-allow-int64': 'false' });
    expect(asTexts.text).toContain(`"id":"${big}"`);
    const byText = await callText('entities/get', `{"collectionName":"exact","id":["${big}"]}`);
    expect(byText.text).toContain(`"id":${big}`);
  });

  it('get their keys from the server where the collection says so', async () => {
    await quick('minted', { autoID: true });
    const { data } = await call(
      'entities/insert',
      { collectionName: 'minted', data: [{ vector: [1, 0] }, { vector: [0, 1] }] },
      { 'accept-type-allow-int64': 'false' },
    );
    const { insertIds } = data as { insertIds: string[] };
    expect(new Set(insertIds).size).toBe(2);
    const query = { collectionName: 'minted', filter: `id == ${insertIds[1]}`, outputFields: ['vector'] };
    expect((await call('entities/query', query, { 'accept-type-allow-int64': 'false' })).data).toEqual([
      { id: insertIds[1], vector: [0, 1] },
    ]);
    expect((await call('entities/insert', { collectionName: 'minted', data: [{ id: 5, vector: [1, 0] }] })).code).toBe(1804);
  });

  it('live in partitions', async () => {
    await quick('parted');
    expect((await call('partitions/create', { collectionName: 'parted', partitionName: '2024-a' })).code).toBe(0);
    expect((await call('partitions/create', { collectionName: 'parted', partitionName: '2024-a' })).code).toBe(0);
    await call('entities/insert', { collectionName: 'parted', partitionName: '2024-a', data: [{ id: 1, vector: [1, 0] }] });
    await call('entities/insert', { collectionName: 'parted', data: [{ id: 2, vector: [1, 0] }] });
    const idsIn = async (partitionNames?: readonly string[]): Promise<unknown> =>
      (
        (await call('entities/query', { collectionName: 'parted', partitionNames, outputFields: ['id'], consistencyLevel: 'Strong' }))
          .data as { id: number }[]
      ).map(({ id }) => id);
    expect([await idsIn(), await idsIn(['2024-a']), await idsIn(['_default'])]).toEqual([[1, 2], [1], [2]]);
    expect((await call('partitions/list', { collectionName: 'parted' })).data).toEqual(expect.arrayContaining(['_default', '2024-a']));
    expect((await call('partitions/get_stats', { collectionName: 'parted', partitionName: '2024-a' })).data).toEqual({ rowCount: 1 });
    expect(await call('partitions/drop', { collectionName: 'parted', partitionName: '2024-a' })).toMatchObject({ code: 65_535 });
    await call('collections/release', { collectionName: 'parted' });
    expect((await call('partitions/drop', { collectionName: 'parted', partitionName: '2024-a' })).code).toBe(0);
    expect((await call('partitions/has', { collectionName: 'parted', partitionName: '2024-a' })).data).toEqual({ has: false });
  });
});

describe('hybrid search of the Milvus door', () => {
  it('fuses several searches by rank, each with its own field and filter', async () => {
    const vectors = ['near', 'far'].map((fieldName) => ({ fieldName, dataType: 'FloatVector', elementTypeParams: { dim: 2 } }));
    const fields = [{ fieldName: 'id', dataType: 'Int64', isPrimary: true }, ...vectors];
    const indexParams = vectors.map(({ fieldName }) => ({ fieldName, metricType: 'L2' }));
    await call('collections/create', { collectionName: 'two_fields', schema: { fields }, indexParams });
    const data = [1, 2, 3].map((id) => ({ id, near: [id, 0], far: [-id, 0] }));
    await call('entities/insert', { collectionName: 'two_fields', data });
    const hybrid = (search: readonly object[], more: object = {}): Promise<Answer> =>
      call('entities/hybrid_search', { collectionName: 'two_fields', search, consistencyLevel: 'Strong', ...more });
    const near = { data: [[1, 0]], annsField: 'near', limit: 3 };
    const both = await hybrid([near, { data: [[-3, 0]], annsField: 'far', filter: 'id != 2' }], {
      rerank: { strategy: 'rrf', params: { k: 1 } },
      limit: 2,
    });
    // 1: first and second; 3: third and first; 2: second of one list only.
    expect(both).toEqual({
      code: 0,
      cost: 0,
      topks: [2],
      data: [
        { id: 1, distance: expect.closeTo(1 / 2 + 1 / 3, 5) },
        { id: 3, distance: expect.closeTo(1 / 4 + 1 / 2, 5) },
      ],
    });
    const refused: readonly (readonly [readonly object[], object, number])[] = [
      [[], {}, 1802],
      [[{ annsField: 'near' }], {}, 1802],
      [
        [
          near,
          {
            data: [
              [1, 0],
              [1, 0],
            ],
            annsField: 'far',
          },
        ],
        {},
        1100,
      ],
      [[{ data: [[1, 0]] }], {}, 1801],
      [[near], { rerank: { strategy: 'weighted' } }, 1100],
      [[near], { rerank: { params: { k: 0 } } }, 1100],
    ];
    for (const [search, more, code] of refused) expect([search, more, (await hybrid(search, more)).code]).toEqual([search, more, code]);
  });
});

describe('aliases, databases and indexes of the Milvus door', () => {
  it('stand for collections, one at a time', async () => {
    for (const name of ['one', 'two']) await quick(name);
    const alias = (what: string, body: object): Promise<Answer> => call(`aliases/${what}`, body);
    expect((await alias('create', { collectionName: 'one', aliasName: 'it' })).code).toBe(0);
    expect((await alias('create', { collectionName: 'one', aliasName: 'it' })).code).toBe(0);
    expect((await alias('create', { collectionName: 'two', aliasName: 'it' })).code).toBe(1602);
    expect((await alias('create', { collectionName: 'two', aliasName: 'one' })).code).toBe(1601);
    expect((await alias('create', { collectionName: 'none', aliasName: 'x' })).code).toBe(100);
    expect((await alias('alter', { collectionName: 'two', aliasName: 'none' })).code).toBe(1600);
    await call('entities/insert', { collectionName: 'it', data: [{ id: 1, vector: [1, 0] }] });
    expect((await call('entities/get', { collectionName: 'one', id: 1, outputFields: ['id'] })).data).toEqual([{ id: 1 }]);
    expect((await call('collections/has', { collectionName: 'it' })).data).toEqual({ has: true });
    expect((await call('collections/drop', { collectionName: 'it' })).code).toBe(65_535);
    expect((await call('collections/drop', { collectionName: 'one' })).code).toBe(65_535);
    expect((await alias('alter', { collectionName: 'two', aliasName: 'it' })).code).toBe(0);
    expect((await alias('describe', { aliasName: 'it' })).data).toEqual({ dbName: 'default', collectionName: 'two', aliasName: 'it' });
    expect((await alias('list', { collectionName: 'two' })).data).toEqual(['it']);
    expect((await call('collections/drop', { collectionName: 'one' })).code).toBe(0);
    expect((await alias('drop', { aliasName: 'it' })).code).toBe(0);
    expect((await alias('describe', { aliasName: 'it' })).code).toBe(1600);
  });

  it('are databases of their own', async () => {
    expect((await call('databases/create', { dbName: 'other' })).code).toBe(0);
    expect((await call('databases/create', { dbName: 'other' })).code).toBe(65_535);
    expect((await call('databases/list', {})).data).toEqual(expect.arrayContaining(['default', 'other']));
    expect((await quick('apart', { dbName: 'other' })).code).toBe(0);
    expect((await call('collections/list', {}, { 'db-name': 'other' })).data).toEqual(['apart']);
    expect((await call('collections/has', { collectionName: 'apart' })).data).toEqual({ has: false });
    await call('entities/insert', { dbName: 'other', collectionName: 'apart', data: [{ id: 7, vector: [1, 0] }] });
    expect((await call('entities/query', { dbName: 'other', collectionName: 'apart', outputFields: ['id'] })).data).toEqual([{ id: 7 }]);
    expect((await call('databases/drop', { dbName: 'other' })).code).toBe(65_535);
    expect((await call('collections/drop', { dbName: 'other', collectionName: 'apart' })).code).toBe(0);
    expect((await call('databases/drop', { dbName: 'other' })).code).toBe(0);
    expect((await call('databases/drop', { dbName: 'default' })).code).toBe(65_535);
  });

  it('say which index serves, and accept its creation in the metric of the field', async () => {
    await quick('indexed', { metricType: 'L2' });
    const on = { collectionName: 'indexed' };
    expect((await call('indexes/list', on)).data).toEqual(['vector']);
    expect((await call('indexes/describe', { ...on, indexName: 'vector' })).data).toMatchObject([
      { fieldName: 'vector', metricType: 'L2', indexState: 'Finished' },
    ]);
    expect((await call('indexes/describe', { ...on, indexName: 'none' })).code).toBe(700);
    const create = async (metricType: string, indexType = 'HNSW'): Promise<number> =>
      (await call('indexes/create', { ...on, indexParams: [{ fieldName: 'vector', metricType, indexType, params: { M: 8 } }] })).code;
    expect(await create('L2')).toBe(65_535);
    expect((await call('indexes/drop', { ...on, indexName: 'vector' })).code).toBe(1100);
    expect((await call('collections/release', on)).code).toBe(0);
    expect((await call('indexes/drop', { ...on, indexName: 'vector' })).code).toBe(0);
    expect(await call('collections/load', on)).toMatchObject({ code: 700 });
    expect(await create('L2', 'BIN_FLAT')).toBe(1100);
    // While it is empty, another metric and another index are still possible.
    expect(await create('IP')).toBe(0);
    expect(await create('IP')).toBe(0);
    expect((await call('collections/load', on)).code).toBe(0);
    const described = async (): Promise<unknown> => (await call('indexes/describe', { ...on, indexName: 'vector' })).data;
    const servedBy = { key: 'served_by', value: 'graph of whole rows, scored again from the rows' };
    expect(await described()).toMatchObject([{ indexType: 'HNSW', metricType: 'IP', indexParams: expect.arrayContaining([servedBy]) }]);
    await call('entities/insert', { ...on, data: [{ id: 1, vector: [3, 4] }] });
    expect((await call('entities/search', { ...on, data: [[1, 1]] })).data).toEqual([{ id: 1, distance: 7 }]);
    await call('collections/release', on);
    await call('indexes/drop', { ...on, indexName: 'vector' });
    expect(await create('L2')).toBe(1100);
    // With rows a type that is not built is told as what it is.
    expect(await create('IP', 'DISKANN')).toBe(0);
    expect(await described()).toMatchObject([{ indexType: 'DISKANN', indexParams: expect.arrayContaining([servedBy]) }]);
  });
});

describe('changing a collection of the Milvus door', () => {
  it('adds nullable fields that old rows read as null, and describes them at once', async () => {
    await quick('grown', { params: { enableDynamicField: false } });
    await call('entities/insert', { collectionName: 'grown', data: [{ id: 1, vector: [1, 0] }] });
    const add = (schema: object): Promise<Answer> => call('collections/fields/add', { collectionName: 'grown', schema });
    expect((await add({ fieldName: 'age', dataType: 'Int8', nullable: true })).code).toBe(0);
    const { data } = await call('collections/describe', { collectionName: 'grown' });
    expect((data as { fields: readonly object[] }).fields).toContainEqual(
      expect.objectContaining({ name: 'age', type: 'Int8', nullable: true }),
    );
    await call('entities/insert', { collectionName: 'grown', data: [{ id: 2, vector: [1, 0], age: 7 }] });
    const rows = await call('entities/query', { collectionName: 'grown', outputFields: ['age'], consistencyLevel: 'Strong' });
    expect(rows.data).toEqual([
      { id: 1, age: null },
      { id: 2, age: 7 },
    ]);
    expect(await add({ fieldName: 'age', dataType: 'Int8', nullable: true })).toMatchObject({ code: 1100 });
    expect(await add({ fieldName: 'other', dataType: 'Int8' })).toMatchObject({ code: 1100, message: expect.stringContaining('nullable') });
    expect(await add({ fieldName: 'other', dataType: 'Int7', nullable: true })).toMatchObject({ code: 1100 });
  });

  it('keeps properties, and none of those that Tern needs', async () => {
    await quick('tuned');
    const alter = (properties: object): Promise<Answer> => call('collections/alter_properties', { collectionName: 'tuned', properties });
    expect((await alter({ 'mmap.enabled': true, owner: 'ann' })).code).toBe(0);
    const shown = async (): Promise<unknown> =>
      ((await call('collections/describe', { collectionName: 'tuned' })).data as { properties: unknown }).properties;
    expect(await shown()).toEqual([
      { key: 'mmap.enabled', value: 'true' },
      { key: 'owner', value: 'ann' },
    ]);
    expect((await alter({ 'milvus.load': 'released' })).code).toBe(1100);
    expect((await call('collections/drop_properties', { collectionName: 'tuned', propertyKeys: ['owner', 'milvus.dynamic'] })).code).toBe(
      0,
    );
    expect(await shown()).toEqual([{ key: 'mmap.enabled', value: 'true' }]);
    expect((await call('collections/describe', { collectionName: 'tuned' })).data).toMatchObject({ enableDynamicField: true });
  });

  it('truncates: every row goes, the collection stays', async () => {
    for (const [collectionName, more] of [
      ['emptied', {}],
      ['emptied_texts', { idType: 'VarChar', params: { max_length: 8 } }],
    ] as const) {
      await quick(collectionName, more);
      const data = ['1', '2', '3'].map((id) => ({ id: collectionName === 'emptied' ? Number(id) : id, vector: [1, 0] }));
      await call('entities/insert', { collectionName, data });
      expect(await call('collections/truncate', { collectionName })).toEqual({ code: 0, data: {} });
      const count = await call('entities/query', { collectionName, outputFields: ['count(*)'], consistencyLevel: 'Strong' });
      expect(count.data).toEqual([{ 'count(*)': 0 }]);
    }
  });
});

describe('analyzers of the Milvus door', () => {
  const run = (analyzerParams: unknown, more: object = {}): Promise<Answer> =>
    call('common/run_analyzer', { text: ['The Cats ran'], analyzerParams, ...more });
  const tokens = async (analyzerParams: unknown): Promise<unknown> =>
    ((await run(analyzerParams)).data as { results: readonly { tokens: readonly { token: string }[] }[] }).results.map((result) =>
      result.tokens.map(({ token }) => token),
    );

  it('show what they make of a text', async () => {
    expect(await tokens(undefined)).toEqual([['the', 'cats', 'ran']]);
    expect(await tokens({ type: 'english' })).toEqual([['cat', 'ran']]);
    expect(await tokens('{"type":"standard","stop_words":["ran"]}')).toEqual([['the', 'cats']]);
    expect(await tokens({ tokenizer: 'whitespace', filter: ['lowercase', { type: 'length', max: 3 }] })).toEqual([['the', 'ran']]);
    expect((await run(undefined, { withDetail: true })).data).toMatchObject({
      results: [{ tokens: [{ token: 'the', startOffset: 0, endOffset: 3, position: 0, positionLength: 1 }, {}, {}] }],
    });
  });

  it('that Tern has not are refused by name', async () => {
    for (const [params, name] of [
      [{ type: 'chinese' }, 'chinese'],
      [{ tokenizer: 'jieba' }, 'jieba'],
      [{ tokenizer: 'standard', filter: ['pinyin'] }, 'pinyin'],
      [{ tokenizer: 'standard', filter: [{ type: 'stemmer', language: 'klingon' }] }, 'klingon'],
    ] as const) {
      expect(await run(params)).toMatchObject({ code: 1100, message: expect.stringContaining(name) });
    }
  });
});

describe('security of the Milvus door', () => {
  const withToken = async (path: string, body: object, authorization?: string): Promise<{ status: number; answer: Answer }> => {
    const response = await fetch(`${server.url}/v2/vectordb/${path}`, {
      method: 'POST',
      headers: authorization === undefined ? {} : { authorization },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: (await response.json()) as Answer };
  };

  it('asks who it is: 401 and 1800 without, root by Basic, Bearer or bare', async () => {
    for (const authorization of [undefined, 'Bearer x', 'Bearer root:wrong', 'Basic !']) {
      expect(await withToken('collections/list', {}, authorization)).toEqual({
        status: 401,
        answer: { code: 1800, message: "user hasn't authenticated" },
      });
    }
    for (const authorization of [`Basic ${Buffer.from(ROOT).toString('base64')}`, `Bearer ${ROOT}`, ROOT]) {
      expect((await withToken('collections/list', {}, authorization)).status).toBe(200);
    }
  });

  it('holds tokens to their partitions, and the catalog to those with the schema grant', async () => {
    await quick('guarded');
    for (const partitionName of ['mine', 'theirs']) await call('partitions/create', { collectionName: 'guarded', partitionName });
    const token = `Bearer ${await server.token({ partitions: { mine: 'write', 'them*': 'read' } })}`;
    const insert = (partitionName?: string): Promise<{ status: number }> =>
      withToken('entities/insert', { collectionName: 'guarded', partitionName, data: [{ id: 1, vector: [1, 0] }] }, token);
    expect([(await insert('mine')).status, (await insert('theirs')).status, (await insert()).status]).toEqual([200, 403, 403]);
    const query = (partitionNames?: readonly string[]): Promise<{ status: number; answer: Answer }> =>
      withToken('entities/query', { collectionName: 'guarded', partitionNames, outputFields: ['id'], consistencyLevel: 'Strong' }, token);
    await call('entities/insert', { collectionName: 'guarded', data: [{ id: 2, vector: [1, 0] }] });
    expect((await query()).answer.data).toEqual([{ id: 1 }]);
    expect((await query(['_default'])).status).toBe(403);
    for (const path of ['collections/create', 'collections/drop', 'partitions/create']) {
      const refused = await withToken(path, { collectionName: 'guarded', partitionName: 'x', dimension: 2 }, token);
      expect([path, refused.status, refused.answer.code]).toEqual([path, 403, 65_535]);
      expect(refused.answer.message).toContain('permission deny to ann');
    }
    const stranger = `Bearer ${await server.token({ partitions: { elsewhere: 'read' } })}`;
    expect((await withToken('collections/list', {}, stranger)).answer.data).toEqual([]);
    expect((await withToken('collections/describe', { collectionName: 'guarded' }, stranger)).status).toBe(403);
  });

  it('lets pages of any origin in with a token, and names the headers they may send', async () => {
    const response = await fetch(`${server.url}/v2/vectordb/collections/list`, {
      method: 'OPTIONS',
      headers: { origin: 'https://x.example' },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    for (const header of ['Request-Timeout', 'DB-Name', 'Accept-Type-Allow-Int64', 'Authorization']) {
      expect(response.headers.get('access-control-allow-headers')).toContain(header);
    }
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('is not led astray by prototypes, depth or names', async () => {
    await quick('hostile');
    const { text } = await callText(
      'entities/insert',
      '{"collectionName":"hostile","data":[{"id":1,"vector":[1,0],"__proto__":{"admin":true},"constructor":2}]}',
    );
    expect((JSON.parse(text) as Answer).code).toBe(0);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    const rows = await callText('entities/query', '{"collectionName":"hostile","outputFields":["constructor","__proto__"]}');
    expect(rows.text).toContain('"constructor":2');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const nested = await callText('entities/insert', `{"collectionName":"hostile","data":[{"id":2,"vector":[1,0],"deep":${deep}}]}`);
    expect([nested.status, (JSON.parse(nested.text) as Answer).code]).toEqual([200, 1804]);
    expect((await call('collections/describe', { collectionName: '__proto__' })).code).toBe(100);
    expect((await call('entities/query', { collectionName: 'hostile', filter: '('.repeat(10_000) })).code).toBe(1100);
  });
});

describe('any body at any route', () => {
  it('is answered without a failure inside', async () => {
    await quick('fuzzed');
    const words = [
      'collectionName',
      'data',
      'filter',
      'id',
      'limit',
      'offset',
      'outputFields',
      'dbName',
      'partitionName',
      'aliasName',
      'dimension',
      'schema',
      'fields',
      'indexParams',
    ];
    const text = fc.oneof(
      fc.constantFrom('fuzzed', '_default', 'vector', 'id > 1', '*', ''),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.double(),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 3 }),
        tie('object'),
      ),
      object: fc.dictionary(fc.oneof(fc.constantFrom(...words), text), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    }));
    const body = fc.record(Object.fromEntries(words.map((word) => [word, word === 'collectionName' ? text : value.any])), {
      requiredKeys: ['collectionName'],
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...MILVUS_ROUTES.keys()), body, async (route, given) => {
        const { status, text: answer } = await callText(route, JSON.stringify(given));
        expect([200, 403]).toContain(status);
        expect((JSON.parse(answer) as Answer).code).toEqual(expect.any(Number));
      }),
      propertyOptions(300),
    );
  });
});
