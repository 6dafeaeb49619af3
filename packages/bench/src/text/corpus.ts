/**
 * Passages and queries: WordNet's synsets (Debian's `wordnet-base`), one passage each, its first word as title and its definition as body. Without
 * WordNet, words drawn by Zipf's law, which measure speed but no quality of meaning.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniforms } from '../kernel/random.ts';

export interface Passage {
  readonly id: string;
  readonly title: string;
  readonly body: string;
}
export interface Query {
  readonly text: string;
  /** The passage it is made from. */
  readonly id: string;
}
export interface Corpus {
  readonly name: string;
  readonly passages: readonly Passage[];
  /** `words`: two words of the definition and one of the title, as typed; `example`: a sentence that uses the word; `synonym`: another word for it, and one of the definition. */
  readonly queries: Readonly<Record<string, readonly Query[]>>;
}

const FOLDER = process.env['BENCH_WORDNET'] ?? '/usr/share/wordnet';
const FILES = ['data.noun', 'data.verb', 'data.adj', 'data.adv'];

interface Synset {
  readonly id: string;
  readonly lemmas: readonly string[];
  readonly definition: string;
  readonly examples: readonly string[];
}

function readSynsets(): Synset[] {
  return FILES.flatMap((file) =>
    readFileSync(join(FOLDER, file), 'utf8')
      .split('\n')
      .filter((line) => /^\d{8} /.test(line))
      .map((line) => {
        const bar = line.indexOf('|');
        const parts = line.slice(0, bar).split(' ');
        const count = Number.parseInt(parts[3]!, 16);
        const lemmas = Array.from({ length: count }, (_, i) => parts[4 + i * 2]!.replaceAll('_', ' ').replace(/\(\w+\)$/, ''));
        const gloss = line.slice(bar + 1).trim();
        const examples = [...gloss.matchAll(/"([^"]+)"/g)].map(([, example]) => example!);
        const definition = gloss.replace(/;?\s*"[^"]*"[^;]*/g, '').trim();
        return { id: `${file.slice(5)}-${parts[0]}`, lemmas, definition, examples };
      }),
  );
}

/** The same order on every machine, so that the first `rows` are a sample. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const uniform = uniforms(seed);
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

const longWords = (text: string): string[] => [...new Set(text.toLowerCase().match(/[a-z]{5,}/g) ?? [])];

export function readCorpus(rows: number, queriesPerKind: number, seed: number): Corpus {
  return existsSync(join(FOLDER, FILES[0]!)) ? wordnetCorpus(rows, queriesPerKind, seed) : zipfCorpus(rows, queriesPerKind, seed);
}

function wordnetCorpus(rows: number, queriesPerKind: number, seed: number): Corpus {
  const synsets = shuffled(readSynsets(), seed).slice(0, rows);
  const take = (make: (synset: Synset) => string | undefined): Query[] => {
    const found: Query[] = [];
    for (const synset of synsets) {
      const text = make(synset);
      if (text !== undefined) found.push({ text, id: synset.id });
      if (found.length === queriesPerKind) break;
    }
    return found;
  };
  return {
    name: 'wordnet',
    passages: synsets.map(({ id, lemmas, definition }) => ({ id, title: lemmas[0]!, body: definition })),
    queries: {
      words: take(({ lemmas, definition }) => {
        const words = longWords(definition);
        return words.length < 2 ? undefined : `${words.at(-1)} ${words[0]} ${lemmas[0]!.toLowerCase()}`;
      }),
      example: take(({ examples }) => examples[0]),
      synonym: take(({ lemmas, definition }) => {
        const word = longWords(definition)[0];
        return lemmas.length < 2 || word === undefined ? undefined : `${lemmas[1]!.toLowerCase()} ${word}`;
      }),
    },
  };
}

function zipfCorpus(rows: number, queriesPerKind: number, seed: number): Corpus {
  const uniform = uniforms(seed);
  const letters = 'etaoinshrdlucmfwypvbgk';
  const lexicon = Array.from({ length: 40_000 }, (_, i) => {
    let word = '';
    for (let rest = i + 100; rest > 0; rest = Math.floor(rest / letters.length)) word += letters[rest % letters.length];
    return word;
  });
  const draw = (): string => lexicon[Math.floor(lexicon.length ** uniform()) - 1]!;
  const passages = Array.from({ length: rows }, (_, i) => ({
    id: `p${i}`,
    title: draw(),
    body: Array.from({ length: 6 + Math.floor(uniform() * 12) }, draw).join(' '),
  }));
  const queries = passages.slice(0, queriesPerKind).map(({ id, body }) => ({ id, text: body.split(' ').slice(0, 3).join(' ') }));
  return { name: 'zipf', passages, queries: { words: queries } };
}
