/**
 * WordNet as token ids, and the positive pairs drawn from it. Only synsets of the split `train` are here: a held-out synset gives no gloss, no
 * example, no lemma, and no relation that begins or ends at it. (A word of it may still be met in another synset's text, as words are.)
 */
import { inflectionsOf } from './inflections.mjs';
import { splitOf } from './read-wordnet.mjs';
import { createTokenizer, learnVocabulary, wordsOf } from './word-piece.mjs';

/** A word is drawn as the query of its context in inverse proportion to this power of its frequency. */
const CONTEXT_POWER = 0.6;
/** Words of the longer side are left out at random, so that no single word carries a definition. */
const DROPOUT = 0.2;
const HYPERNYM = new Set(['@', '@i']);
const RELATED = new Set(['@', '@i', '+', '&', '\\', '<']);

/** Share of batches by kind of pair. */
export const KINDS = { lemmaGloss: 32, context: 24, paraphrase: 10, synonym: 12, example: 8, hypernym: 10, inflection: 4 };
/** A paraphrase keeps this share of a definition's words, and says that share of those with another word. */
const PARAPHRASE_KEEP = 0.5;
const PARAPHRASE_REPLACE = 0.35;

export function buildCorpus({ synsets, exceptions, vocabularySize }) {
  const train = synsets.filter(({ key }) => splitOf(key) === 'train');
  const counts = new Map();
  for (const { lemmas, gloss, examples } of train)
    for (const text of [...lemmas, gloss, ...examples]) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const pieces = learnVocabulary(counts, vocabularySize);
  const tokenize = createTokenizer(pieces);
  const indexOf = new Map(train.map(({ key }, index) => [key, index]));
  const wordIds = new Map([...counts.keys()].map((word) => [word, tokenize(word)]));
  const toWords = (text) => wordsOf(text).map((word) => wordIds.get(word) ?? tokenize(word));
  const synonymsOf = collectSynonyms(train, toWords);
  let total = 0;
  for (const count of counts.values()) total += count;
  const entries = train.map(({ lemmas, gloss, examples, relations }, index) => ({
    index,
    lemmas: lemmas.map((lemma) => toWords(lemma)),
    gloss: toWords(gloss),
    substitutes: wordsOf(gloss).map((word) => synonymsOf.get(word) ?? []),
    odds: wordsOf(gloss).map((word) => (/[\p{L}\p{N}]/u.test(word) ? (counts.get(word) / total) ** -CONTEXT_POWER : 0)),
    examples: examples
      .map((text) => withoutLemmas(text, lemmas))
      .filter((words) => words.length > 1)
      .map((words) => words.map((word) => wordIds.get(word))),
    hypernyms: relations.filter(({ type, key }) => HYPERNYM.has(type) && indexOf.has(key)).map(({ key }) => indexOf.get(key)),
    related: relations.filter(({ type, key }) => RELATED.has(type) && indexOf.has(key)).map(({ key }) => indexOf.get(key)),
  }));
  const inflections = inflectionsOf([...counts.keys()], exceptions).map((pair) => pair.map((word) => wordIds.get(word)));
  return { pieces, tokenize, entries, inflections };
}

/** Word → what else its synsets call it, in ids: for single words, whatever the sense. */
export function collectSynonyms(synsets, toWords) {
  const synonyms = new Map();
  for (const { lemmas } of synsets) {
    for (const lemma of lemmas) {
      const words = wordsOf(lemma);
      if (words.length !== 1) continue;
      const others = lemmas.filter((other) => other !== lemma).map((other) => toWords(other).flat());
      synonyms.set(words[0], [...(synonyms.get(words[0]) ?? []), ...others]);
    }
  }
  return synonyms;
}

/** The words of an example without those of the headword, in any inflection that keeps the stem's letters. */
export function withoutLemmas(text, lemmas) {
  const masked = lemmas.flatMap(wordsOf);
  return wordsOf(text).filter((word) => !masked.some((lemma) => sameStem(word, lemma)));
}

