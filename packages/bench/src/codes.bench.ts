/**
 * Recall and memory of every kind of codes: on the data of the kernel's bench (clustered, and WordNet's glosses where
 * they are), COSINE, k 10. `us` is the mean of one pass on one thread: on a machine that does other work it says little. `BENCH_SIZE=100000` and
 * `BENCH_SEED` change the defaults.
 */
import {
  buildLists,
  createHnsw,
  type HnswOptions,
  type Kernel,
  type ListCodes,
  type ListSearchOptions,
  loadKernel,
  type ScanHits,
  type VectorBlock,
} from '@terndb/kernel';
import { clustered, type DataSet, wordnet } from './kernel/data.ts';
import { report, round, tiny } from './lib/report.ts';

const seed = Number(process.env['BENCH_SEED'] ?? 5);
const rows = tiny ? 500 : Number(process.env['BENCH_SIZE'] ?? 20_000);
const [dim, queries, k, metric] = [tiny ? 64 : 384, tiny ? 5 : 200, 10, 'COSINE'] as const;
const BUILD_SLICE = 1_000;

/** One way to search: reports recall, and what a query takes. */
type Measure = (what: Record<string, unknown>, search: (query: Float32Array) => ScanHits) => void;

function measureOf(data: DataSet, block: VectorBlock): Measure {
  const truth = data.queries.map((query) => new Set(block.scan({ query, metric, k }).offsets));
  return (what, search) => {
    let found = 0;
    const start = performance.now();
    data.queries.forEach((query, at) => {
      for (const offset of search(query).offsets) if (truth[at]!.has(offset)) found++;
    });
    const us = round(((performance.now() - start) * 1000) / data.queries.length, 0);
    report('codes', { data: data.name, rows, dim, seed, ...what, recall: round(found / (data.queries.length * k), 4), us });
  };
}

function lists(kernel: Kernel, block: VectorBlock, measure: Measure, codes: ListCodes, count: number | undefined): void {
  const build = buildLists(kernel, { block, metric, codes, seed, ...(count !== undefined && { lists: count }) });
  while (!build.step(BUILD_SLICE).done);
  const index = build.finish();
  const bytes = round(index.memory.usedBytes / rows, 1);
  const ways: { readonly scores: string; readonly with: Partial<ListSearchOptions> }[] = [{ scores: 'of the block', with: { block } }];
  if (codes !== 'none') ways.push({ scores: 'estimates', with: {} }, { scores: '100 candidates', with: { block, candidates: 100 } });
  for (const nprobe of count === 1 ? [1] : [16, 64]) {
    for (const way of ways) {
      const what = { index: 'lists', codes, lists: index.lists, nprobe, scores: way.scores, bytes };
      measure(what, (query) => index.search({ query, k, nprobe, ...way.with }));
    }
  }
  index.free();
}

function graph(kernel: Kernel, block: VectorBlock, measure: Measure, codes: NonNullable<HnswOptions['codes']>): void {
  const index = createHnsw(kernel, { dim, metric, codes, seed, efConstruction: tiny ? 40 : 200, capacity: rows });
  index.addFrom(block);
  while (index.linked < rows) index.buildStep(BUILD_SLICE, block);
  const bytes = round(index.memory.usedBytes / rows, 1);
  for (const ef of [32, 64, 128, 256]) {
    const search = (query: Float32Array) => index.search({ query, k, ef, candidates: ef, block, plan: 'walk' });
    measure({ index: 'graph', codes, ef, scores: 'of the block', bytes }, search);
  }
  index.free();
}

async function measureAll(data: DataSet): Promise<void> {
  const kernel = await loadKernel({ wasm: new URL('../../kernel/dist/kernel.wasm', import.meta.url) });
  const block = kernel.createBlock({ dim, capacity: rows });
  block.append(data.stored);
  const measure = measureOf(data, block);
  for (const codes of ['b1', 'sq8'] as const) lists(kernel, block, measure, codes, 1);
  for (const codes of ['b1', 'sq8', 'none'] as const) lists(kernel, block, measure, codes, undefined);
  for (const codes of ['b1', 'sq8'] as const) graph(kernel, block, measure, codes);
}

await measureAll(clustered(rows, queries, dim, seed));
const text = tiny ? undefined : wordnet(rows, queries, dim, seed);
if (text) await measureAll(text);
