import { defineSchema, f } from '@terndb/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type MilvusDoor, openMilvusDoor } from './testing/milvus-door.ts';

let door: MilvusDoor;
beforeAll(async () => {
  door = await openMilvusDoor();
});
afterAll(() => door.server.close());
const call: MilvusDoor['call'] = (path, body, headers) => door.call(path, body, headers);
const callText: MilvusDoor['callText'] = (path, body, headers) => door.callText(path, body, headers);
const quick: MilvusDoor['quick'] = (name, more) => door.quick(name, more);

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
    expect((await fetch(`${door.server.url}/v2/vectordb/collections/fly`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await fetch(`${door.server.url}/v2/vectordb/collections/list`)).status).toBe(404);
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

describe('indexes of scalar fields of the Milvus door', () => {
  const on = { collectionName: 'wares' };
  const fields = [
    { fieldName: 'id', dataType: 'Int64', isPrimary: true },
    { fieldName: 'price', dataType: 'Double' },
    { fieldName: 'name', dataType: 'VarChar', elementTypeParams: { max_length: 50 } },
    { fieldName: 'tags', dataType: 'Array', elementDataType: 'VarChar', elementTypeParams: { max_capacity: 4, max_length: 10 } },
    { fieldName: 'more', dataType: 'JSON' },
    { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: '2' } },
  ];
  const indexParams = [
    { fieldName: 'v', metricType: 'L2' },
    { fieldName: 'price', indexName: 'by_price', indexType: 'STL_SORT' },
  ];
  const servedBy = async (indexName: string): Promise<unknown> => {
    const { code, data } = await call('indexes/describe', { ...on, indexName });
    if (code !== 0) return code;
    return (data as { indexParams: { key: string; value: string }[] }[])[0]!.indexParams.find(({ key }) => key === 'served_by')?.value;
  };
  const create = async (fieldName: string, indexType: string): Promise<number> =>
    (await call('indexes/create', { ...on, indexParams: [{ fieldName, indexName: fieldName, indexType }] })).code;

  it('are built as asked for, with the collection or with rows in it', async () => {
    expect((await call('collections/create', { ...on, schema: { fields }, indexParams })).code).toBe(0);
    expect(await servedBy('by_price')).toBe('sorted index in segments from 4,096 rows, column scan with statistics elsewhere');
    const data = [{ id: 1, price: 2.5, name: 'cup', tags: ['new'], more: {}, v: [1, 2] }];
    expect((await call('entities/insert', { ...on, data })).code).toBe(0);
    expect(await create('name', 'INVERTED')).toBe(0);
    expect(await servedBy('name')).toBe('inverted index in segments from 4,096 rows, column scan with statistics elsewhere');
    expect(await create('tags', 'BITMAP')).toBe(0);
    expect(await servedBy('tags')).toMatch(/^bitmap index in segments from 4,096 rows and up to 1,024 values/);
    expect(await create('more', 'INVERTED')).toBe(0);
    expect(await servedBy('more')).toBe('column scan');
    const found = await call('entities/query', { ...on, filter: 'price > 1 and name == "cup"', outputFields: ['id'] });
    expect(found.data).toEqual([{ id: 1 }]);
  });

  it('stand beside those of vectors, also where the collection came from a device', async () => {
    const { definition } = defineSchema({ notes: { color: f.keyword(), near: f.vector(2) } });
    await door.server.real.catalog.createCollection('default', 'notes', definition.collections.notes);
    const notes = { collectionName: 'notes' };
    const indexed = async (): Promise<unknown> => (await call('indexes/list', notes)).data;
    expect(await indexed()).toEqual(['near']);
    const indexParams = [{ fieldName: 'color', indexName: 'color', indexType: 'INVERTED' }];
    expect((await call('indexes/create', { ...notes, indexParams })).code).toBe(0);
    expect(await indexed()).toEqual(['color', 'near']);
    expect((await call('collections/release', notes)).code).toBe(0);
    expect((await call('collections/load', notes)).code).toBe(0);
  });

  it('are refused where a field cannot have them, and beside another', async () => {
    expect(await create('tags', 'HNSW')).toBe(1100);
    expect(await create('tags', 'STL_SORT')).toBe(1100);
    expect(await create('name', 'BITMAP')).toBe(65_535);
    expect((await call('collections/create', { ...on, schema: { fields }, indexParams })).code).toBe(0);
  });

  it('are gone when they are dropped, and come again as another', async () => {
    const indexed = async (): Promise<unknown> => (await call('indexes/list', on)).data;
    expect(await indexed()).toEqual(['by_price', 'v', 'name', 'tags', 'more']);
    expect((await call('indexes/drop', { ...on, indexName: 'by_price' })).code).toBe(0);
    expect(await indexed()).toEqual(['v', 'name', 'tags', 'more']);
    expect(await servedBy('by_price')).toBe(700);
    const { real } = door.server;
    const field = (name: string): object | undefined =>
      real.catalog.find('default', 'wares')!.definition.fields.find((candidate) => candidate.name === name);
    expect(field('price')).toMatchObject({ params: { index: 'none' } });
    expect(await create('price', 'AUTOINDEX')).toBe(0);
    expect(field('price')).toMatchObject({ params: {} });
    expect(await servedBy('price')).toMatch(/^sorted, inverted or bitmap index in segments from 32,768 rows/);
    expect((await call('entities/query', { ...on, filter: 'price > 1', outputFields: ['id'] })).data).toEqual([{ id: 1 }]);
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

describe('a collection that is renamed into a database that is not there', () => {
  it('stays where it is: code 800', async () => {
    await quick('stays');
    const move = { collectionName: 'stays', newCollectionName: 'moved', newDbName: 'nowhere' };
    const answer = await call('collections/rename', move);
    expect([answer.code, answer.message]).toEqual([800, 'database not found[database=nowhere]']);
    expect((await call('collections/has', { collectionName: 'stays' })).data).toEqual({ has: true });
  });
});
