import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { MILVUS_ROUTES } from './handlers.ts';

interface Answer {
  readonly status: number;
  readonly code: number;
  readonly data?: unknown;
}

const ROOT = 'root:open sesame';
let server: DoorServer;
beforeAll(async () => {
  const limits = { userRequestsPerSecond: 1_000_000, requestsPerMinute: 1_000_000, bodyBytes: 2_000_000 } as Config['limits'];
  server = await startMemoryServer({ limits });
  await send('collections/create', '{"collectionName":"h","dimension":2}');
  await send('collections/create', '{"collectionName":"k","dimension":2}');
  await send('entities/insert', '{"collectionName":"k","data":[{"id":9007199254740993,"vector":[1,0]}]}');
});
afterAll(() => server.close());

async function send(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await server.post(`/v2/vectordb/${path}`, body, ROOT, headers);
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
}

const LONG = '12345678901234567890';
const DEEP = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
/** Values that have undone parsers before, as the literals that a client may send. */
const ODD = [
  LONG,
  '9'.repeat(400),
  '1e400',
  '-1e400',
  DEEP,
  `{"a":[${LONG}]}`,
  `[${LONG}]`,
  `{"constructor":{"prototype":1},"__proto__":${LONG}}`,
];
/** Names that handlers read, in some route. */
const READ = [
  'data',
  'ids',
  'id',
  'filter',
  'exprParams',
  'limit',
  'offset',
  'schema',
  'params',
  'properties',
  'indexParams',
  'searchParams',
  'rerank',
];
const MORE = [
  'search',
  'files',
  'text',
  'analyzerParams',
  'partitionNames',
  'outputFields',
  'privileges',
  'dimension',
  'groupSize',
  'functionScore',
];

describe('a hostile body', () => {
  it('of odd numbers and depths under any name at any route is no failure inside', async () => {
    const wrong: string[] = [];
    for (const path of MILVUS_ROUTES.keys()) {
      if (path.endsWith('/drop') || path === 'collections/rename') continue;
      for (const [index, value] of ODD.entries()) {
        const names = [...READ, ...MORE].map((name) => `"${name}":${value}`).join(',');
        const { status } = await send(path, `{"collectionName":"h","aliasName":"x",${names},"x":${LONG}}`);
        if (status >= 500) wrong.push(`${path} with all as ${index}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  it.each([
    ['collections/alter_properties', `{"collectionName":"k","properties":{"a":${DEEP}}}`],
    ['entities/insert', `{"collectionName":"k","data":[{"id":1,"vector":[1,0],"n":${LONG},"deep":${DEEP}}]}`],
    ['entities/insert', '{"collectionName":"k","data":[{"id":1,"vector":[1e400,0]}]}'],
    ['entities/insert', '{"collectionName":"k","data":[{"id":1,"vector":[NaN,0]}]}'],
    ['entities/query', `{"collectionName":"k","limit":${LONG}}`],
    ['entities/query', '{"collectionName":"k","limit":1000000000}'],
    ['entities/query', `{"collectionName":"k","filter":"x like '${'%a'.repeat(5000)}'"}`],
    ['entities/search', `{"collectionName":"k","data":[[1,0]],"searchParams":{"ef":${LONG},"params":{"ef":${LONG}}}}`],
    ['entities/hybrid_search', `{"collectionName":"k","search":[{"data":[${'[1,0],'.repeat(16_384)}[1,0]]}]}`],
  ])('to %s is refused with a code', async (path, body) => {
    const { status, code } = await send(path, body);
    expect([status, code > 0]).toEqual([200, true]);
  });

  it('answers like patterns that other engines hang on', async () => {
    const filter = `name like "${'%a'.repeat(1000)}%b"`;
    const data = [{ id: 7, vector: [1, 0], name: 'a'.repeat(20_000) }];
    expect((await send('entities/insert', JSON.stringify({ collectionName: 'k', data }))).code).toBe(0);
    expect(await send('entities/query', JSON.stringify({ collectionName: 'k', filter }))).toMatchObject({ code: 0, data: [] });
  });

  it('with a key twice means the last one, for the guard as for the handler', async () => {
    const { data } = await send('collections/has', '{"collectionName":"none","collectionName":"k"}');
    expect(data).toEqual({ has: true });
    expect((await send('collections/has', '{"COLLECTIONNAME":"none","collectionName":"k"}')).data).toEqual({ has: true });
    expect((await send('collections/has', '{"CollectionName":"h"}')).data).toEqual({ has: true });
  });

  it('of a stranger is not read', async () => {
    const response = await server.post('/v2/vectordb/entities/insert', 'x'.repeat(3_000_000), 'nobody:some password');
    expect([response.status, await response.json()]).toEqual([401, { code: 1800, message: "user hasn't authenticated" }]);
  });

  it('that is too large is 413, and one without a type that can be is the caller’s mistake', async () => {
    expect(await send('entities/insert', 'x'.repeat(3_000_000))).toMatchObject({ status: 413, code: 1102 });
    expect((await send('collections/list', '{}', { 'content-type': ';;;' })).status).toBe(415);
    expect((await send('collections/list', '{}', { 'content-type': 'application/octet-stream' })).code).toBe(0);
  });
});

describe('search by keys of the Milvus door', () => {
  it('takes int64 keys as texts, exactly', async () => {
    const { code, data } = await send('entities/search', '{"collectionName":"k","ids":["9007199254740993"]}', {
      'accept-type-allow-int64': 'false',
    });
    expect([code, data]).toEqual([0, expect.any(Array)]);
  });
});