/** Regular inflection only: equal but for at most three letters at the end. `ran` for `run` is met by equal first letters of short words. */
export function sameStem(a, b) {
  if (a === b) return true;
  let common = 0;
  while (common < a.length && a[common] === b[common]) common++;
  return common >= 3 && a.length - common <= 3 && b.length - common <= 3;
}

/** @returns draw(kind) → `{ query, passage, group }` as token ids; pairs of one group are not negatives of each other. */
export function createSampler({ entries, inflections }, random, run) {
  const withExamples = entries.filter(({ examples }) => examples.length > 0);
  const withHypernyms = entries.filter(({ hypernyms }) => hypernyms.length > 0);
  const withSynonyms = entries.filter(({ lemmas, related }) => lemmas.length > 1 || related.length > 0);
  const longer = entries.filter(({ gloss }) => gloss.length >= 6);
  const pick = (items) => items[random.below(items.length)];
  // Neighbours in WordNet's files are neighbours in meaning: a batch of short runs of them is one of hard negatives.
  let left = 0;
  let at = 0;
  const follow = (items) => {
    if (left === 0) {
      left = run;
      at = random.below(items.length);
    }
    left--;
    return items[at++ % items.length];
  };
  const drop = (words) => {
    const kept = words.filter(() => random.next() >= DROPOUT);
    return (kept.length > 0 ? kept : words).flat();
  };
  const draws = {
    lemmaGloss() {
      const { lemmas, gloss, index } = follow(entries);
      return { query: pick(lemmas).flat(), passage: drop(gloss), group: index };
    },
    context() {
      const { lemmas, gloss, odds, index } = follow(entries);
      const at = pickByOdds(odds, random);
      const rest = gloss.filter((_, i) => i !== at);
      return { query: gloss[at], passage: [...pick(lemmas).flat(), ...drop(rest)], group: index };
    },
    synonym() {
      const entry = follow(withSynonyms);
      const own = entry.lemmas.length > 1 && (entry.related.length === 0 || random.next() < 0.6);
      const first = random.below(entry.lemmas.length);
      const others = own ? entry.lemmas.filter((_, i) => i !== first) : entries[pick(entry.related)].lemmas;
      return { query: entry.lemmas[first].flat(), passage: pick(others).flat(), group: entry.index };
    },
    example() {
      const { lemmas, gloss, examples, index } = follow(withExamples);
      const passage = random.next() < 0.5 ? drop(gloss) : [...pick(lemmas).flat(), ...drop(gloss)];
      return { query: drop(pick(examples)), passage, group: index };
    },
    paraphrase() {
      const { lemmas, gloss, substitutes, index } = follow(longer);
      const query = [];
      const passage = [];
      gloss.forEach((word, i) => {
        if (random.next() < PARAPHRASE_KEEP) {
          const others = substitutes[i];
          query.push(...(others.length > 0 && random.next() < PARAPHRASE_REPLACE ? pick(others) : word));
        }
        if (random.next() >= DROPOUT) passage.push(...word);
      });
      if (random.next() < 0.2) passage.push(...pick(lemmas).flat());
      return query.length > 0 && passage.length > 0 ? { query, passage, group: index } : draws.lemmaGloss();
    },
    hypernym() {
      const { lemmas, gloss, hypernyms } = follow(withHypernyms);
      const above = entries[pick(hypernyms)];
      const query = random.next() < 0.5 ? pick(above.lemmas).flat() : drop(above.gloss);
      return { query, passage: random.next() < 0.5 ? pick(lemmas).flat() : drop(gloss), group: above.index };
    },
    inflection() {
      const number = random.below(inflections.length);
      const [query, passage] = inflections[number];
      return { query, passage, group: passage[0] };
    },
  };
  return (kind) => draws[kind]();
}

function pickByOdds(odds, random) {
  let at = random.next() * odds.reduce((sum, odd) => sum + odd, 0);
  for (let i = 0; i < odds.length; i++) {
    at -= odds[i];
    if (at < 0) return i;
  }
  return odds.length - 1;
}
