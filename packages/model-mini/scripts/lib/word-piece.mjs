/**
 * A WordPiece vocabulary learnt from words, and the tokenizer that uses it: the same normalisation and greedy longest match as BERT's
 * (`BertNormalizer`, `BertPreTokenizer`, `WordPiece` of a HuggingFace `tokenizer.json`), in plain JavaScript for training.
 */
export const PREFIX = '##';
export const SPECIAL = ['[PAD]', '[UNK]'];
/** BERT's: a longer word is one unknown token. */
export const MAX_WORD_LENGTH = 100;

/** Lowercase, without accents; letters and digits together, every sign of punctuation alone. */
export function wordsOf(text) {
  const plain = text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '');
  return plain.match(/[\p{P}$+<=>^`|~]|[^\s\p{P}$+<=>^`|~]+/gu) ?? [];
}

/**
 * Byte pair merges over the words' letters, by count, until there are enough pieces; then the `size` that the longest match really uses most.
 * @param counts Word → how often. @returns the pieces, special tokens first, then by use.
 */
export function learnVocabulary(counts, size) {
  const merged = mergePairs(counts, Math.ceil(size * 1.15));
  const letters = new Set();
  for (const word of counts.keys()) for (const [i, letter] of [...word].entries()) letters.add(i === 0 ? letter : PREFIX + letter);
  const all = new Map([...SPECIAL, ...letters, ...merged].map((piece, id) => [piece, id]));
  const uses = new Map();
  for (const [word, count] of counts) for (const piece of piecesOf(word, all) ?? []) uses.set(piece, (uses.get(piece) ?? 0) + count);
  const byUse = [...all.keys()].filter((piece) => !SPECIAL.includes(piece) && !letters.has(piece));
  byUse.sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || (a < b ? -1 : 1));
  return [...SPECIAL, ...[...letters].sort(), ...byUse].slice(0, size);
}

/** The pieces that merging makes, each a whole word's beginning or, with the prefix, an inner part. */
function mergePairs(counts, wanted) {
  const words = [...counts].map(([word, count]) => ({ count, parts: [...word].map((letter, i) => (i === 0 ? letter : PREFIX + letter)) }));
  const pairs = new Map();
  const places = new Map();
  const add = (index, a, b, count) => {
    const pair = `${a} ${b}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + count);
    if (!places.has(pair)) places.set(pair, new Set());
    places.get(pair).add(index);
  };
  words.forEach(({ parts, count }, index) => {
    for (let i = 1; i < parts.length; i++) add(index, parts[i - 1], parts[i], count);
  });
  const made = new Set();
  // Buckets by count would be exact; rescanning the candidates of the next round is enough and simple.
  while (made.size < wanted) {
    const round = [...pairs].filter(([, count]) => count > 1);
    if (round.length === 0) break;
    round.sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1));
    const floor = round[0][1] * 0.9;
    for (const [pair] of round) {
      // An earlier merge of this round may have changed the count: take it only while it still leads.
      const count = pairs.get(pair) ?? 0;
      if (count < floor || count < 2 || made.size >= wanted) break;
      const [a, b] = pair.split(' ');
      const piece = a + b.slice(PREFIX.length);
      made.add(piece);
      for (const index of places.get(pair)) mergeIn(words[index], a, b, piece, index);
      pairs.delete(pair);
      places.delete(pair);
    }
  }
  return made;

  function mergeIn(word, a, b, piece, index) {
    const { parts, count } = word;
    for (let i = 1; i < parts.length; i++) {
      if (parts[i - 1] !== a || parts[i] !== b) continue;
      if (i > 1) {
        const before = `${parts[i - 2]} ${a}`;
        pairs.set(before, (pairs.get(before) ?? 0) - count);
        add(index, parts[i - 2], piece, count);
      }
      if (i + 1 < parts.length) {
        const after = `${b} ${parts[i + 1]}`;
        pairs.set(after, (pairs.get(after) ?? 0) - count);
        add(index, piece, parts[i + 1], count);
      }
      parts.splice(i - 1, 2, piece);
      i--;
    }
  }
}

/** Greedy longest match; undefined where a letter is unknown. `vocabulary.has` decides. */
function piecesOf(word, vocabulary) {
  const pieces = [];
  const letters = [...word];
  if (letters.length > MAX_WORD_LENGTH) return undefined;
  for (let start = 0; start < letters.length; ) {
    let end = letters.length;
    let piece;
    for (; end > start; end--) {
      piece = (start > 0 ? PREFIX : '') + letters.slice(start, end).join('');
      if (vocabulary.has(piece)) break;
    }
    if (end === start) return undefined;
    pieces.push(piece);
    start = end;
  }
  return pieces;
}

/** @returns text → ids; words are remembered, because dictionaries repeat them. */
export function createTokenizer(pieces) {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const unknown = ids.get('[UNK]');
  const known = new Map();
  const idsOfWord = (word) => {
    let found = known.get(word);
    if (found === undefined) {
      found = piecesOf(word, ids)?.map((piece) => ids.get(piece)) ?? [unknown];
      known.set(word, found);
    }
    return found;
  };
  return (text) => wordsOf(text).flatMap(idsOfWord);
}
