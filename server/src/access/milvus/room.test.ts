import { ManualClock } from '@terndb/core/testing';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import type { ServerNode } from '../../node/types.ts';
import { withMethods } from '../../node/with-methods.ts';
import { almighty } from '../auth/principal.ts';
import { AnswerBudget } from '../limits/answer-budget.ts';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { Body } from './body.ts';
import { MilvusError } from './errors.ts';
import { Lanes } from './lanes.ts';
import { MilvusMetrics } from './metrics.ts';
import { MilvusRoom } from './room.ts';

const ROOT = 'root:open sesame';
const still = new ManualClock(1_000_000);

describe('lanes', () => {
  it('let the catalog change one request at a time, while reads go on', async () => {
    const lanes = new Lanes(1000, still);
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const work = (name: string, until?: Promise<void>) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await until;
      order.push(`${name} ends`);
    };
    const slow = lanes.run('ddl', 'ann', work('slow', first.promise));
    const next = lanes.run('ddl', 'ann', work('next'));
    await lanes.run('read', 'ann', work('read'));
    expect(order).toEqual(['slow begins', 'read begins', 'read ends']);
    first.resolve();
    await Promise.all([slow, next]);
    expect(order.slice(3)).toEqual(['slow ends', 'next begins', 'next ends']);
  });

  it('refuse what would wait behind too many, and take it again when they are done', async () => {
    const lanes = new Lanes(10_000, still);
    const gate = Promise.withResolvers<void>();
    const all = Array.from({ length: 65 }, () => lanes.run('ddl', 'ann', () => gate.promise));
    await expect(lanes.run('ddl', 'ann', async () => {})).rejects.toMatchObject({ code: 8, message: expect.stringContaining('ddl') });
    expect(lanes.check()).toMatchObject({ status: 'degraded', reason: expect.stringContaining('(ddl)') });
    gate.resolve();
    await Promise.all(all);
    await lanes.run('ddl', 'ann', async () => {});
    expect(lanes.check()).toEqual({ status: 'ok' });
  });

  it('leave their place when the work fails', async () => {
    const lanes = new Lanes(1000, still);
    const failing = async (): Promise<void> => {
      throw new MilvusError(5, 'x');
    };
    for (let i = 0; i < 3; i++) await expect(lanes.run('ddl', 'ann', failing)).rejects.toThrow('x');
    await lanes.run('ddl', 'ann', async () => {});
  });

  it('hold each user to a rate, and others not', async () => {
    let nowMs = 0;
    const lanes = new Lanes(2, { nowMs: () => nowMs });
    const ask = (subject: string): Promise<string> =>
      lanes.run('read', subject, async () => 'ok').catch((error: MilvusError) => `code ${error.code}`);
    expect([await ask('ann'), await ask('ann'), await ask('ann'), await ask('bob')]).toEqual(['ok', 'ok', 'code 8', 'ok']);
    nowMs = 2000;
    expect(await ask('ann')).toBe('ok');
  });
});

