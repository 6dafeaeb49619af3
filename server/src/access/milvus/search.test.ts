import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data: readonly Record<string, unknown>[];
  readonly topks?: readonly number[];
}

let server: DoorServer;
beforeAll(async () => {
  server = await startMemoryServer();
});
afterAll(() => server.close());

async function call(path: string, body: object): Promise<Answer> {
  return (await server.post(`/v2/vectordb/${path}`, body, 'root:open sesame')).json() as Promise<Answer>;
}

async function ok(path: string, body: object): Promise<Answer> {
  const answer = await call(path, body);
  expect([path, answer.code, answer.message]).toEqual([path, 0, undefined]);
  return answer;
}

const key = { fieldName: 'id', dataType: 'Int64', isPrimary: true };
const text = (more: object = {}): object => ({
  fieldName: 'body',
  dataType: 'VarChar',
  elementTypeParams: { max_length: 1000, enable_analyzer: true, ...more },
});
const BM25 = { name: 'words', type: 'BM25', inputFieldNames: ['body'], outputFieldNames: ['sparse'] };
const SPARSE = { fieldName: 'sparse', dataType: 'SparseFloatVector' };
const index = (fieldName: string, metricType: string, indexType = 'AUTOINDEX'): object => ({ fieldName, metricType, indexType });

describe('full text search of the Milvus door', () => {
  const articles = { collectionName: 'articles' };
  beforeAll(async () => {
    await ok('collections/create', {
      ...articles,
      schema: { fields: [key, text({ analyzer_params: { type: 'english' } }), SPARSE], functions: [BM25] },
      indexParams: [index('sparse', 'BM25', 'SPARSE_INVERTED_INDEX')],
    });
    const bodies = ['Cats sleep all day', 'A dog chases the cat, and the cat runs', 'Birds sing in the morning'];
    await ok('entities/insert', { ...articles, data: bodies.map((body, id) => ({ id, body })) });
  });

  it('ranks rows by the words of a text, on the output field of the function', async () => {
    const { data, topks } = await ok('entities/search', {
      ...articles,
      data: ['cat', 'singing'],
      annsField: 'sparse',
      outputFields: ['body'],
    });
    expect(topks).toEqual([2, 1]);
    expect(data.map(({ id }) => id)).toEqual([1, 0, 2]);
    expect(data.every(({ distance }) => (distance as number) > 0)).toBe(true);
  });

  it('finds words by a filter, and the text is a field like others', async () => {
    const query = async (filter: string): Promise<unknown> =>
      (await ok('entities/query', { ...articles, filter, outputFields: ['id'] })).data.map(({ id }) => id);
    expect(await query('text_match(body, "cats")')).toEqual([0, 1]);
    expect(await query('body == "Cats sleep all day"')).toEqual([0]);
    expect(await query('body like "A dog%"')).toEqual([1]);
  });

  it('describes the function and its output as Milvus does', async () => {
    const { data } = (await call('collections/describe', articles)) as unknown as { data: Record<string, unknown> };
    expect(data).toMatchObject({
      functions: [{ name: 'words', type: 1, inputFieldNames: ['body'], outputFieldNames: ['sparse'] }],
      fields: [{ name: 'id' }, { name: 'body', type: 'VarChar' }, { name: 'sparse', type: 'SparseFloatVector', isFunctionOutput: true }],
    });
    expect((await ok('indexes/describe', { ...articles, indexName: 'sparse' })).data).toMatchObject([
      { indexType: 'SPARSE_INVERTED_INDEX', metricType: 'BM25' },
    ]);
  });

  it.each([
    ['rows that give the output field', 'entities/insert', { data: [{ id: 9, body: 'x', sparse: { 1: 1 } }] }, 1804],
    ['a vector where a text is expected', 'entities/search', { data: [[1, 2]], annsField: 'sparse' }, 1801],
    ['another metric', 'entities/search', { data: ['cat'], annsField: 'sparse', searchParams: { metricType: 'IP' } }, 1100],
  ])('refuses %s', async (_what, path, body, code) => {
    expect(await call(path, { ...articles, ...body })).toMatchObject({ code });
  });

  it.each([
    [{ ...BM25, type: 'TextEmbedding' }, 'TextEmbedding'],
    [{ ...BM25, inputFieldNames: ['id'] }, 'enable_analyzer'],
    [{ ...BM25, outputFieldNames: ['nowhere'] }, 'output field not found'],
  ])('refuses the function %j', async (wanted, message) => {
    const schema = { fields: [key, text(), SPARSE], functions: [wanted] };
    expect(await call('collections/create', { collectionName: 'odd', schema })).toMatchObject({
      code: 1100,
      message: expect.stringContaining(message),
    });
  });
});

