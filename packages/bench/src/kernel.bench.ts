/**
 * The graph index against its peers, on one thread: same data, parameters and queries, taking turns. In Node against native ones (two data sets: a
 * clustered synthetic one, and WordNet's glosses, which are harder; 10,000 and 100,000 rows × 384), in Chromium against hnswlib-wasm (clustered, 20,000 and
 * 100,000), inner product of unit vectors, k 10.
 * Databases (sqlite-vec, PGlite with pgvector, LanceDB) and EdgeVec have their turn afterwards, up to `BENCH_DATABASE_ROWS` rows (10,000).
 * `BENCH_ONLY=node` or `chromium`; `BENCH_SIZES=10000` and `BENCH_CHROMIUM_SIZES=20000` measure others, `BENCH_DATA=wordnet` or `clustered` (in
 * Node) only that. `BENCH_WRITE=1` also brings what was measured into `docs/benchmarks/kernel.{json,md,svg}`, with `BENCH_NOTE` beside it; what was not measured anew stays there. `BENCH_PLOT=1` only draws again.
 */
import { fileURLToPath } from 'node:url';
import { loadKernel } from '@terndb/kernel';
import { clustered, type DataSet, wordnet } from './kernel/data.ts';
import { measureDatabases } from './kernel/databases.ts';
import { raceInChromium } from './kernel/in-chromium.ts';
import { createPeers } from './kernel/peers.ts';
import { measurePlanner } from './kernel/planner.ts';
import { race } from './kernel/race.ts';
import { drawAgain, type Row, writeReport } from './kernel/write-report.ts';
import { report, tiny } from './lib/report.ts';

const settings = { k: 10, m: 16, efConstruction: tiny ? 40 : 200, seed: Number(process.env['BENCH_SEED'] ?? 1) };
const dim = tiny ? 64 : 384;
const sizes = sizesOf('BENCH_SIZES', '10000,100000');
const chromiumSizes = sizesOf('BENCH_CHROMIUM_SIZES', '20000,100000');
const databaseRows = Number(process.env['BENCH_DATABASE_ROWS'] ?? 10_000);
const queryCount = tiny ? 20 : 500;
const rounds = { turns: tiny ? 2 : 20, filteredTurns: tiny ? 1 : 4, filteredQueries: tiny ? 10 : 100 };
const folder = fileURLToPath(new URL('../../../docs/benchmarks', import.meta.url));
const rows: Row[] = [];

function sizesOf(variable: string, usual: string): number[] {
  return (process.env[variable] ?? (tiny ? '600' : usual)).split(',').map(Number);
}

function add(row: Row): void {
  rows.push(row);
  report('kernel', row);
}

async function inNode(data: DataSet): Promise<void> {
  const kernel = await loadKernel({ wasm: new URL('../../kernel/dist/kernel.wasm', import.meta.url) });
  const place = { data: data.name, rows: data.rows };
  const peers = tiny ? { contenders: [], missing: [] } : createPeers(data, settings);
  const { rows: measured, block, ours, contenders } = race({ kernel, data, settings, ...rounds }, peers.contenders);
  for (const row of measured) add({ ...place, name: String(row['name']), ...row });
  for (const { name, why } of peers.missing) add({ ...place, name, missing: why });
  for (const line of measurePlanner(ours[1]!.index, block, data, rounds.filteredQueries))
    add({ ...place, name: 'filter planner', ...line });
  for (const contender of contenders) contender.free();
  const truth = data.queries.map((query) => new Set(block.scan({ query, metric: 'IP', k: settings.k }).offsets));
  if (!tiny) for await (const row of measureDatabases(data, settings, truth, databaseRows)) add({ ...place, ...row });
}

async function inChromium(data: DataSet): Promise<void> {
  const { browser, rows: measured } = await raceInChromium(data, { settings, ...rounds });
  for (const row of measured) add({ ...row, data: `${data.name} in Chromium`, rows: data.rows, browser });
}

/** After each data set, so that a run that is ended early still leaves what it measured. */
function write(): void {
  if (process.env['BENCH_WRITE'] === '1') writeReport(folder, rows, settings);
}

if (process.env['BENCH_PLOT'] === '1') drawAgain(folder);
else {
  const only = process.env['BENCH_ONLY'];
  const onlyData = process.env['BENCH_DATA'];
  for (const size of only === 'chromium' ? [] : sizes) {
    if (onlyData !== 'wordnet') await inNode(clustered(size, queryCount, dim, settings.seed));
    write();
    if (onlyData === 'clustered') continue;
    const text = tiny ? undefined : wordnet(size, queryCount, dim, settings.seed);
    if (text) await inNode(text);
    else if (!tiny) rows.push({ data: 'wordnet', rows: size, name: 'all', missing: 'no WordNet here (Debian: wordnet-base)' });
    write();
  }
  for (const size of only === 'node' ? [] : chromiumSizes) {
    await inChromium(clustered(size, queryCount, dim, settings.seed));
    write();
  }
}
