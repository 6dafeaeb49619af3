import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type MilvusDoor, openMilvusDoor } from './testing/milvus-door.ts';

let door: MilvusDoor;
const collectionName = 'sales';
const query = (body: object, headers?: Record<string, string>): Promise<Answer> =>
  door.call('entities/query', { collectionName, ...body }, headers);

beforeAll(async () => {
  door = await openMilvusDoor();
  const fields = [
    { fieldName: 'id', dataType: 'Int64', isPrimary: true },
    { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
    { fieldName: 'shop', dataType: 'VarChar', elementTypeParams: { max_length: 20 } },
    { fieldName: 'pieces', dataType: 'Int64', nullable: true },
    { fieldName: 'price', dataType: 'Double', nullable: true },
    { fieldName: 'sold', dataType: 'Bool', nullable: true },
    { fieldName: 'at', dataType: 'Timestamptz', nullable: true },
  ];
  const schema = { enableDynamicField: true, fields };
  await door.call('collections/create', { collectionName, schema, indexParams: [{ fieldName: 'vector', metricType: 'L2' }] });
  await door.call('collections/load', { collectionName });
  await door.call('partitions/create', { collectionName, partitionName: 'late' });
  const row = (id: number, more: object): object => ({ id, vector: [id, 0], ...more });
  const data = [
    row(1, { shop: 'a', pieces: 5, price: 1.5, sold: true, at: '2026-01-01T00:00:00Z', color: 'red' }),
    row(2, { shop: 'a', pieces: 7, price: 2.5, sold: false, at: '2026-02-01T00:00:00Z' }),
    row(3, { shop: 'b', pieces: null, price: null, sold: true }),
  ];
  expect(await door.call('entities/insert', { collectionName, data })).toMatchObject({ code: 0 });
  // As text: an integer that no double has.
  const late = '[{"id":4,"vector":[4,0],"shop":"b","pieces":9223372036854775807,"price":4}]';
  const written = await door.callText('entities/insert', `{"collectionName":"${collectionName}","partitionName":"late","data":${late}}`);
  expect(JSON.parse(written.text)).toMatchObject({ code: 0 });
});
afterAll(() => door.server.close());

describe('a query with aggregates', () => {
  it('answers one row per group, over all partitions, with nulls as in SQL', async () => {
    const outputFields = ['shop', 'count(*)', 'count(price)', 'sum(price)', 'avg(price)', 'min(at)', 'max(sold)'];
    expect(await query({ groupByFields: ['shop'], outputFields })).toEqual({
      code: 0,
      cost: 0,
      data: [
        {
          shop: 'a',
          'count(*)': 2,
          'count(price)': 2,
          'sum(price)': 4,
          'avg(price)': 2,
          'min(at)': '2026-01-01T00:00:00.000Z',
          'max(sold)': true,
        },
        { shop: 'b', 'count(*)': 2, 'count(price)': 1, 'sum(price)': 4, 'avg(price)': 4, 'min(at)': null, 'max(sold)': true },
      ],
    });
    expect((await query({ groupByFields: ['sold'], outputFields: ['COUNT( * )'] })).data).toEqual([
      { sold: false, 'COUNT( * )': 1 },
      { sold: true, 'COUNT( * )': 2 },
      { sold: null, 'COUNT( * )': 1 },
    ]);
  });

  it('answers one row without groups, of no row too', async () => {
    expect((await query({ outputFields: ['count(*)', 'max(id)'] })).data).toEqual([{ 'count(*)': 4, 'max(id)': 4 }]);
    const none = await query({ filter: 'id > 100', outputFields: ['count(*)', 'sum(pieces)', 'min(shop)'] });
    expect(none.data).toEqual([{ 'count(*)': 0, 'sum(pieces)': null, 'min(shop)': null }]);
    expect((await query({ filter: 'shop == "a"', outputFields: ['sum(pieces)'] })).data).toEqual([{ 'sum(pieces)': 12 }]);
    expect((await query({ partitionNames: ['late'], outputFields: ['count(*)', 'avg(price)'] })).data).toEqual([
      { 'count(*)': 1, 'avg(price)': 4 },
    ]);
  });

  it('adds integers up exactly, and writes them as the caller wants integers written', async () => {
    const body = JSON.stringify({ collectionName, outputFields: ['sum(pieces)', 'max(pieces)', 'count(*)'] });
    expect((await door.callText('entities/query', body)).text).toContain(
      '"sum(pieces)":9223372036854775819,"max(pieces)":9223372036854775807',
    );
    const texts = await query({ outputFields: ['sum(pieces)', 'count(*)'] }, { 'accept-type-allow-int64': 'false' });
    expect(texts.data).toEqual([{ 'sum(pieces)': '9223372036854775819', 'count(*)': 4 }]);
  });

  it('orders groups by aggregates and fields, and gives as many as wanted', async () => {
    const grouped = { groupByFields: ['shop', 'sold'], outputFields: ['shop', 'count(*)', 'max(id)'] };
    const order = { orderByFields: ['max(id):desc', 'shop'], limit: 2 };
    expect((await query({ ...grouped, ...order })).data).toEqual([
      { shop: 'b', sold: null, 'count(*)': 1, 'max(id)': 4 },
      { shop: 'b', sold: true, 'count(*)': 1, 'max(id)': 3 },
    ]);
  });

  it('is refused with a code where it makes no sense', async () => {
    const refused: readonly (readonly [object, number, string])[] = [
      [{ outputFields: ['count(*)', 'shop'] }, 1100, 'shop: an aggregate or one of groupByFields expected'],
      [{ outputFields: ['sum(shop)'] }, 1100, 'a field of kind'],
      [{ outputFields: ['sum(*)'] }, 1100, 'a field in sum(*) expected'],
      [{ outputFields: ['sum(none)'] }, 65_535, 'field none not exist'],
      [{ outputFields: ['count(*)'], groupByFields: ['color'] }, 65_535, 'field color not exist'],
      [{ outputFields: ['count(*)'], groupByFields: ['vector'] }, 1100, 'a field of kind'],
      [{ outputFields: ['count(*)'], groupByFields: ['shop'], orderByFields: ['id'] }, 1100, 'orderBy.field'],
      [{ outputFields: ['count(*)'], groupByFields: ['shop'], offset: 1 }, 1100, 'count entities with pagination is not allowed'],
      [{ outputFields: ['sum(pieces)'], limit: 0 }, 65_535, 'limit [0] is invalid'],
      [{ groupByFields: 'shop' }, 1801, 'array of strings'],
    ];
    for (const [body, code, message] of refused) {
      const answer = await query(body);
      expect([body, answer.code, answer.message]).toEqual([body, code, expect.stringContaining(message)]);
    }
  });
});

describe('a request that asks to be explained', () => {
  it('is answered with the plan in place of rows', async () => {
    const { code, data } = await query({ filter: 'shop == "a" and color == "red"', explain: true });
    expect(code).toBe(0);
    const { filter, blocks } = data as { readonly filter: string; readonly blocks: readonly { readonly filter: object }[] };
    expect(filter).toContain('shop == "a"');
    expect(blocks).toHaveLength(2);
    expect(blocks[0]).toMatchObject({ partition: '_default', live: 3, filter: { passing: 1, parts: [{ passing: 2 }, { passing: 1 }] } });
  });

  it('tells of a search how each block is searched', async () => {
    const search = { collectionName, data: [[1, 0]], partitionNames: ['late'], explain: true };
    expect(await door.call('entities/search', search)).toMatchObject({
      code: 0,
      data: { filter: '1 == 1', blocks: [{ partition: 'late', live: 1, search: 'scan' }] },
    });
    expect(await door.call('entities/search', { ...search, explain: 1 })).toMatchObject({ code: 1801 });
  });
});
