/**
 * Does a server stay as it is? A real `terndb serve` on embedded storage under a steady mix of work on a bounded set of keys, first 90 % writes, 5 %
 * searches, 5 % other, then 50 / 40 / 10. Its memory, its open files and its latencies are looked at in windows: the last third of the time
 * against the third after the first, which is warming up. `npm run bench -- stability --minutes N` (default 10, for both mixes together).
 */
import { readdirSync } from 'node:fs';
import { seededRng } from '@terndb/core/testing';
import { percentile, report, round, tiny } from './lib/report.ts';
import { anonymousBytes, metricOf, residentBytes, sleep, startTern, type TernProcess } from './sync/server-process.ts';

const minutes = tiny ? 0.05 : Number(process.env['BENCH_MINUTES'] ?? 10);
const MIXES = [
  { name: '90/5/5', insert: 0.9, search: 0.05 },
  { name: '50/40/10', insert: 0.5, search: 0.4 },
] as const;
const WORKERS = 8;
/** Between two requests of one worker: a load that is steady, not all that the machine can do. */
const PAUSE_MS = 20;
const KEYS = tiny ? 200 : 20_000;
const BATCH = 20;
const DIM = 64;
const WINDOWS = 9;
const rng = seededRng(1);
const chance = (): number => rng.nextUint32() / 2 ** 32;

type Kind = 'insert' | 'search' | 'other';
interface Window {
  readonly residentMiB: number;
  /** Of it: not of files (LMDB maps the log, which is kept for 24 h). */
  readonly ownMiB: number;
  readonly heapMiB: number;
  readonly kernelMiB: number;
  readonly files: number;
  readonly requests: number;
  readonly p50: Readonly<Record<Kind, number>>;
  readonly p99: Readonly<Record<Kind, number>>;
}

async function post(server: TernProcess, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer root:benches' };
  const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as { readonly code?: unknown; readonly message?: unknown };
  if (!response.ok || (typeof answer.code === 'number' && answer.code !== 0)) throw new Error(`${path}: ${JSON.stringify(answer)}`);
}

const vector = (): number[] => Array.from({ length: DIM }, () => chance() - 0.5);
const row = (id: number): object => ({ id, vector: vector(), text: `note ${id} of the ${rng.nextUint32() % 1000}th kind`, n: id % 100 });
const anyKey = (): number => rng.nextUint32() % KEYS;

function insert(server: TernProcess): Promise<void> {
  const data = Array.from({ length: BATCH }, () => row(anyKey()));
  return post(server, '/v2/vectordb/entities/upsert', {
    collectionName: 'notes',
    data: [...new Map(data.map((one) => [(one as { id: number }).id, one])).values()],
  });
}

const search = (server: TernProcess): Promise<void> =>
  post(server, '/sync/v1/search', { collection: 'notes', vector: vector(), limit: 10, consistency: 'eventually' });

function other(server: TernProcess): Promise<void> {
  const draw = rng.nextUint32() % 4;
  if (draw === 0) return post(server, '/v2/vectordb/entities/delete', { collectionName: 'notes', filter: `id == ${anyKey()}` });
  if (draw === 1) return post(server, '/sync/v1/count', { collection: 'notes' });
  if (draw === 2) return post(server, '/sync/v1/get', { collection: 'notes', keys: [anyKey(), anyKey()] });
  return post(server, '/v2/vectordb/entities/query', { collectionName: 'notes', filter: `id < ${anyKey() % 200}`, limit: 10 });
}

const RUN: Readonly<Record<Kind, (server: TernProcess) => Promise<void>>> = { insert, search, other };

async function runWindow(server: TernProcess, mix: (typeof MIXES)[number], ms: number): Promise<Window> {
  const times: Record<Kind, number[]> = { insert: [], search: [], other: [] };
  const end = performance.now() + ms;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      const draw = chance();
      const kind: Kind = draw < mix.insert ? 'insert' : draw < mix.insert + mix.search ? 'search' : 'other';
      const start = performance.now();
      await RUN[kind](server);
      times[kind].push(performance.now() - start);
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  const each = (share: number): Record<Kind, number> => ({
    insert: round(percentile(times.insert, share), 1),
    search: round(percentile(times.search, share), 1),
    other: round(percentile(times.other, share), 1),
  });
  const mebibytes = async (name: string): Promise<number> => round((await metricOf(server, name)) / 2 ** 20, 1);
  return {
    residentMiB: round(residentBytes(server.pid) / 2 ** 20, 1),
    ownMiB: round(anonymousBytes(server.pid) / 2 ** 20, 1),
    heapMiB: await mebibytes('nodejs_heap_size_used_bytes'),
    kernelMiB: await mebibytes('terndb_wasm_bytes'),
    files: readdirSync(`/proc/${server.pid}/fd`).length,
    requests: times.insert.length + times.search.length + times.other.length,
    p50: each(0.5),
    p99: each(0.99),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const server = await startTern();
try {
  await post(server, '/v2/vectordb/collections/create', { collectionName: 'notes', dimension: DIM });
  // As many rows as there will be: what grows after it is not data.
  for (let id = 0; id < KEYS; id += 500) {
    const data = Array.from({ length: Math.min(500, KEYS - id) }, (_, index) => row(id + index));
    await post(server, '/v2/vectordb/entities/upsert', { collectionName: 'notes', data });
  }
  for (const mix of MIXES) {
    const ms = (minutes * 60_000) / MIXES.length / WINDOWS;
    const windows: Window[] = [];
    for (let index = 0; index < WINDOWS; index++) windows.push(await runWindow(server, mix, ms));
    const third = (from: number, of: (window: Window) => number): number => round(mean(windows.slice(from, from + WINDOWS / 3).map(of)), 1);
    const change = (of: (window: Window) => number): readonly number[] => [
      third(0, of),
      third(WINDOWS / 3, of),
      third((2 * WINDOWS) / 3, of),
    ];
    report('stability', {
      mix: mix.name,
      minutes: round((ms * WINDOWS) / 60_000, 2),
      requests: windows.reduce((sum, { requests }) => sum + requests, 0),
      // Means of the first, second and last third.
      residentMiB: change(({ residentMiB }) => residentMiB),
      ownMiB: change(({ ownMiB }) => ownMiB),
      heapMiB: change(({ heapMiB }) => heapMiB),
      kernelMiB: change(({ kernelMiB }) => kernelMiB),
      files: change(({ files }) => files),
      insertP50: change(({ p50 }) => p50.insert),
      insertP99: change(({ p99 }) => p99.insert),
      searchP50: change(({ p50 }) => p50.search),
      searchP99: change(({ p99 }) => p99.search),
      otherP99: change(({ p99 }) => p99.other),
      divergences: await metricOf(server, 'terndb_divergences'),
    });
  }
} finally {
  await server.stop();
}
process.exit(0);
