import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serveProcess } from '../../cli/testing/serve-process.ts';

/** The official SDK's HttpClient, every method it has, in the order in which an application would use them, against a real `terndb serve`. */
const DIM = 8;
const COLLECTION = 'sdk_books';
const on = { dbName: 'default', collectionName: COLLECTION };
const vector = (seed: number): number[] => Array.from({ length: DIM }, (_, index) => Math.sin(seed * DIM + index));
const rows = Array.from({ length: 100 }, (_, id) => ({ id, vector: vector(id), title: `book ${id}`, year: 1900 + id }));

let folder: string;
let server: Served;
let client: HttpClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-sdk-'));
  server = await serveProcess(folder, [], { TERNDB_ROOT_PASSWORD: 'open sesame' });
  client = recorded(new HttpClient({ endpoint: server.url, username: 'root', password: 'open sesame' }));
});
afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended;
  await rm(folder, { recursive: true });
});

const called = new Set<string>();
const recorded = (real: HttpClient): HttpClient =>
  new Proxy(real, {
    get: (target, name) => {
      called.add(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });

/** Every method of the class and of those it is mixed from, but its own machinery. */
function methodsOf(value: object): readonly string[] {
  const names: string[] = [];
  for (let at = Object.getPrototypeOf(value) as object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof method === 'function' && /^[a-z]/.test(name) && name !== 'constructor') names.push(name);
    }
  }
  return names;
}

/** The SDK answers what the server answers. */
async function data<T>(answer: Promise<{ readonly code: number; readonly message?: string; readonly data: T }>): Promise<T> {
  const { code, message, data: value } = await answer;
  expect([code, message ?? '']).toEqual([0, '']);
  return value;
}

