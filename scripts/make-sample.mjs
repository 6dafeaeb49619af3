/**
 * Makes the demo's sample from WordNet 3.0: readable passages (headwords, definition, examples) with small vectors of meaning.
 *   apt-get install wordnet-base && node scripts/make-sample.mjs
 * Writes web-demo/public/sample/: wordnet-passages.jsonl, wordnet-passages.vectors.bin, WORDNET-LICENSE.txt. The same input gives the same bytes.
 *   WORDNET   folder of the data files (default: where the Debian package puts them)
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeSampleVectors } from '../web-demo/src/sample/sample-vectors.ts';
import { latentVectors } from './sample/latent-vectors.mjs';
import { readLicence, readWordnet } from './sample/read-wordnet.mjs';

const wordnet = process.env.WORDNET ?? '/usr/share/wordnet';
const out = fileURLToPath(new URL('../web-demo/public/sample/', import.meta.url));
const PASSAGES = 7000;
const DIM = 64;
const SEED = 20061;
/** A definition shorter than this is no reading; a longer one is an essay. */
const GLOSS_CHARS = { min: 36, max: 360 };
const MAX_WORDS = 4;
const MAX_EXAMPLES = 3;
const KINDS = { n: 'noun', v: 'verb', a: 'adjective', r: 'adverb' };
/** How much a term says about a synset, by where it stands. */
const WEIGHTS = { word: 2, gloss: 1, example: 0.5, hypernym: 1.5, grandHypernym: 0.7, topic: 1 };
const STOP_WORDS = new Set(
  'a an and are as at be been being by can for from had has have he her his in into is it its more not of on one or other she so some such than that the their them then there these they this to up used was were when which who with you your'.split(
    ' ',
  ),
);

/** Words in lower case without their commonest endings, so that "plays" meets "playing". */
function terms(text) {
  const words = text.toLowerCase().match(/[a-z]{3,}/g) ?? [];
  return words
    .filter((word) => !STOP_WORDS.has(word))
    .map((word) => word.replace(/(?:ing|ed|es|s|ly)$/, (end) => (word.length - end.length >= 3 ? '' : end)));
}

function document(synset, byKey) {
  const weights = new Map();
  const add = (text, weight) => {
    for (const term of terms(text)) weights.set(term, (weights.get(term) ?? 0) + weight);
  };
  const parents = synset.hypernyms.flatMap((key) => byKey.get(key) ?? []);
  const grandparents = parents.flatMap((parent) => parent.hypernyms.flatMap((key) => byKey.get(key) ?? []));
  add(synset.words.join(' '), WEIGHTS.word);
  add(synset.gloss, WEIGHTS.gloss);
  add(synset.examples.join(' '), WEIGHTS.example);
  for (const parent of parents) add(parent.words.join(' '), WEIGHTS.hypernym);
  for (const grandparent of grandparents) add(grandparent.words.join(' '), WEIGHTS.grandHypernym);
  weights.set(synset.topic, WEIGHTS.topic);
  return weights;
}

/** The best-known synsets of every topic; the root of a topic's size gives its share, so that small ones are not lost. */
function choose(synsets) {
  const topics = Map.groupBy(
    synsets.filter(({ gloss, words }) => gloss.length >= GLOSS_CHARS.min && gloss.length <= GLOSS_CHARS.max && /[a-z]/i.test(words[0])),
    (synset) => synset.topic,
  );
  const shares = [...topics.values()].reduce((sum, group) => sum + Math.sqrt(group.length), 0);
  const worth = ({ uses, examples, gloss, words }) =>
    Math.log2(1 + uses) +
    Math.min(2, examples.length) +
    gloss.length / 120 +
    (words[0].includes(' ') ? 0 : 1.5) +
    (words[0].length <= 8 ? 1 : 0);
  const chosen = new Set();
  for (const group of topics.values()) {
    const wanted = Math.round((PASSAGES * Math.sqrt(group.length)) / shares);
    for (const synset of group.toSorted((a, b) => worth(b) - worth(a)).slice(0, wanted)) chosen.add(synset);
  }
  return synsets.filter((synset) => chosen.has(synset));
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

function passage(synset, byKey) {
  const parent = byKey.get(synset.hypernyms[0]);
  const lines = [sentence(synset.gloss), ...synset.examples.slice(0, MAX_EXAMPLES).map((example) => `“${example}”`)];
  if (parent !== undefined) lines.push(`A kind of: ${parent.words[0]}.`);
  return {
    id: `wn-${synset.key}`,
    title: synset.words.slice(0, MAX_WORDS).join(', '),
    body: lines.join('\n'),
    topic: synset.topic,
    kind: KINDS[synset.pos],
  };
}

const synsets = readWordnet(wordnet);
const byKey = new Map(synsets.map((synset) => [synset.key, synset]));
const chosen = choose(synsets);
console.log(`${synsets.length} synsets read, ${chosen.length} passages chosen`);
// The vectors are learnt from all synsets: the more text, the better the directions.
const vectors = latentVectors(
  synsets.map((synset) => document(synset, byKey)),
  { dim: DIM, seed: SEED },
);
const rows = new Map(synsets.map((synset, row) => [synset, row]));
const kept = new Float32Array(chosen.length * DIM);
chosen.forEach((synset, i) => {
  kept.set(vectors.subarray(rows.get(synset) * DIM, (rows.get(synset) + 1) * DIM), i * DIM);
});
mkdirSync(out, { recursive: true });
const jsonl = `${chosen.map((synset) => JSON.stringify(passage(synset, byKey))).join('\n')}\n`;
writeFileSync(`${out}wordnet-passages.jsonl`, jsonl);
writeFileSync(`${out}wordnet-passages.vectors.bin`, writeSampleVectors(kept, DIM));
writeFileSync(`${out}WORDNET-LICENSE.txt`, readLicence(wordnet));
console.log(`${Buffer.byteLength(jsonl)} bytes of passages, ${kept.length} bytes of vectors`);
