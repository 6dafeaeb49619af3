import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serveProcess } from '../../cli/testing/serve-process.ts';

/** The recipes of docs/milvus.md, with the official SDK against a real `terndb serve`. */
type Row = Readonly<Record<string, unknown>>;
const COLLECTION = 'pages';
const ROWS = 700;
const vector = (id: number): number[] => [Math.cos(id / 40), Math.sin(id / 40)];
const rowOf = (id: number): { id: number; vector: number[]; year: number } => ({ id, vector: vector(id), year: id % 5 });

let folder: string;
let server: Served;
let client: HttpClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-iterators-'));
  server = await serveProcess(folder, [], { TERNDB_ROOT_PASSWORD: 'open sesame' });
  client = new HttpClient({ endpoint: server.url, username: 'root', password: 'open sesame' });
  for (const metricType of ['COSINE', 'L2']) {
    const collectionName = COLLECTION + metricType;
    await ok(client.createCollection({ collectionName, dimension: 2, metricType }));
    // Even ids: there is room between any two.
    await ok(client.insert({ collectionName, data: Array.from({ length: ROWS }, (_, at) => rowOf(at * 2)) }));
  }
});
afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended;
  await rm(folder, { recursive: true });
});

async function ok<T>(answer: Promise<{ readonly code: number; readonly message?: string; readonly data: T }>): Promise<T> {
  const { code, message, data } = await answer;
  expect([code, message ?? '']).toEqual([0, '']);
  return data;
}

/** Every row that passes, in the order of the keys. */
async function* queryIterator(collectionName: string, filter: string, limit: number): AsyncGenerator<Row[]> {
  for (let last = ''; ; ) {
    const behind = last === '' ? [] : [`id > ${last}`];
    const page = await ok(client.query({ collectionName, filter: [...behind, filter].join(' and '), limit, outputFields: ['year'] }));
    if (page.length > 0) yield page as Row[];
    if (page.length < limit) return;
    last = String((page.at(-1) as Row)['id']);
  }
}

/** Every hit, best first, without the end of a window: each page begins at the distance where the one before has ended. */
async function* searchIterator(collectionName: string, query: readonly number[], limit: number): AsyncGenerator<Row[]> {
  const isL2 = collectionName.endsWith('L2');
  // Beyond every distance.
  const radius = isL2 ? Number.MAX_VALUE : -2;
  let from: number | undefined;
  let seen: Row[] = [];
  for (;;) {
    const near = from === undefined ? {} : { params: { radius, range_filter: from } };
    const filter = seen.length === 0 ? '' : `id not in [${seen.map(({ id }) => String(id)).join(', ')}]`;
    const request = { collectionName, data: [query], filter, limit, searchParams: near };
    const page = (await ok(client.search(request as never))) as unknown as Row[];
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    const last = Number(page.at(-1)!['distance']);
    // Distances come as float32: a little before it, and those that are there and were told left out.
    const slack = Math.abs(last) * 1e-6 + 1e-9;
    from = isL2 ? Math.max(0, last - slack) : last + slack;
    const isThere = ({ distance }: Row): boolean => (isL2 ? Number(distance) >= from! - slack : Number(distance) <= from! + slack);
    seen = [...seen, ...page].filter(isThere);
  }
}

const ids = (pages: readonly Row[][]): number[] => pages.flat().map(({ id }) => Number(id));
async function all(pages: AsyncGenerator<Row[]>): Promise<Row[][]> {
  const taken: Row[][] = [];
  for await (const page of pages) taken.push(page);
  return taken;
}

describe('a query iterator', () => {
  it('gives every row once, in the order of the keys, whatever the size of its pages', async () => {
    const wanted = Array.from({ length: ROWS }, (_, at) => at * 2);
    for (const limit of [70, 99, 701]) expect(ids(await all(queryIterator(`${COLLECTION}COSINE`, 'id >= 0', limit)))).toEqual(wanted);
    const filtered = ids(await all(queryIterator(`${COLLECTION}COSINE`, 'year == 3', 50)));
    expect(filtered).toEqual(wanted.filter((id) => id % 5 === 3));
  });

  it('is complete while others insert and delete: what is there throughout comes exactly once, and in order', async () => {
    const collectionName = `${COLLECTION}COSINE`;
    let isReading = true;
    let inserted = 0;
    const inserting = (async () => {
      // Odd ids before, at and behind the reader, and new ones at the end.
      for (let at = 0; isReading; at++) {
        const data = Array.from({ length: 10 }, (_, of) => rowOf((((at * 10 + of) * 37) % (ROWS * 3)) | 1));
        await ok(client.insert({ collectionName, data }));
        inserted += data.length;
        if (at % 3 === 2) await ok(client.delete({ collectionName, filter: `id in [${data[0]!.id}]` }));
      }
    })();
    const pages: Row[][] = [];
    for await (const page of queryIterator(collectionName, 'id >= 0', 20)) pages.push(page);
    isReading = false;
    await inserting;
    const found = ids(pages);
    expect(inserted).toBeGreaterThan(0);
    expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
    expect(found.filter((id) => id % 2 === 0)).toEqual(Array.from({ length: ROWS }, (_, at) => at * 2));
    await ok(client.delete({ collectionName, filter: 'id % 2 == 1' }));
  });
});

describe('a search iterator', () => {
  it.each(['COSINE', 'L2'])('over %s gives every hit once, best first, however many are equally near', async (metric) => {
    const collectionName = COLLECTION + metric;
    // The vectors go around the circle five times and a half: most distances are told by several rows.
    const pages = await all(searchIterator(collectionName, [1, 0], 60));
    const found = ids(pages);
    expect(pages.length).toBeGreaterThan(10);
    expect(found).toHaveLength(ROWS);
    expect(new Set(found).size).toBe(ROWS);
    const distances = pages.flat().map(({ distance }) => Number(distance));
    const sorted = distances.toSorted((a, b) => (metric === 'L2' ? a - b : b - a));
    for (const [at, distance] of distances.entries()) expect(distance).toBeCloseTo(sorted[at]!, 5);
  });

  it('by offset gives the same pages, as far as the window reaches', async () => {
    const collectionName = `${COLLECTION}L2`;
    const pages: Row[][] = [];
    for (let offset = 0; offset < ROWS; offset += 100) {
      const request = { collectionName, data: [[1, 0]], limit: 100, offset, outputFields: [] };
      pages.push((await ok(client.search(request))) as unknown as Row[]);
    }
    expect(new Set(ids(pages)).size).toBe(ROWS);
    const beyond = await client.search({ collectionName, data: [[1, 0]], limit: 100, offset: 16_300, outputFields: [] });
    expect(beyond).toMatchObject({ code: 65_535, message: expect.stringContaining('max query result window') });
  });
});
