/**
 * A million rows × 384 without float32 rows in memory: int8 codes in a graph, one-bit codes in a graph, one-bit codes scanned. What they take to
 * build, their memory when opened, how long that takes, and recall and speed by the codes alone and with 20 to 200 rows fetched and scored
 * again: in Node from memory, in Chromium from the origin's private file system. Clustered data, inner product of unit vectors, k 10.
 * `BENCH_WRITE=1` writes `docs/benchmarks/kernel-million.{json,md}`. `BENCH_ROWS=100000` measures fewer, `BENCH_ONLY=node` leaves the browser out. Needs 8 GB of memory and 4 GB of disk, and about half an hour.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLists, createHnsw, loadKernel } from '@terndb/kernel';
import { clustered, type DataSet } from './kernel/data.ts';
import { runInChromium } from './kernel/isolated-worker.ts';
import { measureOpened, type OpenedRow } from './kernel/small-memory.ts';
import type { SmallMemoryJob } from './kernel/small-memory-worker.ts';
import { type MillionRow, writeMillion } from './kernel/write-million.ts';
import { report, round, tiny } from './lib/report.ts';

const [seed, k, dim, metric] = [1, 10, tiny ? 32 : 384, 'IP'] as const;
const rows = tiny ? 800 : Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const queryCount = tiny ? 5 : 200;
const graph = { dim, metric, m: 16, efConstruction: tiny ? 40 : 200, seed, capacity: rows } as const;
const SLICE_ROWS = 1_000;
const wasm = new URL('../../kernel/dist/kernel.wasm', import.meta.url);
const only = process.env['BENCH_ONLY'];

/** Each in a kernel of its own, which goes when it is done: memory of a kernel never shrinks. */
async function truthOf({ stored, queries }: DataSet): Promise<Set<number>[]> {
  const block = (await loadKernel({ wasm })).createBlock({ dim, capacity: rows });
  block.append(stored);
  return queries.map((query) => new Set(block.scan({ query, metric, k }).offsets));
}

async function int8Graph({ stored }: DataSet): Promise<Uint8Array> {
  const index = createHnsw(await loadKernel({ wasm }), graph);
  for (let row = 0; row < rows; row += SLICE_ROWS) {
    index.add(stored.subarray(row * dim, Math.min(rows, row + SLICE_ROWS) * dim));
    index.buildStep(SLICE_ROWS);
  }
  return index.save();
}

function meanOf({ stored }: DataSet): Float32Array {
  const sums = new Float64Array(dim);
  for (let at = 0; at < rows * dim; at++) sums[at % dim]! += stored[at]!;
  return Float32Array.from(sums, (sum) => sum / rows);
}

async function oneBitGraph(data: DataSet): Promise<Uint8Array> {
  const kernel = await loadKernel({ wasm });
  const block = kernel.createBlock({ dim, capacity: rows, screen: false });
  block.append(data.stored);
  const index = createHnsw(kernel, { ...graph, codes: 'b1', centroid: meanOf(data) });
  index.addFrom(block);
  while (index.linked < rows) index.buildStep(SLICE_ROWS, block);
  return index.save();
}

async function oneBitScan({ stored }: DataSet): Promise<Uint8Array> {
  const kernel = await loadKernel({ wasm });
  const block = kernel.createBlock({ dim, capacity: rows, screen: false });
  block.append(stored);
  const build = buildLists(kernel, { block, metric, codes: 'b1', lists: 1, seed });
  while (!build.step(SLICE_ROWS).done);
  return build.finish().save();
}

const KINDS = [
  ['int8 graph', int8Graph],
  ['one-bit graph', oneBitGraph],
  ['one-bit scan', oneBitScan],
] as const;

const all: MillionRow[] = [];

function add(row: MillionRow): void {
  all.push(row);
  report('million', { dim, k, seed, ...row });
}

async function inChromium(data: DataSet, truth: readonly Set<number>[], folder: string): Promise<void> {
  const queries = Buffer.concat(data.queries.map((query) => Buffer.from(query.buffer, query.byteOffset, query.byteLength)));
  writeRows(join(folder, 'rows'), data.stored);
  const binary = 'application/octet-stream';
  const indexes = KINDS.map(([name], at) => [`/index-${at}.bin`, { type: binary, path: join(folder, name) }] as const);
  const { browser, rows: measured } = await runInChromium<OpenedRow>({
    entry: fileURLToPath(new URL('./kernel/small-memory-worker.ts', import.meta.url)),
    files: {
      '/queries.bin': { type: binary, body: queries },
      '/rows.bin': { type: binary, path: join(folder, 'rows') },
      ...Object.fromEntries(indexes),
    },
    message: { dim, k, codes: KINDS.map(([name]) => name), truth: truth.map((best) => [...best]) } satisfies SmallMemoryJob,
  });
  for (const row of measured) add({ rows, ...row, browser });
}

/** In pieces: one write of more than 2 GiB is refused. */
function writeRows(file: string, stored: Float32Array): void {
  writeFileSync(file, '');
  const piece = SLICE_ROWS * 100 * dim;
  for (let at = 0; at < stored.length; at += piece) {
    const part = stored.subarray(at, at + piece);
    writeFileSync(file, new Uint8Array(part.buffer, part.byteOffset, part.byteLength), { flag: 'a' });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
try {
  const data = clustered(rows, queryCount, dim, seed);
  const truth = await truthOf(data);
  const fetchRow = (row: number, target: Float32Array): void => target.set(data.stored.subarray(row * dim, (row + 1) * dim));
  for (const [name, build] of KINDS) {
    const begun = performance.now();
    writeFileSync(join(folder, name), await build(data));
    const buildSeconds = round((performance.now() - begun) / 1000, 1);
    const bytes = readFileSync(join(folder, name));
    const measured = await measureOpened(name, bytes, wasm, { dim, k, queries: data.queries, truth, fetchRow });
    add({ rows, ...measured, buildSeconds, savedBytes: bytes.length });
  }
  if (only !== 'node' && !tiny) await inChromium(data, truth, folder);
  if (process.env['BENCH_WRITE'] === '1') writeMillion(fileURLToPath(new URL('../../../docs/benchmarks', import.meta.url)), all);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
