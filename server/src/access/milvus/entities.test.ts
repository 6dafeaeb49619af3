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
      ['entities/query', { limit: 0 }, 1100, 'empty expression should be used with limit'],
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
      ['entities/delete', { filter: '1 == 1' }, 1100, "delete plan can't be empty or always true"],
      ['entities/upsert', { data: [{ id: 1 }], fieldOps: [{ fieldName: 'x', op: 'array_append' }] }, 3000, 'give the whole of it'],
      ['entities/upsert', { data: [{ id: 1 }], fieldOps: [{ fieldName: 'x', op: 'ADD' }] }, 1100, 'REPLACE, ARRAY_APPEND or ARRAY_REMOVE'],
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
