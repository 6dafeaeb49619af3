import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { MILVUS_ROUTES } from './handlers.ts';

const ROOT = 'root:open sesame';
const page = readFileSync(new URL('../../../../docs/milvus.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `([\w/]+)` \| (2\.6|3\.x) \| (served|3000) \| (.*) \|$/gm)].map(([, path, since, here, note]) => ({
  path: path!,
  since: since!,
  here: here!,
  note: note!,
}));

let server: DoorServer;
beforeAll(async () => {
  server = await startMemoryServer();
  await call('collections/create', { collectionName: 'known', dimension: 2 });
});
afterAll(() => server.close());

async function call(path: string, body: object): Promise<{ readonly status: number; readonly code?: number; readonly message?: string }> {
  const response = await server.post(`/v2/vectordb/${path}`, body, ROOT);
  return { status: response.status, ...((await response.json()) as object) };
}

describe('the table of routes in docs/milvus.md', () => {
  it('has every route that there is, once, and no other', () => {
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.map(({ path }) => path).sort()).toEqual([...MILVUS_ROUTES.keys()].sort());
  });

  it.each(rows.filter(({ here }) => here === 'served'))('is true of $path: it is served', async ({ path }) => {
    // What is missing in the body is asked for by name, as no route does that is not there.
    const { status, code } = await call(path, {});
    expect([status, [0, 1802].includes(code!)]).toEqual([200, true]);
  });

  it.each(rows.filter(({ here }) => here === '3000'))(
    'is true of $path: it is refused, with what to use instead',
    async ({ path, note }) => {
      const refused = await call(path, { collectionName: 'known' });
      expect(refused).toEqual({ status: 200, code: 3000, message: `${path} is not supported here: ${note}: unsupported operation` });
    },
  );

  it('is all there is: other addresses are not found', async () => {
    for (const path of ['/v2/vectordb/collections/none', '/v2/vectordb', '/v1/vector/search', '/v1/none'])
      expect([path, (await server.post(path, {}, ROOT)).status]).toEqual([path, 404]);
  });
});

describe('what one node has not', () => {
  const field = (dataType: string): object => ({
    fields: [
      { fieldName: 'id', dataType: 'Int64', isPrimary: true },
      { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
      { fieldName: 'odd', dataType },
    ],
  });

  it.each([
    ['Geometry', 'two Double fields'],
    ['Text', 'VarChar'],
    ['Struct', 'JSON'],
    ['ArrayOfStruct', 'JSON'],
    ['ArrayOfVector', 'several vector fields'],
  ])('the type %s is refused with code 3000 and what to use instead, in a schema and as an added field', async (dataType, instead) => {
    const refused = { code: 3000, message: expect.stringMatching(new RegExp(`${dataType}.*${instead}`)) };
    expect(await call('collections/create', { collectionName: 'odd', schema: field(dataType) })).toMatchObject(refused);
    expect(
      await call('collections/fields/add', { collectionName: 'known', schema: { fieldName: 'odd', dataType, nullable: true } }),
    ).toMatchObject(refused);
    expect(await call('collections/create', { collectionName: 'odd', schema: field(dataType.toLowerCase()) })).toMatchObject({
      code: 1100,
      message: expect.stringContaining('is invalid(case sensitive)'),
    });
  });

  it.each([
    ['collections/create', { collectionName: 'twice', dimension: 4, properties: { 'collection.replica.number': 2 } }],
    ['collections/load', { collectionName: 'known', replicaNumber: 2 }],
    ['collections/load', { collectionName: 'known', resourceGroups: ['rg1'] }],
    ['collections/alter_properties', { collectionName: 'known', properties: { 'collection.resource_groups': 'rg1,rg2' } }],
    ['databases/create', { dbName: 'twice', properties: { 'database.replica.number': 3 } }],
    ['databases/alter', { dbName: 'default', properties: { 'database.resource_groups': 'rg1' } }],
  ])('%s with %j: a second replica and other resource groups are refused, one and the default are taken', async (path, body) => {
    expect(await call(path, body)).toMatchObject({
      code: 3000,
      message: expect.stringContaining('one replica in __default_resource_group'),
    });
    const single = JSON.stringify(body)
      .replace(/:[23]\b/, ':1')
      .replace(/\["rg1"\]/, '["__default_resource_group"]')
      .replace(/"rg1(,rg2)?"/, '"__default_resource_group"');
    expect(await call(path, JSON.parse(single) as object)).toMatchObject({ code: 0 });
  });

  it('is described as the default resource group, and others are not known', async () => {
    expect(await call('resource_groups/list', {})).toEqual({ status: 200, code: 0, data: ['__default_resource_group'] });
    expect(await call('resource_groups/describe', { name: '__default_resource_group' })).toMatchObject({
      code: 0,
      resource_group: { name: '__default_resource_group', capacity: 1, num_available_node: 1 },
    });
    expect(await call('resource_groups/describe', { name: 'rg1' })).toMatchObject({
      code: 300,
      message: 'resource group not found[rg=rg1]',
    });
  });
});
