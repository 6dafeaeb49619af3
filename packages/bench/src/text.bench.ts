/**
 * Search as you type over passages: each query is typed letter by letter from its third on, and every keystroke searched; then hybrid searches with
 * vectors of the model that ships with Tern. Speed beside quality (MRR@10 of the passage a query is made from), size, time to build, and the
 * way from stored form to the first answer. MiniSearch and Orama hold the same passages in the same process. In Node; figures of loaded machines are to
 * be read as ratios.
 * `BENCH_ROWS=10000` for fewer passages, `BENCH_HYBRID=0` without vectors. No step of a contender takes longer than `BENCH_MINUTES` (3): searches stop then
 * and say how many there were, and who is not built by then is a row that says so.
 */
import { loadavg } from 'node:os';
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
const budgetMs = Number(process.env['BENCH_MINUTES'] ?? 3) * 60_000;

function mrr(queries: readonly Query[], search: (query: Query) => readonly string[]): object {
  let sum = 0;
  const times: number[] = [];
  const until = performance.now() + budgetMs;
  for (const query of queries) {
    const begun = performance.now();
    const rank = search(query).indexOf(query.id);
    times.push(performance.now() - begun);
    if (rank >= 0) sum += 1 / (rank + 1);
    if (performance.now() > until) break;
  }
  const cut = times.length < queries.length ? { queries: times.length } : {};
  return { mrr: round(sum / times.length, 3), ...speeds(times), ...cut };
}

const speeds = (times: readonly number[]): object => ({ p50Ms: round(percentile(times, 0.5)), p99Ms: round(percentile(times, 0.99)) });

function typed(contender: TextContender, queries: readonly Query[]): number[] {
  const times: number[] = [];
  const until = performance.now() + budgetMs;
  for (const { text } of queries) {
    if (performance.now() > until) break;
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
  const added = await contender.add(corpus.passages, vectors, () => performance.now() - begun < budgetMs);
  const buildMs = performance.now() - begun;
  const common = { seed, corpus: corpus.name, rows: corpus.passages.length, contender: contender.name, load: loadavg()[0] };
  if (added < corpus.passages.length) {
    report('text', { ...common, buildMs: Math.round(buildMs), gaveUp: `${added} rows were in after ${budgetMs / 60_000} minutes` });
    continue;
  }
  const words = corpus.queries['words']!;
  typed(contender, words.slice(0, 20));
  const typing = typed(contender, words.slice(0, tiny ? 3 : 100));
  const keyword = Object.fromEntries(kinds.map(([kind, queries]) => [kind, mrr(queries, ({ text }) => contender.keyword(text))]));
  const hybrid: Record<string, object> = {};
  if (withVectors && contender.hybrid !== undefined) {
    for (const [kind, queries] of kinds) {
      const some = queries.slice(0, hybridQueries);
      const ways = contender.name.startsWith('tern') ? { rrf: {}, weighted: { fusion: { type: 'weighted' } } } : { default: {} };
      for (const [way, options] of Object.entries(ways)) {
        hybrid[`${kind} ${way}`] = mrr(some, (query) => contender.hybrid!(query.text, queryVectors.get(query)!, options));
      }
    }
  }
  // A form of one text has a largest length: what is longer cannot be stored so.
  const stored = await contender.reload(words[0]!.text).catch((error: unknown) => ({ bytes: null, ms: null, failed: String(error) }));
  report('text', {
    ...common,
    buildMs: Math.round(buildMs),
    indexBytes: stored.bytes,
    reloadMs: stored.ms === null ? null : Math.round(stored.ms),
    ...('failed' in stored ? { reload: stored.failed } : {}),
    keystrokes: typing.length,
    typing: speeds(typing),
    keyword,
    hybrid,
  });
}