describe('searches of the Milvus door', () => {
  const shop = { collectionName: 'shop' };
  const ids = (answer: Answer): unknown[] => answer.data.map(({ id }) => id);
  beforeAll(async () => {
    const brand = { fieldName: 'brand', dataType: 'VarChar', elementTypeParams: { max_length: 20 } };
    const price = { fieldName: 'price', dataType: 'Double' };
    const vector = (fieldName: string): object => ({ fieldName, dataType: 'FloatVector', elementTypeParams: { dim: 2 } });
    await ok('collections/create', {
      ...shop,
      schema: { fields: [key, brand, price, vector('look'), vector('feel'), text(), SPARSE], functions: [BM25] },
      indexParams: [index('look', 'COSINE', 'HNSW'), index('feel', 'L2', 'IVF_FLAT'), index('sparse', 'BM25')],
    });
    await ok('entities/insert', {
      ...shop,
      data: [
        { id: 1, brand: 'a', price: 10, look: [1, 0], feel: [0, 0], body: 'red shoe' },
        { id: 2, brand: 'a', price: 20, look: [1, 0.1], feel: [1, 0], body: 'red hat' },
        { id: 3, brand: 'b', price: 30, look: [1, 0.2], feel: [2, 0], body: 'blue hat' },
        { id: 4, brand: 'b', price: 40, look: [0, 1], feel: [3, 0], body: 'blue shoe' },
      ],
    });
  });

  it('take one hit of each group, or as many as asked', async () => {
    const grouped = (more: object): Promise<Answer> =>
      ok('entities/search', { ...shop, data: [[1, 0]], annsField: 'look', groupingField: 'brand', limit: 2, ...more });
    expect(ids(await grouped({}))).toEqual([1, 3]);
    expect(ids(await grouped({ groupSize: 2, strictGroupSize: true }))).toEqual([1, 2, 3, 4]);
    expect(
      await call('entities/search', { ...shop, data: [[1, 0]], annsField: 'look', groupingField: 'brand', groupSize: 11 }),
    ).toMatchObject({
      code: 1100,
    });
  });

  it('take ef and nprobe from either place, and refuse two values for one', async () => {
    const search = (searchParams: object): Promise<Answer> =>
      call('entities/search', { ...shop, data: [[1, 0]], annsField: 'look', searchParams });
    for (const params of [{ ef: 64 }, { params: { ef: 64, nprobe: 4 } }, { ef: 64, params: { ef: 64 } }])
      expect((await search(params)).code).toBe(0);
    expect(await search({ ef: 10, params: { ef: 20 } })).toMatchObject({ code: 1100, message: expect.stringContaining('ambiguous') });
    expect((await search({ params: { ef: 'many' } })).code).toBe(1100);
    expect((await search({ params: { ef: 0 } })).code).toBe(1100);
  });

  it('are fused by weights, scores of all metrics brought to one scale', async () => {
    const hybrid = (weights: readonly number[], norm_score?: boolean): Promise<Answer> =>
      call('entities/hybrid_search', {
        ...shop,
        search: [
          { data: [[1, 0]], annsField: 'look', limit: 4 },
          { data: [[3, 0]], annsField: 'feel', limit: 4 },
          { data: ['blue'], annsField: 'sparse', limit: 4 },
        ],
        rerank: { strategy: 'weighted', params: { weights, ...(norm_score === undefined ? {} : { norm_score }) } },
        limit: 4,
      });
    expect(ids(await hybrid([1, 0, 0]))).toEqual([1, 2, 3, 4]);
    expect(ids(await hybrid([0, 1, 0]))).toEqual([4, 3, 2, 1]);
    expect(ids(await hybrid([0, 1, 0], false))).toEqual([4, 3, 2, 1]);
    expect(
      ids(await hybrid([0, 0, 1]))
        .slice(0, 2)
        .sort(),
    ).toEqual([3, 4]);
    expect((await hybrid([1, 0, 0])).data[0]!['distance']).toBe(1);
    expect(await hybrid([1, 0])).toMatchObject({ code: 1100 });
    expect(await hybrid([1, 0, 2])).toMatchObject({ code: 1100 });
  });

  it('are reranked by decay and boost', async () => {
    const search = async (params: object, inputFieldNames: readonly string[] = []): Promise<unknown> => {
      const functions = [{ name: 'f', type: 'Rerank', inputFieldNames, outputFieldNames: [], params }];
      return call('entities/search', { ...shop, data: [[1, 0]], annsField: 'look', functionScore: { functions } });
    };
    const decay = { reranker: 'decay', function: 'exp', origin: 30, scale: 5, decay: 0.1 };
    expect(((await search(decay, ['price'])) as Answer).data[0]).toMatchObject({ id: 3 });
    const boost = { reranker: 'boost', filter: 'brand == "b"', weight: 3 };
    expect(((await search(boost)) as Answer).data[0]).toMatchObject({ id: 3 });
    expect(await search({ reranker: 'model', provider: 'tei' })).toMatchObject({ code: 1100, message: expect.stringContaining('model') });
  });
});

