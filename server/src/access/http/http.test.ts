import { DbError, type JsonValue } from '@terndb/core';
import { ManualClock } from '@terndb/core/testing';
import { decodeJsonValue, type GlobalGetAnswer } from '@terndb/sync';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../adapters/s3/system.ts';
import type { Config } from '../../config/config.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { Tickets } from '../tickets.ts';

const open: TestServer[] = [];
const start = async (...args: Parameters<typeof startTestServer>): Promise<TestServer> => {
  const server = await startTestServer(...args);
  open.push(server);
  return server;
};
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const ALL = { partitions: { '*': 'write' }, schema: true } as const;
const RESOLVE = { collections: [], partitions: ['team:a'] };
const refusal = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

describe('requests', () => {
  it('without a valid token are refused as AUTH_REQUIRED on every route that reads', async () => {
    const server = await start();
    for (const path of ['resolve', 'get', 'query', 'count', 'aggregate', 'search', 'wait']) {
      const body = path === 'resolve' ? RESOLVE : path === 'wait' ? { token: 't' } : { collection: 'notes', keys: [] };
      for (const token of [undefined, 'x.y.z', 'root:wrong', await server.token(ALL, { lifetimeMs: -60_000 })]) {
        const response = await server.post(`/sync/v1/${path}`, body, token);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(await refusal(response)).toEqual([401, 'AUTH_REQUIRED']);
      }
    }
    expect(server.node.requests).toEqual([]);
  });

  it('of root are answered with its password, as Basic or Bearer', async () => {
    const server = await start();
    expect((await server.post('/sync/v1/resolve', RESOLVE, 'root:open sesame')).status).toBe(200);
    expect((await server.post('/sync/v1/resolve', RESOLVE, 'root:open')).status).toBe(401);
    const basic = `Basic ${Buffer.from('root:open sesame').toString('base64')}`;
    expect((await server.post('/sync/v1/resolve', RESOLVE, undefined, { authorization: basic })).status).toBe(200);
    const other = `Basic ${Buffer.from('toor:open sesame').toString('base64')}`;
    expect((await server.post('/sync/v1/resolve', RESOLVE, undefined, { authorization: other })).status).toBe(401);
  });

  it('that do not fit the route say what, where and expected', async () => {
    const server = await start();
    const token = await server.token(ALL);
    const bad: readonly (readonly [string, unknown])[] = [
      ['resolve', { partitions: [] }],
      ['resolve', { ...RESOLVE, more: 1 }],
      ['resolve', { collections: 'all', partitions: [] }],
      ['wait', {}],
      ['wait', { token: 't', timeoutMs: -1 }],
      ['search', []],
    ];
    for (const [path, body] of bad) {
      const response = await server.post(`/sync/v1/${path}`, body, token);
      expect(response.status).toBe(400);
      const answer = (await response.json()) as { code: string; message: string; details: object };
      expect([answer.code, Object.keys(answer.details)]).toEqual(['OPTION_INVALID', ['where', 'expected', 'rule']]);
    }
    expect(await refusal(await server.post('/sync/v1/search', '{"collection":', token))).toEqual([400, 'OPTION_INVALID']);
    expect(await refusal(await server.post('/sync/v1/search', '{"collection":"notes","__proto__":{"x":1}}', token))).toEqual([
      400,
      'OPTION_INVALID',
    ]);
    expect(await refusal(await server.post('/sync/v1/nothing', {}, token))).toEqual([404, 'OPTION_INVALID']);
  });

  it('that are too large or too many are refused, with when to come again', async () => {
    const server = await start({ limits: { bodyBytes: 2048, requestsPerMinute: 4 } as Config['limits'] });
    const token = await server.token(ALL);
    expect(await refusal(await server.post('/sync/v1/search', { collection: 'x'.repeat(4000) }, token))).toEqual([413, 'ENTITY_TOO_LARGE']);
    for (let count = 0; count < 3; count++) await server.post('/sync/v1/count', { collection: 'notes' }, token);
    const refused = await server.post('/sync/v1/count', { collection: 'notes' }, token);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refusal(refused)).toEqual([429, 'RATE_LIMITED']);
  });

  it('that fail inside say so without what they fell over, and an error of the engine keeps its code', async () => {
    const server = await start();
    const token = await server.token(ALL);
    server.node.failWith = new Error('secret path /x');
    const bug = await server.post('/sync/v1/count', { collection: 'notes' }, token);
    expect(bug.status).toBe(500);
    const answer = (await bug.json()) as { code: string; message: string };
    expect([answer.code, answer.message]).toEqual(['INTERNAL', `internal error; request ${bug.headers.get('x-request-id')}`]);
    server.node.failWith = new DbError('CONSISTENCY_UNAVAILABLE', 'strong: not in time', { details: { timeoutMs: 5 } });
    const late = await server.post('/sync/v1/count', { collection: 'notes' }, token);
    expect([late.status, await late.json()]).toEqual([
      503,
      { code: 'CONSISTENCY_UNAVAILABLE', message: 'strong: not in time', details: { timeoutMs: 5 } },
    ]);
  });

  it('of foreign pages get no leave to be read, those of configured origins do', async () => {
    const server = await start({ origins: ['https://app.example'] });
    const token = await server.token(ALL);
    const from = (origin: string): Promise<Response> => server.post('/sync/v1/resolve', RESOLVE, token, { origin });
    expect((await from('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await from('https://app.example')).headers.get('access-control-allow-origin')).toBe('https://app.example');
  });
});

describe('global reads', () => {
  it('carry values that JSON has no word for, both ways', async () => {
    const server = await start();
    const token = await server.token(ALL);
    const response = await server.post('/sync/v1/get', { collection: 'notes', keys: [{ $int64: '4611686018427387904' }] }, token);
    const answer = (await response.json()) as GlobalGetAnswer;
    expect(server.node.requests[0]).toMatchObject({ database: 'default', collection: 'notes', keys: [2n ** 62n], timeoutMs: 15_000 });
    expect(answer).toEqual({
      coverage: 1,
      scope: 'global',
      degraded: null,
      stalenessMs: 12,
      token: 'token-1',
      entities: [{ id: { $int64: '4611686018427387904' }, at: { $date: '1970-01-01T00:00:00.000Z' } }, null],
    });
  });

  it('tell exact sums and dates of aggregates, and pass on what they are asked', async () => {
    const server = await start();
    const request = {
      aggregates: { n: 'count', sum: { sum: 'stars' } },
      groupBy: 'kind',
      orderBy: { field: 'n' },
      limit: 3,
      partial: true,
    };
    const response = await server.post('/sync/v1/aggregate', { collection: 'notes', ...request }, await server.token(ALL));
    expect(server.node.requests[0]).toMatchObject(request);
    expect(decodeJsonValue((await response.json()) as JsonValue)).toMatchObject({ groups: [{ n: 7, sum: 2n ** 70n, last: new Date(0) }] });
  });

  it('take a vector as numbers or as base64 of float32', async () => {
    const server = await start();
    const token = await server.token(ALL);
    const floats = Float32Array.of(0.5, -2);
    for (const vector of [[0.5, -2], Buffer.from(floats.buffer).toString('base64')]) {
      const response = await server.post('/sync/v1/search', { collection: 'notes', vector, consistency: 'strong', limit: 3 }, token);
      expect(((await response.json()) as { hits: unknown }).hits).toEqual([{ key: 'a', entity: { id: 'a' }, score: 0.5 }]);
    }
    const [numbers, bytes] = server.node.requests as { vector: unknown }[];
    expect(numbers).toMatchObject({ vector: [0.5, -2], consistency: 'strong', limit: 3 });
    expect(bytes!.vector).toEqual(floats);
    expect((await server.post('/sync/v1/search', { collection: 'notes', vector: 'AAA=' }, token)).status).toBe(400);
  });

  it('see the partitions that the token grants, and are refused when they name another', async () => {
    const server = await start();
    const token = await server.token({ partitions: { 'team:*': 'read' } });
    const count = (partitions?: readonly string[]): Promise<Response> =>
      server.post('/sync/v1/count', { collection: 'notes', partitions }, token);
    await count();
    await count(['team:b']);
    expect((server.node.requests as { partitions: unknown }[]).map(({ partitions }) => partitions)).toEqual([
      ['team:a', 'team:b'],
      ['team:b'],
    ]);
    expect(await refusal(await count(['team:b', 'private']))).toEqual([403, 'FORBIDDEN']);
    const nothing = await server.token({ partitions: { 'x*': 'write' } });
    expect(await refusal(await server.post('/sync/v1/count', { collection: 'notes' }, nothing))).toEqual([403, 'FORBIDDEN']);
    expect(await refusal(await server.post('/sync/v1/count', { collection: 'unknown' }, token))).toEqual([404, 'COLLECTION_UNKNOWN']);
    expect(await refusal(await server.post('/sync/v1/count', { collection: 'notes', database: 'other' }, token))).toEqual([
      403,
      'FORBIDDEN',
    ]);
  });

  it('refuse options they do not know, so that a typing error does not read more than was meant', async () => {
    const server = await start();
    const response = await server.post('/sync/v1/count', { collection: 'notes', were: { a: 1 } }, await server.token(ALL));
    expect(await refusal(response)).toEqual([400, 'QUERY_INVALID']);
  });

  it('wait for a token as long as they are told', async () => {
    const server = await start();
    const response = await server.post('/sync/v1/wait', { token: 'token-9', timeoutMs: 250 }, await server.token(ALL));
    expect([response.status, await response.json()]).toEqual([200, {}]);
    expect(server.node.requests).toEqual([{ token: 'token-9', timeoutMs: 250 }]);
  });
});

describe('resolve', () => {
  it('hands the node what the token grants', async () => {
    const server = await start();
    const token = await server.token({ partitions: { 'team:*': 'read', 'team:a': 'write' } });
    expect((await server.post('/sync/v1/resolve', RESOLVE, token)).status).toBe(200);
    const { grants } = server.node.requests[0] as { grants: { canRead: Grant; canWrite: Grant; schema: boolean; database: string } };
    type Grant = (collection: string, partition: string) => boolean;
    expect([grants.schema, grants.database]).toEqual([false, 'default']);
    expect(
      ['team:a', 'team:b', 'private'].map((partition) => [grants.canRead('notes', partition), grants.canWrite('notes', partition)]),
    ).toEqual([
      [true, true],
      [true, false],
      [false, false],
    ]);
  });
});

describe('downloads', () => {
  const withObject = async (
    clock = systemClock,
  ): Promise<{ server: TestServer; bytes: Uint8Array; get: (range?: Record<string, string>) => Promise<Response> }> => {
    const server = await start({}, clock);
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251);
    server.node.objects.set('segments/s1', bytes);
    const url = `${server.url}/sync/v1/objects/segments/s1?ticket=${server.app.tickets.issue({ kind: 'object', name: 'segments/s1' })}`;
    return { server, bytes, get: (headers = {}) => fetch(url, { headers }) };
  };

  it('are whole or a range, immutable, and tagged with their name', async () => {
    const { bytes, get } = await withObject();
    const whole = await get();
    expect([whole.status, whole.headers.get('etag'), whole.headers.get('accept-ranges')]).toEqual([200, '"segments/s1"', 'bytes']);
    expect(whole.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), bytes)).toBe(0);
    const ranges = [
      ['bytes=0-9', 0, 10],
      ['bytes=2999990-', 2_999_990, 10],
      ['bytes=-4', 2_999_996, 4],
      ['bytes=1000000-2999999', 1_000_000, 2_000_000],
      ['bytes=2999999-9999999', 2_999_999, 1],
    ] as const;
    for (const [range, offset, length] of ranges) {
      const response = await get({ range });
      const body = Buffer.from(await response.arrayBuffer());
      expect([response.status, response.headers.get('content-range')]).toEqual([206, `bytes ${offset}-${offset + length - 1}/3000000`]);
      expect(Buffer.compare(body, bytes.subarray(offset, offset + length))).toBe(0);
    }
  });

  it('say when a range lies outside, and give the whole for what they do not understand', async () => {
    const { get } = await withObject();
    for (const range of ['bytes=3000000-', 'bytes=-0']) {
      const outside = await get({ range });
      expect([outside.status, outside.headers.get('content-range')]).toEqual([416, 'bytes */3000000']);
    }
    for (const range of ['bytes=9-1', 'bytes=0-1,5-6', 'rows=0-1', 'bytes=a-b', 'bytes=-']) {
      const response = await get({ range });
      expect(response.status).toBe(200);
      await response.arrayBuffer();
    }
  });

  it('are not sent again to who has them, and whole to who had another', async () => {
    const { get } = await withObject();
    expect((await get({ 'if-none-match': '"a", "segments/s1"' })).status).toBe(304);
    expect((await get({ range: 'bytes=0-1', 'if-range': '"segments/s1"' })).status).toBe(206);
    const other = await get({ range: 'bytes=0-1', 'if-range': '"other"' });
    expect(other.status).toBe(200);
    await other.arrayBuffer();
  });

  it('need a ticket of ours, for this object, that has not expired', async () => {
    const clock = new ManualClock(1_700_000_000_000);
    const { server, get } = await withObject(clock);
    const fetchObject = (name: string, ticket?: string): Promise<Response> =>
      fetch(`${server.url}/sync/v1/objects/${name}${ticket === undefined ? '' : `?ticket=${ticket}`}`);
    const foreign = new Tickets(clock).issue({ kind: 'object', name: 'segments/s1' });
    const manifest = server.app.tickets.issue({ kind: 'manifest', channel: 'c', name: 'segments/s1', clientIds: [] });
    for (const ticket of [undefined, '', 'x', 'x.y', foreign, manifest]) {
      expect(await refusal(await fetchObject('segments/s1', ticket))).toEqual([403, 'FORBIDDEN']);
    }
    const ours = server.app.tickets.issue({ kind: 'object', name: 'segments/s1' });
    expect((await fetchObject('segments/s2', ours)).status).toBe(404);
    expect((await get({ range: 'bytes=0-1' })).status).toBe(206);
    clock.advance(3 * 60_000);
    expect((await get({ range: 'bytes=0-1' })).status).toBe(206);
    clock.advance(2 * 60_000 + 1);
    expect(await refusal(await get())).toEqual([403, 'FORBIDDEN']);
  });

  it('of what is gone are 404, and names cannot lead out', async () => {
    const { server } = await withObject();
    const ticket = server.app.tickets.issue({ kind: 'object', name: 'segments/gone' });
    expect((await fetch(`${server.url}/sync/v1/objects/segments/gone?ticket=${ticket}`)).status).toBe(404);
    expect((await fetch(`${server.url}/sync/v1/objects/..%2f..%2fetc/passwd?ticket=${ticket}`)).status).toBe(404);
  });
});

