import { afterEach, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import type { ServerNode } from '../../node/types.ts';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';

const ROOT = 'root:open sesame';
type Server = DoorServer & { readonly real: ServerNode };
interface Answer {
  readonly code: number;
  readonly message?: string;
}

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(limits: Partial<Config['limits']> = {}): Promise<{ server: Server; call: typeof call }> {
  const server = await startMemoryServer({ limits: limits as Config['limits'] });
  open.push(server);
  const call = async (path: string, body: object, credential = ROOT): Promise<Answer> =>
    (await server.post(`/v2/vectordb/${path}`, body, credential)).json() as Promise<Answer>;
  for (const collectionName of ['a', 'b'])
    expect(await call('collections/create', { collectionName, dimension: 2 })).toMatchObject({ code: 0 });
  return { server, call };
}

const rows = (...ids: readonly number[]): readonly object[] => ids.map((id) => ({ id, vector: [1, 0] }));
/** What is held is counted once a second. */
const PATIENT = { timeout: 15_000 };
/** A debt of minutes: no machine is so slow that the second request finds it paid. */
const MANY = { data: Array.from({ length: 200 }, () => [1, 0]) };

describe('rates', () => {
  it('of a collection hold its searches by their vectors, those of another not, and its queries by their number', async () => {
    const { call } = await start();
    const properties = { 'collection.searchRate.max.vps': 1, 'collection.queryRate.max.qps': 0.001 };
    expect(await call('collections/alter_properties', { collectionName: 'a', properties })).toMatchObject({ code: 0 });
    expect(await call('entities/search', { collectionName: 'a', ...MANY })).toMatchObject({ code: 0 });
    const refused = await call('entities/search', { collectionName: 'a', data: [[1, 0]] });
    expect(refused).toMatchObject({ code: 1807, message: expect.stringContaining('rate limit exceeded[rate=1]') });
    expect(await call('entities/search', { collectionName: 'b', ...MANY })).toMatchObject({ code: 0 });
    expect(await call('entities/query', { collectionName: 'a', filter: 'id > 0' })).toMatchObject({ code: 0 });
    expect(await call('entities/get', { collectionName: 'a', id: [1] })).toMatchObject({ code: 1807 });
    expect(await call('collections/drop_properties', { collectionName: 'a', propertyKeys: Object.keys(properties) })).toMatchObject({
      code: 0,
    });
    expect(await call('entities/search', { collectionName: 'a', data: [[1, 0]] })).toMatchObject({ code: 0 });
  });

  it('of writes count bytes, each kind its own', async () => {
    const { call } = await start();
    // One byte a second, about.
    const properties = { 'collection.insertRate.max.mb': '0.000001' };
    expect(await call('collections/alter_properties', { collectionName: 'a', properties })).toMatchObject({ code: 0 });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(1, 2) })).toMatchObject({ code: 0 });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(3) })).toMatchObject({ code: 1807 });
    expect(await call('entities/upsert', { collectionName: 'a', data: rows(3) })).toMatchObject({ code: 0 });
    expect(await call('entities/delete', { collectionName: 'a', filter: 'id in [3]' })).toMatchObject({ code: 0 });
  });

  it('of settings hold every collection, and all of a database together', async () => {
    const { call } = await start({ collectionWriteBytesPerSecond: 1, databaseReadsPerSecond: 1 });
    for (const collectionName of ['a', 'b']) {
      expect(await call('entities/insert', { collectionName, data: rows(1, 2, 3) })).toMatchObject({ code: 0 });
      expect(await call('entities/delete', { collectionName, filter: 'id in [1]' })).toMatchObject({ code: 1807 });
    }
    expect(await call('entities/search', { collectionName: 'a', ...MANY })).toMatchObject({ code: 0 });
    expect(await call('entities/query', { collectionName: 'b', filter: 'id > 0' })).toMatchObject({ code: 1807 });
  });

  it('of a database hold changes of its catalog, not those of another', async () => {
    const { call } = await start({ databaseDdlPerSecond: 2 });
    const answers: number[] = [];
    for (let index = 0; index < 20; index++)
      answers.push((await call('partitions/create', { collectionName: 'a', partitionName: `p${index}` })).code);
    expect(answers).toContain(1807);
    expect(await call('databases/create', { dbName: 'other' })).toMatchObject({ code: 0 });
    expect(await call('collections/create', { dbName: 'other', collectionName: 'c', dimension: 2 })).toMatchObject({ code: 0 });
  });

  it('take nothing of what somebody asks who may not', async () => {
    const { server, call } = await start({ databaseReadsPerSecond: 1 });
    const stranger = await server.token({ partitions: {} });
    expect((await server.post('/v2/vectordb/entities/search', { collectionName: 'a', ...MANY }, stranger)).status).toBe(403);
    expect(await call('entities/search', { collectionName: 'a', data: [[1, 0]] })).toMatchObject({ code: 0 });
  });

  it('hold reads of devices, too, and say when to come again', async () => {
    const { server, call } = await start();
    await call('collections/alter_properties', { collectionName: 'a', properties: { 'collection.queryRate.max.qps': 0.01 } });
    const token = await server.token({ partitions: { '*': 'read' } });
    expect((await server.post('/sync/v1/count', { collection: 'a' }, token)).status).toBe(200);
    const refused = await server.post('/sync/v1/count', { collection: 'a' }, token);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 10]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('are counted among what was rejected', async () => {
    const { server, call } = await start({ collectionReadsPerSecond: 1 });
    await call('entities/search', { collectionName: 'a', ...MANY });
    await call('entities/search', { collectionName: 'a', ...MANY });
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('function_name="Search",status="rejected"} 1');
    expect(text).toContain('milvus_proxy_rate_limit_req_count{node_id="1",msg_type="search",status="fail"} 1');
  });
});