describe('queries of the Milvus door', () => {
  const sales = { collectionName: 'sales' };
  beforeAll(async () => {
    const tenant = { fieldName: 'tenant', dataType: 'VarChar', isPartitionKey: true, elementTypeParams: { max_length: 20 } };
    const at = { fieldName: 'at', dataType: 'Timestamptz', nullable: true };
    const amount = { fieldName: 'amount', dataType: 'Int32', defaultValue: 5 };
    const v = { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } };
    await ok('collections/create', { ...sales, schema: { fields: [key, tenant, at, amount, v] }, indexParams: [index('v', 'L2')] });
    const row = (id: number, amount_: number, at_?: string): object => ({
      id,
      tenant: 't',
      amount: amount_,
      v: [id, 0],
      ...(at_ === undefined ? {} : { at: at_ }),
    });
    await ok('entities/insert', { ...sales, data: [row(1, 5, '2026-01-01T00:00:00Z'), row(2, 9), row(3, 5)] });
  });

  it('answer in the order asked for, equal rows by key', async () => {
    const order = async (orderByFields?: readonly string[]): Promise<unknown[]> =>
      (await ok('entities/query', { ...sales, limit: 10, orderByFields, outputFields: ['id'] })).data.map(({ id }) => id);
    expect(await order()).toEqual([1, 2, 3]);
    expect(await order(['amount:desc'])).toEqual([2, 1, 3]);
    expect(await order(['amount', 'id:desc'])).toEqual([3, 1, 2]);
    expect(await call('entities/query', { ...sales, limit: 10, orderByFields: ['none'] })).not.toMatchObject({ code: 0 });
  });

  it('tell times as ISO texts', async () => {
    const { data } = await ok('entities/query', { ...sales, limit: 2, outputFields: ['at'] });
    expect(data).toEqual([
      { id: 1, at: '2026-01-01T00:00:00.000Z' },
      { id: 2, at: null },
    ]);
  });

  it('know the partition key, with which partitions are not named', async () => {
    const { data } = (await call('collections/describe', sales)) as unknown as { data: { fields: readonly object[] } };
    expect(data.fields).toContainEqual(expect.objectContaining({ name: 'tenant', partitionKey: true }));
    expect(data.fields).toContainEqual(expect.objectContaining({ name: 'amount', defaultValue: { Data: { IntData: 5 } } }));
    expect(await call('partitions/create', { ...sales, partitionName: 'p' })).toMatchObject({ code: 65_535 });
    const data_ = [{ id: 9, tenant: 't', amount: 1, v: [0, 0] }];
    expect(await call('entities/insert', { ...sales, partitionName: '_default', data: data_ })).toMatchObject({ code: 1100 });
  });
});

describe('vectors of other elements at the Milvus door', () => {
  const half = Buffer.from(new Uint16Array([0x3c00, 0xc000]).buffer).toString('base64');
  const brain = Buffer.from(new Uint16Array([0x3f80, 0xc000]).buffer).toString('base64');
  const bytes = Buffer.from(new Int8Array([1, -2]).buffer).toString('base64');

  it.each([
    ['Float16Vector', half],
    ['BFloat16Vector', brain],
    ['Int8Vector', bytes],
  ])('%s are taken as numbers or base64, searched, and told as base64', async (dataType, base64) => {
    const collectionName = `of_${dataType}`;
    const fields = [key, { fieldName: 'v', dataType, elementTypeParams: { dim: 2 } }];
    await ok('collections/create', { collectionName, schema: { fields }, indexParams: [index('v', 'L2', 'HNSW')] });
    await ok('entities/insert', {
      collectionName,
      data: [
        { id: 1, v: [1, -2] },
        { id: 2, v: base64 },
        { id: 3, v: [100, 100] },
      ],
    });
    expect((await ok('entities/query', { collectionName, filter: 'id < 3' })).data).toEqual([
      { id: 1, v: base64 },
      { id: 2, v: base64 },
    ]);
    for (const query of [[1, -2], base64]) {
      const { data } = await ok('entities/search', { collectionName, data: [query], limit: 2 });
      expect(data.map(({ id, distance }) => [id, distance])).toEqual([
        [1, 0],
        [2, 0],
      ]);
    }
    expect(await call('entities/insert', { collectionName, data: [{ id: 4, v: [1] }] })).toMatchObject({ code: 1804 });
    const { data } = (await call('collections/describe', { collectionName })) as unknown as { data: object };
    expect(data).toMatchObject({ fields: [{ name: 'id' }, { name: 'v', type: dataType, params: [{ key: 'dim', value: '2' }] }] });
  });
});
