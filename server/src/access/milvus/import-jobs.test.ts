import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { type ImportJob, ImportJobs, stateOf, type WriteRows } from './import-jobs.ts';

let folder: string;
let server: DoorServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-imports-'));
  await writeFile(join(folder, 'two.jsonl'), '{"id":1}\n{"id":2}\n');
  await writeFile(join(folder, 'three.json'), '{"rows":[{"id":1},{"id":2},{"id":3}]}');
  server = await startMemoryServer();
  await create({ collectionName: 'books', dimension: 2 });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
const post = async (path: string, body: object): Promise<unknown> =>
  (await server.post(`/v2/vectordb/${path}`, body, 'root:open sesame')).json();
const create = (body: object): Promise<unknown> => post('collections/create', body);

const PLACE = { database: 'default', collection: 'books', partition: '_default', subject: 'ann' };
const jobsOf = (maxFileBytes?: number): ImportJobs => new ImportJobs(folder, () => 1_000, maxFileBytes);
const take: WriteRows = async () => {};

describe('import jobs', () => {
  it('wait in a queue of at most 100, one runs at a time, and there is room again when one has ended', async () => {
    const jobs = jobsOf();
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const counted: WriteRows = async () => {
      running += 1;
      expect(running).toBe(1);
      await gate.promise;
      running -= 1;
    };
    const made = Array.from({ length: 100 }, () => jobs.create(PLACE, ['two.jsonl'], counted));
    expect(() => jobs.create(PLACE, ['two.jsonl'], take)).toThrow('imports: at most 100 waiting jobs expected');
    expect(jobs.check().status).toBe('degraded');
    gate.resolve();
    await jobs.settled();
    expect(jobs.check()).toEqual({ status: 'ok' });
    expect(made.every((job) => stateOf(job) === 'Completed')).toBe(true);
    expect(stateOf(jobs.create(PLACE, ['two.jsonl'], take))).toBe('Pending');
    await jobs.settled();
  });

  it('are remembered, the newest 1,000 of them', async () => {
    const jobs = jobsOf();
    const made: ImportJob[] = [];
    for (let round = 0; round < 11; round++) {
      for (let job = 0; job < 100; job++) made.push(jobs.create(PLACE, ['none.json'], take));
      await jobs.settled();
    }
    expect(jobs.list()).toHaveLength(1_000);
    expect([jobs.get(made[99]!.id), jobs.get(made[100]!.id)]).toEqual([undefined, made[100]]);
  });

  it('refuse a file that is larger than what one may be, and take the others', async () => {
    const jobs = jobsOf(20);
    const batches: (readonly unknown[])[] = [];
    const job = jobs.create(PLACE, ['three.json', 'two.jsonl'], async (rows) => void batches.push(rows));
    await jobs.settled();
    expect(job.files).toMatchObject([
      { state: 'Failed', rows: 0, reason: 'three.json: at most 20 bytes expected, got 37' },
      { state: 'Completed', rows: 2 },
    ]);
    expect(batches).toEqual([[{ id: 1 }, { id: 2 }]]);
    expect(stateOf(job)).toBe('Failed');
  });

  it.each([
    ['more than 256 files', Array.from({ length: 257 }, (_, at) => [`${at}.json`]), 'files: at most 256 expected, got 257'],
    ['a name of more than 1,024 characters', [[`${'x'.repeat(1_020)}.json`]], 'at most 1024 characters'],
    ['names that are none', [[7]], 'lists of names'],
  ])('of %s are refused', async (_what, files, message) => {
    const refused = { code: 1100, message: expect.stringContaining(message) };
    expect(await post('jobs/import/create', { collectionName: 'books', files })).toMatchObject(refused);
  });
});
