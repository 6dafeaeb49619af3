import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { AnswerBudget } from './answer-budget.ts';

const ROOT = 'root:open sesame';
const DIM = 64;
const ROWS = 200;
const LIMIT = 60_000;

interface Answer {
  readonly code: number | string;
  readonly message?: string;
  readonly details?: unknown;
  readonly data?: readonly object[];
}

let server: DoorServer;
let token: string;
beforeAll(async () => {
  server = await startMemoryServer({ limits: { answerBytes: LIMIT } as Config['limits'] });
  token = await server.token({ partitions: { '*': 'read' } });
  await milvus('collections/create', { collectionName: 'wide', dimension: DIM });
  const vector = Array.from({ length: DIM }, (_, at) => Math.sin(at + 1));
  const data = Array.from({ length: ROWS }, (_, id) => ({ id, vector, color: 'x'.repeat(100) }));
  expect(await milvus('entities/insert', { collectionName: 'wide', data })).toMatchObject({ code: 0 });
});
afterAll(() => server.close());

const milvus = async (path: string, body: object): Promise<Answer> =>
  (await server.post(`/v2/vectordb/${path}`, body, ROOT)).json() as Promise<Answer>;
const native = async (name: string, body: object): Promise<{ readonly status: number; readonly answer: Answer }> => {
  const response = await server.post(`/sync/v1/${name}`, { collection: 'wide', ...body }, token);
  return { status: response.status, answer: (await response.json()) as Answer };
};

describe('an answer', () => {
  const vector = Array.from({ length: DIM }, () => 1);
  const keys = Array.from({ length: ROWS }, (_, id) => id);
  it.each([
    ['query', 'entities/query', { filter: 'id >= 0', limit: ROWS }],
    ['get', 'entities/get', { id: keys }],
    ['search', 'entities/search', { data: [vector], limit: ROWS, outputFields: ['*'] }],
    ['many searches', 'entities/search', { data: Array.from({ length: 100 }, () => vector), limit: 50 }],
    ['hybrid search', 'entities/hybrid_search', { search: [{ data: [vector], annsField: 'vector' }], limit: ROWS, outputFields: ['*'] }],
  ])('of a %s at the Milvus door is bounded: what is larger is refused with the limit and what to do', async (_what, path, body) => {
    const refused = await milvus(path, { collectionName: 'wide', ...body });
    expect(refused).toMatchObject({ code: 1102, message: expect.stringContaining(`at most ${LIMIT} bytes expected`) });
    expect(refused.message).toMatch(/exceed the maxOutputSize Limit.*smaller limit.*fewer fields.*page by page/);
  });

  it('is given for fewer fields, fewer rows, or page by page', async () => {
    const on = { collectionName: 'wide', filter: 'id >= 0' };
    expect((await milvus('entities/query', { ...on, limit: ROWS, outputFields: ['id'] })).data).toHaveLength(ROWS);
    const ids: object[] = [];
    for (let offset = 0; offset < ROWS; offset += 50) ids.push(...(await milvus('entities/query', { ...on, limit: 50, offset })).data!);
    expect(ids).toHaveLength(ROWS);
  });

  it.each([
    ['get', { keys: keys.map((id) => ({ $int64: String(id) })), select: ['vector'] }],
    ['query', { limit: ROWS, select: ['vector', 'dynamic_'] }],
    ['search', { vector, limit: ROWS, select: ['vector'] }],
  ])('of a native %s is bounded: QUERY_INVALID', async (name, body) => {
    const { status, answer } = await native(name, body);
    expect([status, answer]).toMatchObject([
      400,
      { code: 'QUERY_INVALID', details: { option: 'limits.answerBytes', limit: LIMIT }, message: expect.stringContaining('page by page') },
    ]);
    expect((await native(name, { ...body, ...(name === 'get' ? { keys: [] } : { limit: 5 }) })).status).toBe(200);
  });

  it('of a write is not bounded: what is done is not answered as if it were refused', async () => {
    const small = await startMemoryServer({ limits: { answerBytes: 1_024 } as Config['limits'] });
    try {
      const ask = async (path: string, body: object): Promise<Answer> =>
        (await small.post(`/v2/vectordb/${path}`, { collectionName: 'notes', ...body }, ROOT)).json() as Promise<Answer>;
      await ask('collections/create', { dimension: 2 });
      const data = Array.from({ length: 100 }, (_, at) => ({ id: 1e12 + at, vector: [at, 1] }));
      expect(await ask('entities/insert', { data })).toMatchObject({ code: 0, data: { insertCount: 100 } });
      expect(await ask('entities/upsert', { data, partialUpdate: true })).toMatchObject({ code: 0, data: { upsertCount: 100 } });
      expect(await ask('entities/query', { filter: 'id > 0', limit: 100 })).toMatchObject({ code: 1102 });
    } finally {
      await small.close();
    }
  });

  it('is refused before it is there: at the first row beyond the limit, no further one is read', () => {
    const budget = new AnswerBudget(10_000);
    let read = 0;
    expect(() => {
      for (; ; read++) budget.take({ id: read, vector: new Float32Array(256) });
    }).toThrow('at most 10000 bytes expected');
    // 256 floats are 1,366 bytes of base64.
    expect(read).toBe(7);
  });

  it('is held to the limit as text, too, in bytes and not in letters', () => {
    const budget = new AnswerBudget(8);
    expect(budget.check('12345678')).toBe('12345678');
    expect(budget.check('éééé')).toBe('éééé');
    expect(() => budget.check('ééééé')).toThrow('at most 8 bytes');
  });

  it('counts what values hold: texts in bytes, JSON with its names', () => {
    const fits = (entity: Record<string, unknown>, most: number): boolean => {
      try {
        new AnswerBudget(most).take(entity);
        return true;
      } catch {
        return false;
      }
    };
    expect(fits({ text: 'é'.repeat(500) }, 1_000)).toBe(false);
    expect(fits({ text: 'e'.repeat(500) }, 1_000)).toBe(true);
    const json = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`name ${at}`, [at, null, { deep: true }]]));
    expect(fits({ json }, 1_500)).toBe(false);
    expect(fits({ json, at: new Date(0) }, 8_000)).toBe(true);
  });
});
