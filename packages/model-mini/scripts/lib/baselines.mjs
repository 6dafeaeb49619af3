/** What the model is measured against: BM25, and a hashed bag of words of the model's size. Both over stemmed words without stop words. */
import { stemmer } from 'stemmer';
import { hash32 } from './random.mjs';
import { wordsOf } from './word-piece.mjs';

const K1 = 1.2;
const B = 0.75;
const STOP_WORDS = new Set(
  'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with'.split(
    ' ',
  ),
);

export const termsOf = (text) =>
  wordsOf(text)
    .filter((word) => /[\p{L}\p{N}]/u.test(word) && !STOP_WORDS.has(word))
    .map(stemmer);

/** @returns text → passage number → score and weight held, for the passages that hold one of its terms; and the weights of the text's own terms. */
export function createBm25(passages) {
  const postings = new Map();
  const lengths = new Float64Array(passages.length);
  passages.forEach((passage, index) => {
    const terms = termsOf(passage);
    lengths[index] = terms.length;
    const counts = new Map();
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, count] of counts) {
      if (!postings.has(term)) postings.set(term, []);
      postings.get(term).push(index, count);
    }
  });
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return (text) => {
    const scores = new Map();
    const held = new Map();
    const weights = [];
    const seen = new Set();
    for (const term of termsOf(text)) {
      const list = postings.get(term) ?? [];
      const inPassages = list.length / 2;
      const idf = Math.log(1 + (passages.length - inPassages + 0.5) / (inPassages + 0.5));
      const isNew = !seen.has(term);
      seen.add(term);
      if (isNew) weights.push(idf);
      for (let i = 0; i < list.length; i += 2) {
        const count = list[i + 1];
        const weight = (count * (K1 + 1)) / (count + K1 * (1 - B + (B * lengths[list[i]]) / mean));
        scores.set(list[i], (scores.get(list[i]) ?? 0) + idf * weight);
        if (isNew) held.set(list[i], (held.get(list[i]) ?? 0) + idf);
      }
    }
    return { scores, held, weights };
  };
}

/** @returns text → unit vector: each term adds its idf, with a sign, to the component that its hash names. */
export function createHashedBag(passages, dim) {
  const inPassages = new Map();
  for (const passage of passages) for (const term of new Set(termsOf(passage))) inPassages.set(term, (inPassages.get(term) ?? 0) + 1);
  return (text) => {
    const out = new Float32Array(dim);
    for (const term of termsOf(text)) {
      const hash = hash32(term);
      out[(hash >>> 1) % dim] += (hash % 2 === 0 ? 1 : -1) * Math.log(1 + passages.length / (1 + (inPassages.get(term) ?? 0)));
    }
    const length = Math.hypot(...out);
    return length > 0 ? out.map((value) => value / length) : out;
  };
}
