/**
 * Search as you type over passages: each query is typed letter by letter from its third on, and every keystroke searched; then hybrid searches with
 * vectors of the model that ships with Tern. Speed beside quality (MRR@10 of the passage a query is made from), size, time to build, and the
 * way from stored form to the first answer. MiniSearch and Orama hold the same passages in the same process. In Node; figures of loaded machines are to
 * be read as ratios.
 * `BENCH_ROWS=10000` for fewer passages, `BENCH_HYBRID=0` without vectors.
 */
import { createEmbedder } from '@terndb/embed/node';
import { installPeers } from './kernel/peer-package.ts';
import { percentile, report, round, tiny } from './lib/report.ts';
import { createMiniSearch, createOrama, createTern, type TextContender } from './text/contenders.ts';
import { type Query, readCorpus } from './text/corpus.ts';

const seed = Number(process.env['BENCH_SEED'] ?? 1);
const rows = Number(process.env['BENCH_ROWS'] ?? (tiny ? 500 : 100_000));
const queriesPerKind = tiny ? 10 : 200;
const withVectors = !tiny && process.env['BENCH_HYBRID'] !== '0';
/** Orama compares a query with every vector in plain JavaScript. */
const hybridQueries = tiny ? 5 : 100;

function mrr(queries: readonly Query[], search: (query: Query, at: number) => readonly string[]): { mrr: number; times: number[] } {
  let sum = 0;
  const times: number[] = [];
  queries.forEach((query, at) => {
    const begun = performance.now();
    const rank = search(query, at).indexOf(query.id);
    times.push(performance.now() - begun);
    if (rank >= 0) sum += 1 / (rank + 1);
  });
  return { mrr: round(sum / queries.length, 3), times };
}

const speeds = (times: readonly number[]): object => ({ p50Ms: round(percentile(times, 0.5)), p99Ms: round(percentile(times, 0.99)) });

function typed(contender: TextContender, queries: readonly Query[]): number[] {
  const times: number[] = [];
  for (const { text } of queries) {
    for (let length = 3; length <= text.length; length++) {
      const begun = performance.now();
      contender.keyword(text.slice(0, length));
      times.push(performance.now() - begun);
    }
  }
  return times;
}

const corpus = readCorpus(rows, queriesPerKind, seed);
const kinds = Object.entries(corpus.queries);
let vectors: readonly Float32Array[] = [];
let queryVectors = new Map<Query, Float32Array>();
let dim = 0;
if (withVectors) {
  const embedder = await createEmbedder();
  vectors = await embedder.embed(corpus.passages.map(({ title, body }) => `${title}: ${body}`));
  dim = vectors[0]!.length;
  const all = kinds.flatMap(([, queries]) => queries);
  const embedded = await embedder.embed(all.map(({ text }) => text));
  queryVectors = new Map(all.map((query, i) => [query, embedded[i]!]));
  await embedder.close();
}

const peers = installPeers();
const contenders = [createTern(dim, 'standard'), createTern(dim, 'english')];
if (peers === undefined) contenders.push(createMiniSearch(), createOrama(dim));
else console.error(`without peers: ${peers}`);
for (const contender of contenders) {
  const begun = performance.now();
  await contender.add(corpus.passages, vectors);
  const buildMs = performance.now() - begun;
  const words = corpus.queries['words']!;
  typed(contender, words.slice(0, 20));
  const typing = typed(contender, words.slice(0, tiny ? 3 : 100));
  const keyword = Object.fromEntries(
    kinds.map(([kind, queries]) => {
      const measured = mrr(queries, ({ text }) => contender.keyword(text));
      return [kind, { mrr: measured.mrr, ...speeds(measured.times) }];
    }),
  );
  const hybrid: Record<string, object> = {};
  if (withVectors && contender.hybrid !== undefined) {
    for (const [kind, queries] of kinds) {
      const some = queries.slice(0, hybridQueries);
      const ways = contender.name.startsWith('tern') ? { rrf: {}, weighted: { fusion: { type: 'weighted' } } } : { default: {} };
      for (const [way, options] of Object.entries(ways)) {
        const measured = mrr(some, (query) => contender.hybrid!(query.text, queryVectors.get(query)!, options));
        hybrid[`${kind} ${way}`] = { mrr: measured.mrr, ...speeds(measured.times) };
      }
    }
  }
  const { bytes, ms } = await contender.reload(words[0]!.text);
  report('text', {
    seed,
    corpus: corpus.name,
    rows: corpus.passages.length,
    contender: contender.name,
    buildMs: Math.round(buildMs),
    indexBytes: bytes,
    reloadMs: Math.round(ms),
    keystrokes: typing.length,
    typing: speeds(typing),
    keyword,
    hybrid,
  });
}