describe('what watches the server', () => {
  it('sees it live, ready and measured, without a name of what is stored', async () => {
    const server = await start();
    await server.post('/sync/v1/count', { collection: 'notes' }, await server.token(ALL));
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    for (const line of [
      'terndb_subscribers 2',
      'terndb_divergences 0',
      'terndb_sync_unsealed_records 5',
      'terndb_node_counter{name="seals"} 5',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toContain('terndb_http_request_seconds_count{method="POST",route="/sync/v1/count",status="200"} 1');
    expect(text).not.toContain('secret-partition');
  });
});

describe('without security', () => {
  it('everybody may do everything, under the subject they name', async () => {
    const server = await start({ insecure: true });
    expect((await server.post('/sync/v1/count', { collection: 'notes' })).status).toBe(200);
    const socket = await server.socket();
    socket.hello('');
    await socket.next('welcome');
  });

  it('only names of this machine are answered, so that no page can rebind one of its own', async () => {
    const server = await start({ insecure: true });
    const answered = await server.app.http.inject({ method: 'GET', url: '/healthz', headers: { host: 'evil.example:19530' } });
    expect([answered.statusCode, answered.json<{ code: string }>().code]).toEqual([403, 'FORBIDDEN']);
    const foreign = await server.post('/sync/v1/count', { collection: 'notes' }, undefined, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
  });
});

describe('the token issuer', () => {
  it('is closed unless the configuration opens it', async () => {
    const server = await start();
    expect(await refusal(await server.post('/sync/v1/token', {}))).toEqual([403, 'FORBIDDEN']);
  });

  it('gives a token that works', async () => {
    const server = await start({ issueTokens: 'loopback' });
    const { token, expiresInMs } = (await (await server.post('/sync/v1/token', { subject: 'ann' })).json()) as {
      token: string;
      expiresInMs: number;
    };
    expect(expiresInMs).toBe(3_600_000);
    expect((await server.post('/sync/v1/resolve', RESOLVE, token)).status).toBe(200);
    expect((await server.post('/sync/v1/token', { subject: 'a b/c' })).status).toBe(400);
  });
});