describe('quotas', () => {
  it('of rows refuse what would exceed them, and take it when there is room again', async () => {
    const { call } = await start();
    await call('collections/alter_properties', { collectionName: 'a', properties: { 'collection.rows.max': 3 } });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(1, 2) })).toMatchObject({ code: 0 });
    const refused = await call('entities/insert', { collectionName: 'a', data: rows(3, 4) });
    expect(refused).toMatchObject({ code: 9, message: expect.stringContaining('quota exceeded[reason=') });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(3) })).toMatchObject({ code: 0 });
    expect(await call('entities/upsert', { collectionName: 'a', data: rows(4) })).toMatchObject({ code: 9 });
    expect(await call('entities/insert', { collectionName: 'b', data: rows(1, 2, 3, 4) })).toMatchObject({ code: 0 });
    expect(await call('entities/delete', { collectionName: 'a', filter: 'id in [1, 2]' })).toMatchObject({ code: 0 });
    await expect.poll(async () => (await call('entities/insert', { collectionName: 'a', data: rows(5, 6) })).code, PATIENT).toBe(0);
  });

  it('of rows count keys that are new: what is there may be put again when there is no room left, and a key given twice is one', async () => {
    const { server, call } = await start();
    await call('collections/alter_properties', { collectionName: 'a', properties: { 'collection.rows.max': 3 } });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(1, 2, 2, 3) })).toMatchObject({ code: 0 });
    for (let again = 0; again < 5; again++) {
      expect(await call('entities/insert', { collectionName: 'a', data: rows(1, 2) })).toMatchObject({ code: 0 });
      expect(await call('entities/upsert', { collectionName: 'a', data: rows(3) })).toMatchObject({ code: 0 });
    }
    expect(await call('entities/upsert', { collectionName: 'a', data: rows(3, 4) })).toMatchObject({ code: 9 });
    const [channel] = server.real.catalog.find('default', 'a')!.partitions.get('_default')!;
    expect([server.real.absentKeys(channel!, [1, 4, 5, 5]), server.real.absentKeys('gone', [1])]).toEqual([2, 0]);
  });

  it('of bytes, of a database, refuse every collection of it', async () => {
    const { call } = await start({ databaseBytes: 2_000 });
    const insert = async (collectionName: string, id: number): Promise<number> =>
      (await call('entities/insert', { collectionName, data: rows(...Array.from({ length: 50 }, (_, at) => id * 50 + at)) })).code;
    let id = 0;
    await expect.poll(() => insert('a', id++), PATIENT).toBe(9);
    expect(await insert('b', id)).toBe(9);
    expect(await call('entities/query', { collectionName: 'a', filter: 'id > 0' })).toMatchObject({ code: 0 });
  });

  it('of collections hold whoever makes one, and a rename into the database', async () => {
    const { server, call } = await start({ databaseCollections: 3 });
    expect(await call('collections/create', { collectionName: 'c', dimension: 2 })).toMatchObject({ code: 0 });
    expect(await call('collections/create', { collectionName: 'd', dimension: 2 })).toMatchObject({
      code: 102,
      message: expect.stringContaining('exceeded the limit number of collections[limit=3]'),
    });
    const { definition } = server.real.catalog.find('default', 'a')!;
    const token = await server.token({ partitions: { '*': 'write' }, schema: true });
    const device = { collections: [{ name: 'd', schemaHash: '', schemaVersion: 1, definition }], partitions: [] };
    const refused = await server.post('/sync/v1/resolve', device, token);
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'QUOTA_EXCEEDED' }]);
    await call('databases/create', { dbName: 'small', properties: { 'database.max.collections': 0 } });
    expect(await call('collections/create', { dbName: 'small', collectionName: 'e', dimension: 2 })).toMatchObject({ code: 102 });
    expect(await call('collections/rename', { collectionName: 'c', newCollectionName: 'c', newDbName: 'small' })).toMatchObject({
      code: 102,
    });
  });

  it('close a database to writers or to readers', async () => {
    const { call } = await start();
    const set = (properties: object): Promise<Answer> => call('databases/alter', { dbName: 'default', properties });
    await set({ 'database.force.deny.writing': 'true' });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(1) })).toMatchObject({ code: 9 });
    expect(await call('entities/query', { collectionName: 'a', filter: 'id > 0' })).toMatchObject({ code: 0 });
    await set({ 'database.force.deny.writing': 'false', 'database.force.deny.reading': 'true' });
    expect(await call('entities/insert', { collectionName: 'a', data: rows(1) })).toMatchObject({ code: 0 });
    expect(await call('entities/query', { collectionName: 'a', filter: 'id > 0' })).toMatchObject({ code: 9 });
  });

  it('and rates that say nothing are refused when they are given', async () => {
    const { call } = await start();
    for (const [name, value] of Object.entries({
      'collection.rows.max': 'many',
      'collection.searchRate.max.vps': '0',
      'collection.insertRate.max.mb': '-2',
    })) {
      expect(await call('collections/alter_properties', { collectionName: 'a', properties: { [name]: value } })).toMatchObject({
        code: 1100,
        message: expect.stringContaining(name),
      });
    }
  });
});
