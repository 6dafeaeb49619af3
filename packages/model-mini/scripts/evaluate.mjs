/**
 * Retrieval of held-out WordNet glosses, of which training saw nothing: by GCIDE's definition of the same headword, by a usage example without the
 * headword, by the synonyms alone; and, of our own, by the gloss's words in other words. Against BM25, a hashed bag of words of the same size, and in hybrids with BM25.
 *   node scripts/evaluate.mjs [--model model] [--queries 2000] [--split test]        prints Markdown tables
 * Needs Debian's `wordnet-base` and `dict-gcide`; installs them with apt where it may.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createBm25, createHashedBag, termsOf } from './lib/baselines.mjs';
import { collectSynonyms, withoutLemmas } from './lib/corpus.mjs';
import { dot, embedIds } from './lib/development.mjs';
import { best, fuse, keywordList, LIST } from './lib/fusion.mjs';
import { readGcide } from './lib/gcide.mjs';
import { createKernel } from './lib/kernel.mjs';
import { nearest } from './lib/nearest.mjs';
import { readTable } from './lib/onnx.mjs';
import { createRandom, shuffle } from './lib/random.mjs';
import { readWordNet, splitOf } from './lib/read-wordnet.mjs';
import { createTokenizer, wordsOf } from './lib/word-piece.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(here, 'model') },
    wordnet: { type: 'string', default: '/usr/share/wordnet' },
    dictd: { type: 'string', default: '/usr/share/dictd' },
    queries: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    split: { type: 'string', default: 'test' },
    weights: { type: 'string', default: '0.2' },
  },
});
const TOP = 10;
/** Fewer words say too little to find one gloss by. */
const MIN_SUBSTITUTES = 3;

if (!existsSync(values.wordnet) || !existsSync(join(values.dictd, 'gcide.index')))
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'wordnet-base', 'dict-gcide'], { stdio: 'inherit' });

const synsets = readWordNet(values.wordnet);
const held = synsets.map((_, index) => index).filter((index) => splitOf(synsets[index].key) === values.split);
const { table, dim } = readTable(readFileSync(join(values.model, 'model.onnx')));
const vocabulary = JSON.parse(readFileSync(join(values.model, 'tokenizer.json'), 'utf8')).model.vocab;
// By id: an object lists its keys that look like numbers first.
const pieces = Object.keys(vocabulary).sort((a, b) => vocabulary[a] - vocabulary[b]);
const tokenize = createTokenizer(pieces);
const kernel = await createKernel(here);
/** Shares of BM25 in a weighted hybrid; the default was chosen on the development split. */
const weights = values.weights.split(',').map(Number);
const tasks = createTasks();
const columns = [
  'BM25',
  'hashed bag',
  'model-mini',
  'hybrid',
  'RRF by ranks alone',
  ...weights.map((weight) => `weighted, ${weight} BM25`),
];

for (const [name, pool] of [
  [`all ${synsets.length} glosses`, synsets.map((_, index) => index)],
  [`the ${held.length} held-out glosses`, held],
]) {
  console.log(`\nAmong ${name}:\n\n| query | n | | ${columns.join(' | ')} |\n|---|---|---|${'---|'.repeat(columns.length)}`);
  evaluate(pool);
}