describe('a request whose client has left', () => {
  it('is taken out of its lane and never begins, and those behind it keep their order', async () => {
    const lanes = new Lanes(1000, still);
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const ask = (name: string, signal?: AbortSignal): Promise<void> => lanes.run('ddl', 'ann', async () => void begun.push(name), signal);
    const running = lanes.run('ddl', 'ann', () => gate.promise);
    const [before, leaver, behind] = [ask('before'), new AbortController(), new AbortController()];
    const left = expect(ask('left', leaver.signal)).rejects.toThrow('gone');
    const after = ask('after', behind.signal);
    leaver.abort(new Error('gone'));
    await left;
    gate.resolve();
    await Promise.all([running, before, after]);
    behind.abort();
    expect(begun).toEqual(['before', 'after']);
    await expect(ask('too late', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  it('makes room for another where the lane was full', async () => {
    const lanes = new Lanes(10_000, still);
    const gate = Promise.withResolvers<void>();
    const leaver = new AbortController();
    const all = Array.from({ length: 64 }, () => lanes.run('ddl', 'ann', () => gate.promise));
    const left = lanes.run('ddl', 'ann', () => gate.promise, leaver.signal).catch(() => 'left');
    await expect(lanes.run('ddl', 'ann', async () => {})).rejects.toMatchObject({ code: 8 });
    leaver.abort();
    expect(await left).toBe('left');
    const taken = lanes.run('ddl', 'ann', async () => 'taken');
    gate.resolve();
    await Promise.all(all);
    expect(await taken).toBe('taken');
  });
});

describe('Request-Timeout', () => {
  it('is for all of a request: when waiting in the lane and its queries together take longer, 408 with code 10001; the place is free when the work has ended', async () => {
    const server = await startMemoryServer();
    await server.post('/v2/vectordb/collections/create', { collectionName: 'slow', dimension: 2 }, ROOT);
    const clock = new ManualClock();
    let begun = 0;
    const search: ServerNode['search'] = async (request) => {
      begun += 1;
      await new Promise<void>((resolve) => void clock.after(400, resolve));
      return server.real.search(request);
    };
    const node = withMethods(server.real, { search });
    const metrics = new MilvusMetrics(new Registry(), server.real, server.authenticator.accounts);
    const room = new MilvusRoom({ clock, metrics, perSecond: 1_000_000, slowMs: 10_000 });
    const ask = async (timeoutMs: number, queries: number, signal?: AbortSignal): Promise<unknown> => {
      const body = new Body({ collectionName: 'slow', data: Array.from({ length: queries }, () => [1, 0]) });
      const principal = almighty('root', Number.MAX_SAFE_INTEGER);
      const imports = undefined as never;
      const request = { node, principal, accounts: server.authenticator, imports, database: 'default', body, timeoutMs };
      const whole = { ...request, budget: new AnswerBudget(10_000), ...(signal === undefined ? {} : { signal }) };
      return room.handle('entities/search', whole, { int64AsText: false }, pino({ level: 'silent' })).then(
        () => 'answered',
        ({ code, status, message }: MilvusError) => `${status} ${code} ${message}`,
      );
    };
    const late = '408 10001 request timeout';
    // Each query alone is well within it.
    const three = ask(1_000, 3);
    const two = ask(1_000, 2);
    const answers = Promise.all([three, two]);
    for (let step = 0; step < 6; step++) {
      // Between two queries others have their turn.
      for (const ms of [0, 200]) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(ms);
      }
    }
    expect(await answers).toEqual([late, 'answered']);
    // All 64 places of the lane are taken for 400 ms: who waits longer than its time never begins.
    begun = 0;
    const running = Array.from({ length: 64 }, () => ask(1_000, 1));
    const waiting = ask(300, 1);
    const caller = new AbortController();
    const leaving = ask(1_000, 1, caller.signal);
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    clock.advance(300);
    expect([await waiting, await leaving]).toEqual([late, '200 10000 context canceled: nobody waits for the answer']);
    clock.advance(100);
    expect(new Set(await Promise.all(running))).toEqual(new Set(['answered']));
    expect(begun).toBe(64);
    await server.close();
  });
});

describe('the room behind the Milvus door', () => {
  let server: DoorServer & { readonly real: ServerNode };
  beforeAll(async () => {
    server = await startMemoryServer({ limits: { userRequestsPerSecond: 1_000_000 } as Config['limits'] });
  });
  afterAll(() => server.close());
  const call = async (path: string, body: object, credential = ROOT): Promise<{ readonly code: number }> =>
    (await server.post(`/v2/vectordb/${path}`, body, credential)).json() as Promise<{ readonly code: number }>;

  it('counts under the names that Milvus boards look for', async () => {
    await call('collections/create', { collectionName: 'counted', dimension: 2 });
    const data = [1, 2, 3].map((id) => ({ id, vector: [1, 0] }));
    await call('entities/insert', { collectionName: 'counted', data });
    await call('entities/search', { collectionName: 'counted', data: [[1, 0]] });
    await call('entities/search', { collectionName: 'nowhere', data: [[1, 0]] });
    await call('entities/delete', { collectionName: 'counted', filter: 'id in [1, 2]' });
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const where = 'node_id="1",db_name="",collection_name=""';
    for (const line of [
      `milvus_proxy_req_count{${where},function_name="Search",status="success"} 1`,
      `milvus_proxy_req_count{${where},function_name="Search",status="fail"} 1`,
      `milvus_proxy_req_count{${where},function_name="Search",status="total"} 2`,
      `milvus_proxy_insert_vectors_count{${where}} 3`,
      `milvus_proxy_search_vectors_count{${where}} 1`,
      `milvus_proxy_delete_vectors_count{${where}} 2`,
      `milvus_proxy_sq_latency_count{${where},query_type="search"} 2`,
      'milvus_rootcoord_collection_num 1',
      'milvus_rootcoord_credential_num 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('drops a request of many queries when its client closes the connection, and serves others meanwhile', async () => {
    await call('collections/create', { collectionName: 'left', dimension: 64 });
    const vector = Array.from({ length: 64 }, (_, at) => at);
    await call('entities/insert', { collectionName: 'left', data: Array.from({ length: 1_000 }, (_, id) => ({ id, vector })) });
    const caller = new AbortController();
    const left = fetch(`${server.url}/v2/vectordb/entities/search`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ROOT}` },
      // Some seconds of work.
      body: JSON.stringify({ collectionName: 'left', data: Array.from({ length: 16_384 }, () => vector), limit: 1 }),
      signal: caller.signal,
    }).catch(({ name }: Error) => name);
    const canceled = async (): Promise<boolean> =>
      (await (await fetch(`${server.url}/metrics`)).text()).includes('function_name="Search",status="cancel"} 1');
    expect((await call('entities/search', { collectionName: 'left', data: [vector], limit: 1 })).code).toBe(0);
    expect(await canceled()).toBe(false);
    caller.abort();
    expect(await left).toBe('AbortError');
    await expect.poll(canceled, { timeout: 15_000 }).toBe(true);
  });

  it('writes down who changed what, refused or not, and no secret', async () => {
    const lines: string[] = [];
    const { accounts } = server.authenticator;
    const metrics = new MilvusMetrics(new Registry(), server.real, accounts);
    const room = new MilvusRoom({ clock: still, metrics, perSecond: 100, slowMs: 1000 });
    const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
    const handle = (path: string, body: object): Promise<unknown> =>
      room.handle(
        path,
        {
          node: server.real,
          principal: almighty('root', 2_000_000),
          accounts: server.authenticator,
          imports: undefined as never,
          database: 'default',
          body: new Body(body),
          timeoutMs: 1000,
          budget: new AnswerBudget(10_000),
        },
        { int64AsText: false },
        log,
      );
    await handle('users/create', { userName: 'carol', password: 'very secret' });
    await handle('users/drop', { userName: 'root' }).catch(() => {});
    await handle('users/list', {});
    expect(lines.map((line) => (JSON.parse(line) as { audit: unknown }).audit)).toEqual([
      { subject: 'root', action: 'users/create', database: 'default', userName: 'carol', outcome: 'done', code: 0 },
      { subject: 'root', action: 'users/drop', database: 'default', userName: 'root', outcome: 'refused', code: 1401 },
    ]);
    expect(lines.join('')).not.toContain('very secret');
  });
});
