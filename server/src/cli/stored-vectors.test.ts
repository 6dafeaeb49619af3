import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveProcess } from './testing/serve-process.ts';

const DIM = 128;
/** Enough for a graph. */
const ROWS = 12_000;
const BATCH = 3_000;
const MIB = 2 ** 20;

let data: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'terndb-stored-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(data, { recursive: true, force: true });
});

async function serve(vectors: 'memory' | 'stored') {
  const { url, child, output } = await serveProcess(data, ['--insecure'], { TERNDB_VECTORS: vectors, TERNDB_LOG_LEVEL: 'warn' });
  running.add(child);
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v2/vectordb/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    running.delete(child);
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
  };
  return { call, metric, stop, output };
}

const vector = (row: number): number[] => Array.from({ length: DIM }, (_, at) => Math.sin((row + 1) * (at + 1) * 0.37));
const search = (row: number) => ({ collectionName: 'rows', data: [vector(row)], limit: 5, outputFields: ['vector'] });

it('a server with stored vectors serves them from files that end with it, in less memory than one that holds them', async () => {
  const first = await serve('stored');
  expect(await first.call('collections/create', { collectionName: 'rows', dimension: DIM, metricType: 'L2' })).toMatchObject({ code: 0 });
  for (let from = 0; from < ROWS; from += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => ({ id: from + index, vector: vector(from + index) }));
    expect(await first.call('entities/insert', { collectionName: 'rows', data: rows })).toMatchObject({ code: 0 });
  }
  expect(await first.call('collections/flush', { collectionName: 'rows' })).toMatchObject({ code: 0 });
  const found = await first.call('entities/search', search(77));
  expect((found['data'] as { id: number }[])[0]!.id).toBe(77);
  // However it ends, nothing of them is left; and what a system that cannot remove open files would leave goes at the next start.
  await first.stop('SIGKILL');
  const scratch = join(data, 'scratch');
  expect(await readdir(scratch)).toEqual([]);
  await writeFile(join(scratch, '1-1.scratch'), 'left');

  const sizes: Record<string, number> = {};
  for (const vectors of ['memory', 'stored'] as const) {
    const server = await serve(vectors);
    await server.call('collections/load', { collectionName: 'rows' });
    expect((await server.call('entities/search', search(77)))['data']).toEqual(found['data']);
    expect((await server.call('entities/get', { collectionName: 'rows', id: [4_321], outputFields: ['vector'] }))['data']).toEqual([
      expect.objectContaining({ id: 4_321, vector: vector(4_321).map((value) => expect.closeTo(value, 6) as unknown) }),
    ]);
    sizes[vectors] = await server.metric('terndb_wasm_bytes');
    if (vectors === 'stored') expect(await readdir(scratch)).toEqual([]);
    expect(server.output()).not.toContain('vectors stay in memory');
    await server.stop('SIGTERM');
  }
  // Less what passes through memory when a file is scanned: at most 4 MiB, however many rows.
  expect(sizes['memory']! - sizes['stored']!).toBeGreaterThan(ROWS * DIM * 4 + ROWS * DIM - 4 * MIB);
}, 90_000);

it('a server with stored vectors does not start where it can have no files', async () => {
  await writeFile(join(data, 'scratch'), 'not a folder');
  await expect(serve('stored')).rejects.toThrow(/STORAGE_UNAVAILABLE.*scratch folder/);
});
