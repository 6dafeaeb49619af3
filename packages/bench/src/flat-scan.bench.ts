/**
 * Exact search over 10,000 × 384: plain JavaScript, the kernel's float32 scan, and the kernel's screened scan, in one process on one thread.
 * They take turns, `perTurn` queries each, so that each runs with its own rows in the caches, and a slow moment of the machine touches all.
 * `ratio` is the median over the rounds of (JavaScript's median / the kernel's median). `coldRatio` is the same with turns of one query, where
 * each finds the caches full of the others' rows: then the memory's speed counts more than the code's.
 * Two data sets: `gaussian` has no structure at all, `mixture` has clusters of low inner dimension, as embeddings do.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadKernel, type VectorBlock } from '@terndb/kernel';
import { jsScan, prepareRows } from './js-scan.ts';
import { median, report, round, tiny } from './lib/report.ts';

const seed = Number(process.env['BENCH_SEED'] ?? 1);
const rows = tiny ? 500 : 10_000;
const dim = 384;
const k = 10;
const metric = 'COSINE';
const queries = tiny ? 3 : 300;
const perTurn = 20;
const wasmUrl = new URL('../../kernel/dist/kernel.wasm', import.meta.url);

/** mulberry32 and Box–Muller: the same numbers everywhere. */
function gaussians(start: number): () => number {
  let state = start >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function gaussianRows(count: number, normal: () => number): Float32Array {
  return Float32Array.from({ length: count * dim }, normal);
}

/** 200 centres; each row is a centre plus a random point of a subspace of 24 dimensions plus a little noise. */
function mixtureRows(count: number, normal: () => number): Float32Array {
  const inner = 24;
  const centres = gaussianRows(200, normal);
  const basis = gaussianRows(inner, normal);
  const out = new Float32Array(count * dim);
  for (let row = 0; row < count; row++) {
    const centre = ((Math.abs(normal()) * 1e6) | 0) % 200;
    for (let j = 0; j < dim; j++) out[row * dim + j] = centres[centre * dim + j]! * 0.5 + normal() * 0.05;
    for (let i = 0; i < inner; i++) {
      const weight = normal() * 0.2;
      for (let j = 0; j < dim; j++) out[row * dim + j]! += weight * basis[i * dim + j]!;
    }
  }
  return out;
}

function timed<T>(work: () => T): { ms: number; result: T } {
  const start = performance.now();
  const result = work();
  return { ms: performance.now() - start, result };
}

function sameHits(a: Uint32Array, b: Uint32Array): number {
  const wanted = new Set(a);
  return b.filter((offset) => wanted.has(offset)).length / a.length;
}

async function bench(data: string, make: (count: number, normal: () => number) => Float32Array): Promise<void> {
  const normal = gaussians(seed);
  const all = make(rows + queries, normal);
  const stored = all.slice(0, rows * dim);
  const kernel = await loadKernel({ wasm: wasmUrl });
  const blockOf = (screen: boolean): VectorBlock => {
    const block = kernel.createBlock({ dim, capacity: rows, screen });
    block.append(stored);
    return block;
  };
  const js = prepareRows(stored, dim);
  const f32 = blockOf(false);
  const { ms: appendMs, result: screened } = timed(() => blockOf(true));
  const queryAt = (index: number) => all.subarray((rows + index) * dim, (rows + index + 1) * dim);
  const contenders = {
    js: (query: Float32Array) => jsScan(js, query, k),
    f32: (query: Float32Array) => f32.scan({ query, metric, k }).offsets,
    screened: (query: Float32Array) => screened.scan({ query, metric, k }).offsets,
  };
  const turns = (perTurn: number) => {
    const rounds: { js: number; f32: number; screened: number }[] = [];
    for (let from = 0; from < queries; from += perTurn) {
      const turn = (scan: (query: Float32Array) => Uint32Array) =>
        median(Array.from({ length: Math.min(perTurn, queries - from) }, (_, index) => timed(() => scan(queryAt(from + index))).ms));
      rounds.push({ js: turn(contenders.js), f32: turn(contenders.f32), screened: turn(contenders.screened) });
    }
    const of = (pick: (round: { js: number; f32: number; screened: number }) => number) => median(rounds.map(pick));
    return {
      jsMs: of((r) => r.js),
      f32Ms: of((r) => r.f32),
      screenedMs: of((r) => r.screened),
      f32Ratio: of((r) => r.js / r.f32),
      ratio: of((r) => r.js / r.screened),
    };
  };
  let recall = 0;
  let checksum = 0;
  for (let index = 0; index < queries; index++) {
    const wanted = contenders.js(queryAt(index));
    const found = contenders.screened(queryAt(index));
    if (String(found) !== String(contenders.f32(queryAt(index)))) throw new Error(`query ${index}: screening changed the result`);
    recall += sameHits(wanted, found) / queries;
    for (const offset of found) checksum = (Math.imul(checksum, 31) + offset) >>> 0;
  }
  const warm = turns(perTurn);
  const cold = turns(1);
  report('flat-scan', {
    seed,
    data,
    rows,
    dim,
    k,
    metric,
    queries,
    perTurn,
    jsMs: round(warm.jsMs),
    f32Ms: round(warm.f32Ms),
    screenedMs: round(warm.screenedMs),
    f32Ratio: round(warm.f32Ratio, 2),
    ratio: round(warm.ratio, 2),
    coldScreenedMs: round(cold.screenedMs),
    coldRatio: round(cold.ratio, 2),
    checksum,
    recall: round(recall, 6),
    appendMs: round(appendMs),
    f32Bytes: f32.bytes,
    screenedBytes: screened.bytes,
    wasmBytes: readFileSync(fileURLToPath(wasmUrl)).length,
    versions: { v8: process.versions.v8 },
  });
  if (recall < 1 - 1e-9) process.exitCode = 1;
}

await bench('gaussian', gaussianRows);
await bench('mixture', mixtureRows);
