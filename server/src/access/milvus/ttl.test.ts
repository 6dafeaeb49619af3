import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../adapters/s3/system.ts';
import { type MilvusDoor, openMilvusDoor } from './testing/milvus-door.ts';

/** What the server's wall clock is ahead of the machine's. */
let aheadMs = 0;
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
let door: MilvusDoor;
beforeAll(async () => {
  door = await openMilvusDoor({ clock });
});
afterAll(() => door.server.close());

const PROPERTY = 'collection.ttl.seconds';

async function ttlOf(collectionName: string): Promise<string | undefined> {
  const { data } = (await door.call('collections/describe', { collectionName })) as {
    data: { properties: { key: string; value: string }[] };
  };
  return data.properties.find(({ key }) => key === PROPERTY)?.value;
}
const alter = (collectionName: string, value: unknown) =>
  door.call('collections/alter_properties', { collectionName, properties: { [PROPERTY]: value } });
const insert = (collectionName: string, ...ids: number[]) =>
  door.call('entities/insert', { collectionName, data: ids.map((id) => ({ id, vector: [1, 2] })) });
async function countOf(collectionName: string): Promise<unknown> {
  const request = { collectionName, outputFields: ['count(*)'], consistencyLevel: 'Strong' };
  return ((await door.call('entities/query', request)).data as object[])[0];
}
const HOUR_MS = 3_600_000;

describe('the time to live of a collection at the Milvus door', () => {
  it('is given at creation as a param or a property, described, altered and dropped', async () => {
    expect((await door.quick('param', { params: { ttlSeconds: 60 } })).code).toBe(0);
    expect((await door.quick('property', { properties: { [PROPERTY]: '3155760000' } })).code).toBe(0);
    expect((await door.quick('forever', { params: { ttlSeconds: -1 } })).code).toBe(0);
    expect((await door.quick('plain')).code).toBe(0);
    expect([await ttlOf('param'), await ttlOf('property'), await ttlOf('forever'), await ttlOf('plain')]).toEqual([
      '60',
      '3155760000',
      '-1',
      undefined,
    ]);
    expect((await alter('plain', 7)).code).toBe(0);
    expect(await ttlOf('plain')).toBe('7');
    // The same schema again is fine, whatever its time to live is by now.
    expect((await door.quick('plain')).code).toBe(0);
    expect((await alter('plain', '0')).code).toBe(0);
    expect(await ttlOf('plain')).toBe('0');
    expect((await door.call('collections/drop_properties', { collectionName: 'param', propertyKeys: [PROPERTY] })).code).toBe(0);
    expect(await ttlOf('param')).toBeUndefined();
  });

  it.each([-2, 3_155_760_001, 1.5, 'soon', '', '1e3'])('is from -1 to 100 years, not %s', async (value) => {
    const refusal = { code: 1100, message: expect.stringContaining('collection TTL is out of range, expect [-1, 3155760000]') };
    expect(await door.quick('odd', { params: { ttlSeconds: value } })).toMatchObject(refusal);
    expect(await alter('plain', value)).toMatchObject(refusal);
  });

  it('hides rows that are there already, shows them again when it is dropped, and stays when a field or an index comes', async () => {
    await door.quick('rows');
    await insert('rows', 1, 2);
    aheadMs += HOUR_MS;
    await alter('rows', HOUR_MS / 1000);
    await insert('rows', 3);
    const field = { fieldName: 'age', dataType: 'Int64', nullable: true };
    expect((await door.call('collections/fields/add', { collectionName: 'rows', schema: field })).code).toBe(0);
    expect(await ttlOf('rows')).toBe('3600');
    expect(await countOf('rows')).toEqual({ 'count(*)': 1 });
    aheadMs += HOUR_MS;
    expect(await countOf('rows')).toEqual({ 'count(*)': 0 });
    const search = { collectionName: 'rows', data: [[1, 2]], annsField: 'vector', limit: 10, consistencyLevel: 'Strong' };
    expect((await door.call('entities/search', search)).data).toEqual([]);
    expect((await door.call('entities/get', { collectionName: 'rows', id: [1, 2, 3] })).data).toEqual([]);
    await door.call('collections/drop_properties', { collectionName: 'rows', propertyKeys: [PROPERTY] });
    expect(await countOf('rows')).toEqual({ 'count(*)': 3 });
  });
});
