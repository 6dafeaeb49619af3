import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MILVUS_ROUTES } from './handlers.ts';
import { type Answer, type MilvusDoor, openMilvusDoor, ROOT } from './testing/milvus-door.ts';

let door: MilvusDoor;
beforeAll(async () => {
  door = await openMilvusDoor();
});
afterAll(() => door.server.close());
const call: MilvusDoor['call'] = (path, body, headers) => door.call(path, body, headers);
const callText: MilvusDoor['callText'] = (path, body, headers) => door.callText(path, body, headers);
const quick: MilvusDoor['quick'] = (name, more) => door.quick(name, more);

describe('security of the Milvus door', () => {
  const withToken = async (path: string, body: object, authorization?: string): Promise<{ status: number; answer: Answer }> => {
    const response = await fetch(`${door.server.url}/v2/vectordb/${path}`, {
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
    const token = `Bearer ${await door.server.token({ partitions: { mine: 'write', 'them*': 'read' } })}`;
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
    const stranger = `Bearer ${await door.server.token({ partitions: { elsewhere: 'read' } })}`;
    expect((await withToken('collections/list', {}, stranger)).answer.data).toEqual([]);
    expect((await withToken('collections/describe', { collectionName: 'guarded' }, stranger)).status).toBe(403);
  });

  it('lets pages of any origin in with a token, and names the headers they may send', async () => {
    const response = await fetch(`${door.server.url}/v2/vectordb/collections/list`, {
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
