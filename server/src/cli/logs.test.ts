import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../node/testing/until.ts';
import { type Served, serveProcess } from './testing/serve-process.ts';

const PASSWORD = 'mimsy-borogoves-17';
const OTHER_PASSWORD = 'vorpal-sword-42';
const SECRETS = [PASSWORD, OTHER_PASSWORD, 'brillig', '0.8125', 'tulgey', 'Bearer', 'slithy'];

let folder: string;
let served: Served | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-logs-'));
});
afterEach(async () => {
  served?.child.kill('SIGKILL');
  await served?.ended;
  served = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Every request takes longer than 0 ms. */
async function serve(slowMs: number): Promise<void> {
  served = await serveProcess(folder, [], { TERNDB_ROOT_PASSWORD: PASSWORD, TERNDB_LOG_SLOW_MS: String(slowMs) });
}

interface Answer {
  readonly code: number;
  readonly requestId: string;
}

async function call(path: string, body: object, credential = `root:${PASSWORD}`): Promise<Answer> {
  const response = await fetch(`${served!.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}` },
    body: JSON.stringify(body),
  });
  const { code } = (await response.json()) as { readonly code: number };
  return { code, requestId: response.headers.get('x-request-id')! };
}
const milvus = (path: string, body: object): Promise<Answer> => call(`/v2/vectordb/${path}`, body);

type Line = Readonly<Record<string, unknown>> & {
  readonly msg?: string;
  readonly reqId?: string;
  readonly slow?: Readonly<Record<string, unknown>>;
  readonly audit?: Readonly<Record<string, unknown>>;
};
const lines = (): Line[] =>
  served!
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

/** Lines of this request are written before it is answered; pipes take a moment more. */
async function linesOf({ requestId }: Answer): Promise<Line[]> {
  await until('the line of the request', () => lines().some(({ reqId, msg }) => reqId === requestId && msg === 'request'));
  return lines().filter(({ reqId }) => reqId === requestId);
}

async function fill(): Promise<void> {
  await milvus('collections/create', { collectionName: 'notes', dimension: 2 });
  await milvus('entities/insert', { collectionName: 'notes', data: [{ id: 1, vector: [0.8125, 0.5], text: 'slithy toves' }] });
}

describe('the slow-query log', () => {
  it('names the request, who asked what of which collection, its lane and how long it took, and no value of it', async () => {
    await serve(0);
    await fill();
    const search = await milvus('entities/search', {
      collectionName: 'notes',
      data: [[0.8125, 0.25]],
      filter: 'text == "brillig"',
      limit: 3,
    });
    expect(search.code).toBe(0);
    const [slow] = (await linesOf(search)).filter((line) => line.slow !== undefined);
    expect(slow).toMatchObject({
      level: 40,
      msg: 'slow request',
      reqId: search.requestId,
      slow: { subject: 'root', action: 'entities/search', database: 'default', collectionName: 'notes', lane: 'read' },
    });
    expect(Object.keys(slow!.slow!).sort()).toEqual(['action', 'collectionName', 'database', 'lane', 'ms', 'subject']);
    expect(slow!.slow!['ms']).toBeGreaterThan(0);
    const lanes = lines().flatMap((line) => (line.slow === undefined ? [] : [[line.slow['action'], line.slow['lane']]]));
    expect(lanes).toEqual([
      ['collections/create', 'ddl'],
      ['entities/insert', 'write'],
      ['entities/search', 'read'],
    ]);
    const device = await call('/sync/v1/query', { collection: 'notes', filter: 'text == "tulgey"', limit: 3 });
    const [ofDevice] = (await linesOf(device)).filter((line) => line.slow !== undefined);
    expect(ofDevice!.slow).toMatchObject({
      subject: 'root',
      action: 'sync/query',
      database: 'default',
      collectionName: 'notes',
      lane: 'read',
    });
    // A slow failure is slow, too, and what was wrong with it may hold what was asked.
    const refused = await milvus('entities/query', { collectionName: 'notes', filter: 'brillig = "tulgey' });
    expect(refused.code).not.toBe(0);
    expect((await linesOf(refused)).some((line) => line.slow !== undefined)).toBe(true);
    for (const secret of SECRETS) expect(served!.output()).not.toContain(secret);
  }, 60_000);

  it('is silent below its threshold', async () => {
    await serve(60_000);
    await fill();
    await linesOf(await milvus('entities/search', { collectionName: 'notes', data: [[0.8125, 0.25]], limit: 3 }));
    await linesOf(await call('/sync/v1/query', { collection: 'notes', limit: 3 }));
    expect(lines().filter((line) => line.slow !== undefined)).toEqual([]);
  }, 60_000);
});

describe('the audit log', () => {
  it('says who changed what, done or refused, and never a password', async () => {
    await serve(0);
    expect((await milvus('users/create', { userName: 'alice', password: PASSWORD })).code).toBe(0);
    expect((await milvus('users/update_password', { userName: 'alice', password: PASSWORD, newPassword: OTHER_PASSWORD })).code).toBe(0);
    const wrong = { userName: 'alice', password: 'brillig', newPassword: PASSWORD };
    expect((await call('/v2/vectordb/users/update_password', wrong, `alice:${OTHER_PASSWORD}`)).code).not.toBe(0);
    // A password in the wrong place is one all the same.
    await milvus('users/create', { userName: 'bob', password: { tulgey: PASSWORD } });
    expect((await call('/v2/vectordb/users/list', {}, `root:${OTHER_PASSWORD}`)).code).not.toBe(0);
    await linesOf(await milvus('users/drop', { userName: 'alice' }));
    const audit = lines().flatMap((line) => (line.audit === undefined ? [] : [line.audit]));
    expect(audit.map(({ subject, action, userName, outcome }) => [subject, action, userName, outcome])).toEqual([
      ['root', 'users/create', 'alice', 'done'],
      ['root', 'users/update_password', 'alice', 'done'],
      ['alice', 'users/update_password', 'alice', 'refused'],
      ['root', 'users/create', 'bob', 'refused'],
      ['root', 'users/drop', 'alice', 'done'],
    ]);
    for (const secret of SECRETS) expect(served!.output()).not.toContain(secret);
  }, 60_000);
});
