/**
 * Graphs inside a database: how long they take to build beside it, what a search costs with them and without, how good it is, what it costs to have
 * the same rows in several segments, and a cold open with the index files. The engine in Node, its objects in a
 * folder, its log in memory (all is sealed); the same code runs in a tab's worker.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineSchema, f } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import { FileObjectStore } from '@terndb/server';
import { clustered, type DataSet, wordnet } from './kernel/data.ts';
import { engineOver } from './lib/engine.ts';
import { median, report, round, tiny } from './lib/report.ts';

const seed = 1;
const dim = tiny ? 32 : 384;
const rows = tiny ? 12_000 : 50_000;
const queryCount = tiny ? 10 : 200;
const k = 10;
const turns = tiny ? 1 : 5;
const segmentCounts = tiny ? [1] : [1, 2, 4];

const { definition: schema } = defineSchema({ items: { id: f.primaryKey('int64'), n: f.number(), vec: f.vector(dim) } });

function meanMs(queries: readonly Float32Array[], search: (query: Float32Array) => unknown): number {
  const begun = performance.now();
  for (const query of queries) search(query);
  return (performance.now() - begun) / queries.length;
}

async function fill(engine: Engine, { stored }: DataSet, partitions: number): Promise<void> {
  const per = Math.ceil(rows / partitions);
  for (let partition = 0; partition < partitions; partition++) {
    const first = partition * per;
    const entities = Array.from({ length: Math.min(per, rows - first) }, (_, i) => ({
      id: first + i,
      n: (first + i) % 1000,
      vec: stored.subarray((first + i) * dim, (first + i + 1) * dim),
    }));
    engine.writeAll([{ type: 'put', collection: 'items', partition: `p${partition}`, entities }]);
    await engine.flush();
    await engine.seal();
  }
}

/** Builds in the background of a reader who searches all the time: how long one search took at worst, and the build in all. */
async function buildBesideReads(engine: Engine, query: Float32Array): Promise<{ seconds: number; longestMs: number; meanMs: number }> {
  const begun = performance.now();
  let isBuilding = true;
  const built = engine.buildIndexes().then(() => {
    isBuilding = false;
  });
  const waits: number[] = [];
  while (isBuilding) {
    const asked = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    engine.search({ collection: 'items', vector: query, limit: k, select: [] });
    waits.push(performance.now() - asked);
  }
  await built;
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, longestMs: Math.max(...waits), meanMs: waits.reduce((sum, ms) => sum + ms, 0) / waits.length };
}

async function bench(data: DataSet, segments: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tern-graph-'));
  const open = engineOver(() => FileObjectStore.open(join(folder, 'objects')), schema);
  try {
    let engine = await open();
    await fill(engine, data, segments);
    const wasmBefore = engine.inspect().wasmBytes;
    const build = await buildBesideReads(engine, data.queries[0]!);
    const search = (vector: Float32Array, more: object = {}) =>
      engine.search({ collection: 'items', vector, limit: k, select: [], ...more });
    const times = { exact: [] as number[], graph: [] as number[], filtered: [] as number[] };
    for (let turn = 0; turn < turns; turn++) {
      times.exact.push(meanMs(data.queries, (query) => search(query, { exact: true })));
      times.graph.push(meanMs(data.queries, (query) => search(query)));
      times.filtered.push(meanMs(data.queries, (query) => search(query, { where: { n: { lt: 100 } } })));
    }
    let found = 0;
    let checksum = 0;
    for (const query of data.queries) {
      const truth = new Set(search(query, { exact: true }).hits.map(({ key }) => key));
      const { hits } = search(query);
      found += hits.filter(({ key }) => truth.has(key)).length;
      for (const { key } of hits) checksum = (Math.imul(checksum, 31) + Number(key)) >>> 0;
    }
    const probed = await engine.recall({ collection: 'items', sample: tiny ? 5 : 100 });
    const { wasmBytes, partitions } = engine.inspect();
    const indexBytes = partitions.flatMap((partition) => partition.segments).reduce((sum, segment) => sum + segment.indexBytes, 0);
    await engine.close();

    const begun = performance.now();
    engine = await open();
    const { exact } = search(data.queries[0]!);
    const firstResultMs = performance.now() - begun;
    await engine.buildIndexes();
    const graphsOpenMs = performance.now() - begun;
    const isBack = !search(data.queries[0]!).exact;
    await engine.close();
    const [exactMs, graphMs] = [median(times.exact), median(times.graph)];
    report('graph', {
      seed,
      data: data.name,
      rows,
      dim,
      k,
      segments,
      buildSeconds: round(build.seconds, 1),
      searchWhileBuildingMs: { mean: round(build.meanMs, 1), longest: round(build.longestMs, 1) },
      exactQps: Math.round(1000 / exactMs),
      graphQps: Math.round(1000 / graphMs),
      ratio: round(exactMs / graphMs, 2),
      filtered10Qps: Math.round(1000 / median(times.filtered)),
      recall: round(found / (data.queries.length * k), 4),
      probedRecall: round(probed.recall, 4),
      checksum,
      indexBytesPerRow: Math.round(indexBytes / rows),
      wasmBytes,
      wasmBeforeBuild: wasmBefore,
      coldOpen: { firstResultMs: Math.round(firstResultMs), exactThen: exact, graphsOpenMs: Math.round(graphsOpenMs) },
    });
    if (!isBack) throw new Error('the graphs were not there after opening again');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const sets = [clustered(rows, queryCount, dim, seed), tiny ? undefined : wordnet(rows, queryCount, dim, seed)];
for (const data of sets) for (const segments of segmentCounts) if (data !== undefined) await bench(data, segments);