function createTasks() {
  const gcide = readGcide(values.dictd);
  const synsetsOf = new Map();
  const trained = new Set();
  for (const { lemmas, key } of synsets)
    for (const lemma of lemmas.map((word) => word.toLowerCase())) {
      synsetsOf.set(lemma, (synsetsOf.get(lemma) ?? 0) + 1);
      if (splitOf(key) === 'train') trained.add(lemma);
    }
  const random = createRandom(Number(values.seed));
  const synonymsOf = collectSynonyms(
    synsets.filter(({ key }) => splitOf(key) === 'train'),
    (text) => [text],
  );
  const all = { gcide: [], example: [], synonym: [], foreign: [], unseen: [], substitute: [] };
  for (const right of held) {
    const { lemmas, gloss, examples } = synsets[right];
    // A headword with one sense in WordNet, so that there is one right gloss.
    const single = lemmas.find((lemma) => synsetsOf.get(lemma.toLowerCase()) === 1 && gcide.has(lemma.toLowerCase()));
    if (single !== undefined) all.gcide.push({ text: withoutLemmas(gcide.get(single.toLowerCase()), [single]).join(' '), right });
    if (examples.length > 0) all.example.push({ text: withoutLemmas(examples[0], lemmas).join(' '), right });
    const inGloss = new Set(termsOf(gloss));
    const others = wordsOf(gloss).flatMap((word) => substituteOf(word, inGloss, random));
    if (others.length >= MIN_SUBSTITUTES) all.substitute.push({ text: others.join(' '), right });
    if (lemmas.length < 2) continue;
    const query = { text: lemmas.slice(1).join(' '), right };
    all.synonym.push(query);
    if (termsOf(query.text).every((term) => !inGloss.has(term))) all.foreign.push(query);
    if (lemmas.every((lemma) => !trained.has(lemma.toLowerCase()))) all.unseen.push(query);
  }
  const titles = {
    gcide: '(a) definition from GCIDE',
    example: '(b) usage example, headword masked',
    synonym: '(c) synonyms only',
    foreign: '(c) those that share no word with the gloss',
    unseen: '(c) those with no lemma in any trained synset',
    substitute: '(d) a synonym of each word of the gloss that has one',
  };
  return Object.entries(all).map(([name, queries]) => ({
    title: titles[name],
    queries: shuffle(queries, random).slice(0, Number(values.queries)),
  }));

  /** None for a word without synonyms, or when the one drawn shares a word with the gloss. */
  function substituteOf(word, inGloss, source) {
    const synonyms = synonymsOf.get(word) ?? [];
    const [one] = synonyms[source.below(Math.max(1, synonyms.length))] ?? [];
    return one !== undefined && termsOf(one).every((term) => !inGloss.has(term)) ? [one] : [];
  }
}

function evaluate(pool) {
  const passages = pool.map((index) => synsets[index].gloss);
  const place = new Map(pool.map((index, at) => [index, at]));
  const bm25 = createBm25(passages);
  const bag = createHashedBag(passages, dim);
  const embed = (text) => embedIds(tokenize(text), table, dim);
  const vectors = passages.map(embed);
  const nearestBag = nearest(kernel, passages.map(bag), dim);
  const nearestMini = nearest(kernel, vectors, dim);
  for (const { title, queries } of tasks) {
    const right = queries.map(({ right: index }) => place.get(index));
    const texts = queries.map(({ text }) => text);
    const keyword = texts.map((text) => keywordList(bm25(text)));
    const embedded = texts.map(embed);
    const semantic = nearestMini(embedded, LIST);
    const weighted = (weight) =>
      keyword.map((list, i) => mix({ keyword: list, semantic: semantic[i], query: embedded[i], vectors, weight }));
    const results = [
      keyword,
      nearestBag(texts.map(bag), LIST),
      semantic,
      keyword.map((list, i) => fuse([list, semantic[i]], true)),
      keyword.map((list, i) => fuse([list, semantic[i]], false)),
      ...weights.map(weighted),
    ];
    const figures = results.map((lists) => score(lists, right));
    console.log(`| ${title} | ${queries.length} | MRR@10 | ${figures.map(({ mrr }) => mrr.toFixed(3)).join(' | ')} |`);
    console.log(`| | | recall@10 | ${figures.map(({ recall }) => recall.toFixed(3)).join(' | ')} |`);
  }
}

/** The weighted mean of BM25, as a share of the best hit's, and the cosine, over all that either list found. */
function mix({ keyword, semantic, query, vectors, weight }) {
  const top = keyword[0]?.score ?? 1;
  const scores = new Map(semantic.map(({ index, score: cosine }) => [index, (1 - weight) * cosine]));
  for (const { index, score: points } of keyword)
    scores.set(index, (scores.get(index) ?? (1 - weight) * dot(query, vectors[index])) + (weight * points) / top);
  return best(scores);
}

function score(results, right) {
  let mrr = 0;
  let recall = 0;
  results.forEach((list, i) => {
    const rank = list.findIndex(({ index }) => index === right[i]);
    if (rank < 0 || rank >= TOP) return;
    recall++;
    mrr += 1 / (rank + 1);
  });
  return { mrr: mrr / results.length, recall: recall / results.length };
}
