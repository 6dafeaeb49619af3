/**
 * WordNet's database files (wndb(5WN)), as installed by Debian's `wordnet-base`.
 * A synset: `{ key, pos, lemmas, gloss, examples, relations: [{ type, key }] }`; `key` is the part of speech and the byte offset.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash32 } from './random.mjs';

const FILES = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' };
/** Of 1,000 buckets of the key's hash: the test set, and beside it a small set to choose settings with. Neither is trained on. */
const TEST_BUCKETS = 100;
const DEVELOPMENT_BUCKETS = 115;

export function readWordNet(folder) {
  const synsets = [];
  for (const [file, letter] of Object.entries(FILES)) {
    for (const line of readFileSync(join(folder, `data.${file}`), 'utf8').split('\n')) {
      if (/^\d{8} /.test(line)) synsets.push(readSynset(line, letter));
    }
  }
  return synsets;
}

/** Irregular forms: `[inflected, base]`. */
export function readExceptions(folder) {
  return Object.keys(FILES).flatMap((file) =>
    readFileSync(join(folder, `${file}.exc`), 'utf8')
      .split('\n')
      .map((line) => line.replaceAll('_', ' ').split(' '))
      .filter((words) => words.length === 2),
  );
}

/** `train`, `development` or `test`. */
export function splitOf(key) {
  const bucket = hash32(key) % 1000;
  return bucket < TEST_BUCKETS ? 'test' : bucket < DEVELOPMENT_BUCKETS ? 'development' : 'train';
}

function readSynset(line, pos) {
  const [data, text] = line.split(' | ');
  const parts = data.split(' ');
  const wordCount = Number.parseInt(parts[3], 16);
  const lemmas = [];
  for (let i = 0; i < wordCount; i++) lemmas.push(parts[4 + 2 * i].replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' '));
  const first = 4 + 2 * wordCount;
  const relations = [];
  for (let i = 0; i < Number(parts[first]); i++) {
    const [type, offset, toPos] = parts.slice(first + 1 + 4 * i);
    relations.push({ type, key: `${toPos === 's' ? 'a' : toPos}${offset}` });
  }
  return { key: `${pos}${parts[0]}`, pos, lemmas: [...new Set(lemmas)], ...splitGloss(text), relations };
}

/** `a definition; another; "an example"` → the definition without its examples, and the examples. */
function splitGloss(text) {
  const examples = [...text.matchAll(/"([^"]+)"/g)].map((match) => match[1].trim());
  const gloss = text
    .replace(/[;:,]?\s*"[^"]*"(?:\s*-\s*[^;]*)?/g, '')
    .replaceAll('"', '')
    .replace(/[\s;:,]+$/, '')
    .trim();
  return { gloss, examples };
}
