/**
 * A server of vectors under load, against embedded databases behind the same kind of route: inserting in batches of 1,000, the first half over one
 * connection and the second over four, then searching k = 10 over 1 and 16 connections at the smallest effort that has recall .95, and with a filter that
 * leaves 1 %. Each server is a process of its own; this one makes the load. Contenders come one after the other. BENCH_SERVER_ROWS (100,000),
 * BENCH_SERVER_DIM (384), BENCH_SERVER_PARTS=insert leaves searching out, BENCH_SERVER_ONLY=tern the others.
 */

import { clustered, type DataSet } from './kernel/data.ts';
import { installPeers, whyNot } from './kernel/peer-package.ts';
import { report, round, tiny } from './lib/report.ts';
import { BUCKETS, type ServerContender } from './server/contender.ts';
import { load, recallOf } from './server/load.ts';
import { openPeer } from './server/peers.ts';
import { openTern } from './server/tern.ts';
import { residentBytes } from './sync/server-process.ts';

const rows = tiny ? 300 : Number(process.env['BENCH_SERVER_ROWS'] ?? 100_000);
const dim = tiny ? 8 : Number(process.env['BENCH_SERVER_DIM'] ?? 384);
const parts = process.env['BENCH_SERVER_PARTS'];
const only = process.env['BENCH_SERVER_ONLY'];
const queryCount = tiny ? 5 : 200;
const loadMs = tiny ? 50 : 5_000;
const BATCH = 1_000;
const K = 10;
const LEVEL = 0.95;
const BUCKET = 7;
/** PGlite builds its graph in one thread of WebAssembly: a larger one takes longer than all the rest. */
const MOST_PGLITE_ROWS = 20_000;

const data = clustered(rows, queryCount, dim, 1);
const queries = data.queries.map((query) => Array.from(query));

function truthOf({ stored }: DataSet, isIn: (row: number) => boolean): ReadonlySet<number>[] {
  return data.queries.map((query) => {
    const best: { row: number; score: number }[] = [];
    for (let row = 0; row < rows; row++) {
      if (!isIn(row)) continue;
      let score = 0;
      for (let at = 0; at < dim; at++) score += stored[row * dim + at]! * query[at]!;
      if (best.length < K || score > best[K - 1]!.score) {
        best.push({ row, score });
        best.sort((a, b) => b.score - a.score);
        best.length = Math.min(best.length, K);
      }
    }
    return new Set(best.map(({ row }) => row));
  });
}

const isSearched = parts !== 'insert';
const truth = isSearched ? truthOf(data, () => true) : [];
const truthInBucket = isSearched ? truthOf(data, (row) => row % BUCKETS === BUCKET) : [];

/** Rows `from` up to `to` in batches, one at a time on each connection. @returns rows a second. */
async function insert(contender: ServerContender, { from, to, connections }: InsertOptions): Promise<number> {
  const begun = performance.now();
  let next = from;
  const connection = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next = Math.min(to, first + BATCH);
      const batch = Array.from({ length: next - first }, (_, index) => {
        const at = (first + index) * dim;
        return Array.from(data.stored.subarray(at, at + dim));
      });
      await contender.insert(first, batch);
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return Math.round(((to - from) * 1000) / (performance.now() - begun));
}

interface InsertOptions {
  readonly from: number;
  readonly to: number;
  readonly connections: number;
}

async function measure(contender: ServerContender): Promise<Record<string, unknown>> {
  const half = Math.ceil(rows / 2 / BATCH) * BATCH;
  const inserted = {
    insertRowsPerSecond: await insert(contender, { from: 0, to: Math.min(half, rows), connections: 1 }),
    insertRowsPerSecond4: half < rows ? await insert(contender, { from: half, to: rows, connections: 4 }) : undefined,
  };
  if (!isSearched) return inserted;
  const indexing = performance.now();
  await contender.index();
  const indexSeconds = round((performance.now() - indexing) / 1000, 1);
  const search = async (bucket?: number): Promise<Record<string, unknown>> => {
    const where = bucket === undefined ? {} : { bucket };
    for (const ef of contender.efs) {
      const recall = await recallOf(contender, queries, bucket === undefined ? truth : truthInBucket, { k: K, ef, ...where });
      if (recall < LEVEL && ef !== contender.efs.at(-1)) continue;
      const one = await load(contender, queries, { k: K, ef, ...where, connections: 1, ms: loadMs });
      const many = await load(contender, queries, { k: K, ef, ...where, connections: 16, ms: loadMs });
      return { ef, recall, loads: [one, many] };
    }
    return {};
  };
  return {
    ...inserted,
    indexSeconds,
    all: await search(),
    onePercent: await search(BUCKET),
    residentMiB: Math.round(residentBytes(contender.pid) / 2 ** 20),
  };
}

const OPENERS: readonly (readonly [name: string, open: () => Promise<ServerContender>])[] = [
  ['tern', () => openTern(dim)],
  ['LanceDB HNSW-SQ behind Fastify', () => peer('lance')],
  ['PGlite + pgvector behind Fastify', () => peer('pgvector')],
];

async function peer(kind: 'lance' | 'pgvector'): Promise<ServerContender> {
  if (kind === 'pgvector' && rows > MOST_PGLITE_ROWS) throw new Error(`only up to ${MOST_PGLITE_ROWS} rows`);
  const missing = installPeers();
  if (missing !== undefined) throw new Error(missing);
  return openPeer(kind, dim);
}

for (const [name, open] of OPENERS) {
  if (only !== undefined && name !== only) continue;
  try {
    const contender = await open();
    try {
      report('server', { name, rows, dim, k: K, ...(await measure(contender)) });
    } finally {
      await contender.stop();
    }
  } catch (error) {
    if (name === 'tern') throw error;
    report('server', { name, rows, dim, missing: whyNot(error) });
  }
}
process.exit(0);
