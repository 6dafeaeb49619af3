/**
 * The graph index against native peers, in one process on one thread: same data, parameters and queries, taking turns. Two data sets (a
 * clustered synthetic one, and WordNet's glosses, which are harder), 10,000 and 100,000 rows × 384, inner product of unit vectors, k 10.
 * `BENCH_SIZES=10000` measures fewer; `BENCH_WRITE=1` also writes `docs/benchmarks/kernel.{json,md}`, with `BENCH_NOTE` in it.
 */
import { fileURLToPath } from 'node:url';
import { loadKernel } from '@terndb/kernel';
import type { Contender } from './kernel/contender.ts';
import { clustered, type DataSet, wordnet } from './kernel/data.ts';
import { buildAll, LEVELS, operatingPoints, type Runner, speeds, type Truth } from './kernel/measure.ts';
import { createOurs } from './kernel/ours.ts';
import { createPeers } from './kernel/peers.ts';
import { measurePlanner } from './kernel/planner.ts';
import { uniforms } from './kernel/random.ts';
import { type Row, writeReport } from './kernel/write-report.ts';
import { report, round, tiny } from './lib/report.ts';

const settings = { k: 10, m: 16, efConstruction: tiny ? 40 : 200, seed: Number(process.env['BENCH_SEED'] ?? 1) };
const dim = tiny ? 64 : 384;
const sizes = (process.env['BENCH_SIZES'] ?? (tiny ? '600' : '10000,100000')).split(',').map(Number);
const queryCount = tiny ? 20 : 500;
const turns = tiny ? 2 : 20;
/** Shares of rows that pass the filter. */
const SHARES = [0.1, 0.01];
const filteredQueries = tiny ? 10 : 100;

const KINDS = [
  { name: 'tern f32', options: { codes: 'f32' }, rerank: false },
  { name: 'tern sq8 + f32 rerank', options: {}, rerank: true },
  { name: 'tern sq8 rotated + f32 rerank', options: { rotate: true }, rerank: true },
  { name: 'tern sq8 rotated + residual', options: { rotate: true, residual: true }, rerank: false },
] as const;

function randomBitmap(rows: number, share: number): Uint32Array {
  const uniform = uniforms(settings.seed + 99);
  const bitmap = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row++) if (uniform() < share) bitmap[row >> 5]! |= 1 << (row & 31);
  return bitmap;
}

/** QPS and percentiles of everybody who reaches each level, measured in turns. */
function compare(contenders: readonly Contender[], truth: Truth, searchOf: (contender: Contender) => Runner['search'], rounds: number) {
  const points = new Map(contenders.map((contender) => [contender, operatingPoints(contender, searchOf(contender), truth)]));
  const results = new Map<Contender, object[]>(contenders.map((contender) => [contender, []]));
  LEVELS.forEach((level, at) => {
    const runners = contenders.flatMap((contender) => {
      const point = points.get(contender)![at];
      return point ? [{ contender, ef: point.ef, search: searchOf(contender) }] : [];
    });
    const measured = speeds(runners, truth.length, rounds);
    for (const contender of contenders) {
      const runner = runners.find((candidate) => candidate.contender === contender);
      const point = points.get(contender)![at];
      results.get(contender)!.push(runner && point ? { level, ...point, ...measured.get(runner)! } : { level, reached: false });
    }
  });
  return results;
}

async function bench(data: DataSet, rows: Row[]): Promise<void> {
  const kernel = await loadKernel({ wasm: new URL('../../kernel/dist/kernel.wasm', import.meta.url) });
  const block = kernel.createBlock({ dim, capacity: data.rows });
  block.append(data.stored);
  const ours = KINDS.map((kind) => createOurs(kernel, data, block, settings, kind));
  const peers = tiny ? { contenders: [], missing: [] } : createPeers(data, settings);
  const contenders = [...ours, ...peers.contenders];
  const truthWith = (count: number, bitmap?: Uint32Array): Truth =>
    data.queries
      .slice(0, count)
      .map((query) => new Set(block.scan({ query, metric: 'IP', k: settings.k, ...(bitmap && { bitmap }) }).offsets));
  const seconds = buildAll(contenders, data.rows);
  const all = compare(contenders, truthWith(queryCount), (contender) => contender.search, turns);
  const filtered = SHARES.map((share) => {
    const bitmap = randomBitmap(data.rows, share);
    const able = contenders.filter((contender) => contender.searchFiltered);
    const results = compare(
      able,
      truthWith(filteredQueries, bitmap),
      (contender) => (query) => contender.searchFiltered!(query, bitmap),
      tiny ? 1 : 4,
    );
    return { share, results };
  });
  for (const contender of contenders) {
    const memory = contender.memory();
    const saved = contender.saveAndOpen();
    rows.push({
      data: data.name,
      rows: data.rows,
      name: contender.name,
      buildSeconds: round(seconds.get(contender)!, 2),
      search: all.get(contender)!,
      filtered: filtered.map(({ share, results }) => ({ share, search: results.get(contender) ?? [] })),
      bytesPerVector: Math.round(memory.index),
      rerankBytesPerVector: memory.rerank,
      saveMs: round(saved.saveMs, 1),
      openMs: round(saved.openMs, 1),
      savedBytes: saved.bytes,
    });
    report('kernel', rows.at(-1)!);
  }
  for (const { name, why } of peers.missing) {
    rows.push({ data: data.name, rows: data.rows, name, missing: why });
    report('kernel', rows.at(-1)!);
  }
  const coded = ours[1]!;
  for (const line of measurePlanner(coded.index, block, data, filteredQueries)) {
    rows.push({ data: data.name, rows: data.rows, name: 'filter planner', ...line });
    report('kernel', rows.at(-1)!);
  }
  for (const contender of contenders) contender.free();
}

const rows: Row[] = [];
/** After each data set, so that a run that is ended early still leaves what it measured. */
function write(): void {
  if (process.env['BENCH_WRITE'] === '1') writeReport(fileURLToPath(new URL('../../../docs/benchmarks', import.meta.url)), rows, settings);
}

for (const size of sizes) {
  await bench(clustered(size, queryCount, dim, settings.seed), rows);
  write();
  const text = tiny ? undefined : wordnet(size, queryCount, dim, settings.seed);
  if (text) await bench(text, rows);
  else if (!tiny) rows.push({ data: 'wordnet', rows: size, name: 'all', missing: 'no WordNet here (Debian: wordnet-base)' });
  write();
}