describe('the official SDK, unchanged', () => {
  it('makes databases', async () => {
    await data(client.createDatabase({ dbName: 'sdk', properties: { 'database.max.collections': 10 } }));
    expect(await data(client.listDatabases())).toEqual(['default', 'sdk']);
    await data(client.alterDatabaseProperties({ dbName: 'sdk', properties: { owner: 'ann' } }));
    await data(client.dropDatabaseProperties({ dbName: 'sdk', propertyKeys: ['database.max.collections'] }));
    expect(await data(client.describeDatabase({ dbName: 'sdk' }))).toMatchObject({
      dbName: 'sdk',
      properties: [{ key: 'owner', value: 'ann' }],
    });
    await data(client.dropDatabase({ dbName: 'sdk' }));
  });

  it('makes a collection, with its index, and changes it', async () => {
    await data(
      client.createCollection({
        collectionName: COLLECTION,
        schema: {
          autoID: false,
          enableDynamicField: true,
          fields: [
            { fieldName: 'id', dataType: 'Int64', isPrimary: true },
            { fieldName: 'vector', dataType: 'FloatVector', elementTypeParams: { dim: String(DIM) } },
            { fieldName: 'title', dataType: 'VarChar', elementTypeParams: { max_length: '100' } },
          ],
        },
        indexParams: [{ fieldName: 'vector', indexName: 'by_meaning', metricType: 'COSINE', indexType: 'HNSW', params: { M: 16 } }],
      } as unknown as Parameters<HttpClient['createCollection']>[0]),
    );
    expect(await data(client.listCollections())).toContain(COLLECTION);
    expect(await data(client.hasCollection(on))).toEqual({ has: true });
    expect(await data(client.getCollectionLoadState(on))).toMatchObject({ loadState: 'LoadStateLoaded' });
    await data(
      client.addCollectionField({ collectionName: COLLECTION, schema: { fieldName: 'pages', dataType: 'Int32', nullable: true } } as never),
    );
    const { fields } = await data(
      client.describeCollection(on) as never as Promise<{ code: number; data: { fields: readonly { name: string }[] } }>,
    );
    expect(fields.map(({ name }) => name)).toEqual(expect.arrayContaining(['id', 'vector', 'title', 'pages']));
    await data(client.alterCollectionProperties({ collectionName: COLLECTION, properties: { 'mmap.enabled': true } }));
    await data(client.dropCollectionProperties({ collectionName: COLLECTION, propertyKeys: ['mmap.enabled'] }));
    await data(
      client.alterCollectionFieldProperties({
        collectionName: COLLECTION,
        fieldName: 'title',
        fieldParams: { 'mmap.enabled': true },
      } as never),
    );
  });

  it('names it by aliases', async () => {
    await data(client.createAlias({ ...on, aliasName: 'library' }));
    expect(await data(client.listAliases(on))).toEqual(['library']);
    expect(await data(client.describeAlias({ aliasName: 'library' }))).toMatchObject({ collectionName: COLLECTION });
    await data(client.alterAlias({ ...on, aliasName: 'library' }));
    await data(client.dropAlias({ aliasName: 'library' }));
  });

  it('writes, reads and searches rows', async () => {
    expect(await data(client.insert({ collectionName: COLLECTION, data: rows }))).toMatchObject({ insertCount: 100 });
    const upserted = await data(client.upsert({ collectionName: COLLECTION, data: [{ ...rows[7]!, title: 'the seventh' }] }));
    expect(upserted).toMatchObject({ upsertCount: 1, upsertIds: ['7'] });
    const read = { collectionName: COLLECTION, consistencyLevel: 'Strong' } as const;
    expect(await data(client.query({ ...read, filter: 'id == 7', outputFields: ['title', 'year'] }))).toEqual([
      { id: '7', title: 'the seventh', year: 1907 },
    ]);
    expect(await data(client.get({ collectionName: COLLECTION, id: [3, 4], outputFields: ['title'] }))).toHaveLength(2);
    const found = await client.search({
      ...read,
      data: [vector(3), vector(9)],
      annsField: 'vector',
      limit: 2,
      outputFields: ['title'],
    } as never);
    expect(found).toMatchObject({ code: 0, topks: [2, 2] });
    // One list per query: the SDK has split them by `topks`.
    const lists = found.data as unknown as readonly (readonly { id: string }[])[];
    expect(lists.map(([first]) => first!.id)).toEqual(['3', '9']);
    const hybrid = await data(
      client.hybridSearch({
        ...read,
        search: [
          { data: [vector(5)], annsField: 'vector', limit: 5 },
          { data: [vector(5)], annsField: 'vector', limit: 5, filter: 'id > 4' },
        ],
        rerank: { strategy: 'rrf', params: { k: 60 } },
        limit: 3,
        outputFields: ['title'],
      } as never),
    );
    expect(hybrid[0]).toMatchObject({ id: '5' });
    expect(await data(client.delete({ collectionName: COLLECTION, filter: 'id in [98, 99]' }))).toMatchObject({ deleteCount: 2 });
    await data(client.flushCollection(on));
    expect(await data(client.getCollectionStatistics(on))).toEqual({ rowCount: 98 });
  });

  it('keeps house: load, release, compaction, indexes, partitions', async () => {
    const { compactionID } = (await data(client.compactCollection(on) as never)) as { compactionID: number };
    expect(await data(client.getCompactionState({ jobID: compactionID } as never))).toMatchObject({ state: 'Completed' });
    await data(client.refreshLoad(on));
    expect(await data(client.listIndexes(on))).toEqual(['by_meaning']);
    expect(await data(client.describeIndex({ ...on, indexName: 'by_meaning' }))).toMatchObject([
      { indexType: 'HNSW', metricType: 'COSINE' },
    ]);
    const partition = { ...on, partitionName: 'shelf' };
    await data(client.createPartition(partition));
    expect(await data(client.listPartitions(on))).toEqual(expect.arrayContaining(['_default', 'shelf']));
    expect(await data(client.hasPartition(partition))).toEqual({ has: true });
    expect(await data(client.getPartitionStatistics(partition))).toEqual({ rowCount: 0 });
    await data(client.loadPartitions({ ...on, partitionNames: ['shelf'] }));
    await data(client.releasePartitions({ ...on, partitionNames: ['shelf'] }));
    await data(client.releaseCollection(on));
    await data(client.dropPartition(partition));
    await data(client.alterIndexProperties({ ...on, indexName: 'by_meaning', properties: { 'mmap.enabled': true } } as never));
    await data(client.dropIndexProperties({ ...on, indexName: 'by_meaning', propertyKeys: ['mmap.enabled'] } as never));
    await data(client.dropIndex({ ...on, indexName: 'by_meaning' }));
    const index = { fieldName: 'vector', indexName: 'again', metricType: 'COSINE', indexType: 'AUTOINDEX' };
    await data(client.createIndex({ ...on, indexParams: [index] } as never));
    await data(client.loadCollection(on));
  });

  it('imports files', async () => {
    await mkdir(join(folder, 'import'), { recursive: true });
    const lines = [200, 201].map((id) => JSON.stringify({ id, vector: vector(id), title: `book ${id}` }));
    await writeFile(join(folder, 'import', 'more.jsonl'), lines.join('\n'));
    const { jobId } = await data(
      client.createImportJobs({ ...on, files: [['more.jsonl'], ['missing.jsonl'], ['../secrets.json']] } as never),
    );
    expect(await data(client.listImportJobs(on))).toMatchObject({ records: [{ jobId }] });
    const progress = (): Promise<Record<string, unknown>> => data(client.getImportJobProgress({ jobId })) as never;
    await expect.poll(async () => (await progress())['state']).toBe('Failed');
    expect(await progress()).toMatchObject({
      importedRows: 2,
      details: [
        { fileName: 'more.jsonl', state: 'Completed', importedRows: 2 },
        { state: 'Failed', reason: expect.stringContaining('missing.jsonl') },
        // What is beside the folder is as if it were not there.
        { state: 'Failed', reason: '../secrets.json: no such file in the import folder' },
      ],
    });
  });

  it('makes users and roles', async () => {
    await data(client.createUser({ userName: 'sdk_user', password: 'a good one' }));
    await data(client.updateUserPassword({ userName: 'sdk_user', password: 'a good one', newPassword: 'a better one' }));
    await data(client.createRole({ roleName: 'sdk_role' }));
    const grant = { roleName: 'sdk_role', objectType: 'Collection', objectName: COLLECTION, privilege: 'Search' };
    await data(client.grantPrivilegeToRole(grant));
    expect(await data(client.describeRole({ roleName: 'sdk_role' }))).toMatchObject([{ objectName: COLLECTION, privilege: 'Search' }]);
    await data(client.grantRoleToUser({ userName: 'sdk_user', roleName: 'sdk_role' }));
    expect(await data(client.describeUser({ userName: 'sdk_user' }))).toContain('sdk_role');
    expect(await data(client.listUsers())).toEqual(expect.arrayContaining(['root', 'sdk_user']));
    expect(await data(client.listRoles())).toContain('sdk_role');
    const user = new HttpClient({ endpoint: server.url, username: 'sdk_user', password: 'a better one' });
    expect((await user.search({ ...on, data: [vector(1)], limit: 1 } as never)).code).toBe(0);
    await expect(user.insert({ ...on, data: rows })).rejects.toThrow('403');
    await data(client.revokeRoleFromUser({ userName: 'sdk_user', roleName: 'sdk_role' }));
    await data(client.revokePrivilegeFromRole(grant));
    await data(client.dropRole({ roleName: 'sdk_role' }));
    await data(client.dropUser({ userName: 'sdk_user' }));
  });

  it('renames and drops', async () => {
    await data(client.renameCollection({ collectionName: COLLECTION, newCollectionName: 'sdk_renamed' }));
    await data(client.dropCollection({ collectionName: 'sdk_renamed' }));
    expect(await data(client.hasCollection({ ...on, collectionName: 'sdk_renamed' }))).toEqual({ has: false });
  });

  it('was called by every method it has', () => {
    expect(methodsOf(new HttpClient({ endpoint: server.url })).filter((name) => !called.has(name))).toEqual([]);
  });
});
