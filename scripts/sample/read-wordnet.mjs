/**
 * WordNet's database files (wndb(5WN), lexnames(5WN), cntlist(5WN)), as installed by Debian's `wordnet-base`.
 * A synset: `{ key, pos, topic, words, gloss, examples, hypernyms, uses }`; `uses` counts its tags in the semantic concordance.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** By lexicographer file number, from lexnames(5WN): the file itself is not in the package. */
const TOPICS = [
  'adj.all adj.pert adv.all noun.tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition noun.communication',
  'noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person noun.phenomenon noun.plant',
  'noun.possession noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change',
  'verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion',
  'verb.perception verb.possession verb.social verb.stative verb.weather adj.ppl',
]
  .join(' ')
  .split(' ');
const FILES = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' };
/** The digit that stands for a part of speech in a sense key; `s` is an adjective satellite, whose key also names its head. */
const SENSE_DIGIT = { n: 1, v: 2, a: 3, r: 4, s: 5 };
const HYPERNYM = new Set(['@', '@i']);
const LICENCE_LINE = /^ {2}\d+ (.*)$/;

/** Lemma, part of speech, topic and lexical id → tags, satellites summed over their heads. */
function readUses(folder) {
  const uses = new Map();
  for (const line of readFileSync(join(folder, 'cntlist.rev'), 'utf8').split('\n')) {
    const [sense, , count] = line.split(' ');
    if (count === undefined) continue;
    const key = sense.split(':').slice(0, 3).join(':');
    uses.set(key, (uses.get(key) ?? 0) + Number(count));
  }
  return uses;
}

const curlyQuotes = (text) => text.replace(/`([^`']*)'/g, '‘$1’');

/** `a definition; another; "an example"` → the definition without its examples, and the examples. */
function splitGloss(text) {
  const examples = [...text.matchAll(/"([^"]+)"/g)].map((match) => curlyQuotes(match[1].trim()));
  const definition = text.replace(/[;:,]?\s*"[^"]*"(?:\s*-\s*[^;]*)?/g, '').replace(/[\s;:,"]+$/, '');
  const gloss = curlyQuotes(definition.replaceAll('"', ''));
  return { gloss, examples };
}

function readSynset(line, letter, uses) {
  const [data, text] = line.split(' | ');
  const parts = data.split(' ');
  const [offset, file, type, wordCount] = parts;
  const words = [];
  let total = 0;
  const count = Number.parseInt(wordCount, 16);
  for (let i = 0; i < count; i++) {
    const word = parts[4 + 2 * i].replace(/\((?:a|p|ip)\)$/, '');
    const lexicalId = String(Number.parseInt(parts[5 + 2 * i], 16)).padStart(2, '0');
    total += uses.get(`${word.toLowerCase()}%${SENSE_DIGIT[type]}:${file}:${lexicalId}`) ?? 0;
    words.push(word.replaceAll('_', ' '));
  }
  const pointers = 4 + 2 * count;
  const hypernyms = [];
  for (let i = 0; i < Number(parts[pointers]); i++) {
    const at = pointers + 1 + 4 * i;
    if (HYPERNYM.has(parts[at])) hypernyms.push(`${parts[at + 2]}${parts[at + 1]}`);
  }
  return { key: `${letter}${offset}`, pos: letter, topic: TOPICS[Number(file)], words, ...splitGloss(text.trim()), hypernyms, uses: total };
}

/** All synsets, in the order of the files. */
export function readWordnet(folder) {
  const uses = readUses(folder);
  const synsets = [];
  for (const [file, letter] of Object.entries(FILES)) {
    for (const line of readFileSync(join(folder, `data.${file}`), 'utf8').split('\n')) {
      if (/^\d/.test(line)) synsets.push(readSynset(line, letter, uses));
    }
  }
  return synsets;
}

/** The licence that stands at the head of every data file. */
export function readLicence(folder) {
  const lines = readFileSync(join(folder, 'data.noun'), 'utf8').split('\n', 40);
  const licence = lines.flatMap((line) => LICENCE_LINE.exec(line)?.[1]?.trimEnd() ?? []);
  return `${licence.join('\n')}\n`;
}
