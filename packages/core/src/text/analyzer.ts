import { assertNever } from '../errors/assert.ts';
import { canonicalJson } from '../value/canonical-json.ts';
import {
  type AnalyzerDefinition,
  type AnalyzerFilter,
  type AnalyzerOption,
  checkAnalyzer,
  MAX_TERM_LENGTH,
  NAMED_ANALYZERS,
} from './analyzer-definition.ts';
import { foldAscii } from './fold-ascii.ts';
import { splitBlanks, splitByPlatform, splitWords, type WordSink } from './split-words.ts';
import { mustGetStemmer } from './stemmers.ts';
import { ENGLISH_STOP_WORDS } from './stop-words.ts';

/**
 * Rises with every change that may give a text other terms: tables, rules, filters, stemmers, stop words. Text indexes keep it (with the
 * analyzer) and are made anew when it differs.
 *   1: UAX #29 of Unicode 15.1.0, NFKC, @orama/stemmers 3.1.18.
 */
export const ANALYZER_VERSION = 1;

export interface Token {
  readonly term: string;
  /** Number of the word in the text; a dropped word counts, the parts of one word share it. */
  readonly position: number;
  /** UTF-16 offsets in the text, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}
export type TokenSink = (term: string, position: number, start: number, end: number) => void;

export interface Analyzer {
  /** Equal for analyzers that give equal terms: version and definition. */
  readonly id: string;
  /** Whether every engine gives the same terms, so that an index may be stored. */
  readonly isPortable: boolean;
  /** The terms to be indexed, in the order of the text. Cost: O(text). */
  tokens(text: string, sink: TokenSink): void;
  /** The terms to look for, which are the same unless a filter makes several of one. */
  queryTokens(text: string): Token[];
}

/** A term, several at one position, or none. */
type Terms = string | readonly string[] | null;
type Filter = (term: string) => Terms;

/** Distinct words whose terms are remembered: most of a text is words seen before. */
const CACHED_WORDS = 16_384;
/** Longer words are rare; the cache would hold them all. */
const MAX_CACHED_LENGTH = 32;

const byName = new Map<string, Analyzer>();
const byDefinition = new WeakMap<AnalyzerDefinition, Analyzer>();

/** Compiled once per name or definition object. SCHEMA_INVALID for what is none. Its stemmer must be loaded (`loadAnalyzers`). */
export function analyzerOf(option: AnalyzerOption = 'standard'): Analyzer {
  const known = typeof option === 'string' ? byName.get(option) : byDefinition.get(option);
  if (known !== undefined) return known;
  const checked = checkAnalyzer(option);
  const made = compileAnalyzer(typeof checked === 'string' ? NAMED_ANALYZERS[checked] : checked);
  if (typeof option === 'string') byName.set(option, made);
  else byDefinition.set(option, made);
  return made;
}

/** What a text becomes, for looking at. `use: 'query'` for a search text. */
export function analyze(text: string, analyzer: AnalyzerOption = 'standard', use: 'index' | 'query' = 'index'): Token[] {
  const compiled = analyzerOf(analyzer);
  if (use === 'query') return compiled.queryTokens(text);
  const tokens: Token[] = [];
  compiled.tokens(text, (term, position, start, end) => tokens.push({ term, position, start, end }));
  return tokens;
}

function compileAnalyzer(definition: AnalyzerDefinition): Analyzer {
  const { tokenizer, filters } = definition;
  const split = tokenizer === 'standard' ? splitWords : tokenizer === 'whitespace' ? splitBlanks : splitByPlatform;
  const forIndex = remembered(chain(filters.map((filter) => compileFilter(filter, 'index'))));
  const forQuery = chain(filters.map((filter) => compileFilter(filter, 'query')));
  return {
    id: `${ANALYZER_VERSION} ${canonicalJson(definition) as string}`,
    isPortable: tokenizer !== 'icu',
    tokens: (text, sink) => {
      run(text, split, forIndex, sink);
    },
    queryTokens: (text) => {
      const tokens: Token[] = [];
      run(text, split, forQuery, (term, position, start, end) => tokens.push({ term, position, start, end }));
      return tokens;
    },
  };
}

function run(text: string, split: (text: string, sink: WordSink) => void, termsOf: Filter, sink: TokenSink): void {
  let position = 0;
  split(text, (start, end) => {
    const terms = termsOf(text.slice(start, end));
    if (typeof terms === 'string') sink(terms, position, start, end);
    else if (terms !== null) for (const term of terms) sink(term, position, start, end);
    position++;
  });
}

/** Soft hyphens, joiners, direction marks: in a word they are there for its looks. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
const ASCII = /^[\0-\x7f]*$/;

/** The apostrophe that typesetters use. */
const CURLY_APOSTROPHE = /\u2019/g;

/** One form for full-width, composed and ligated letters (NFKC), before any filter. Lone surrogates become U+FFFD, as in UTF-8. */
function normalizeWord(word: string): string {
  const plain = ASCII.test(word)
    ? word
    : word.replace(INVISIBLE, '').replace(CURLY_APOSTROPHE, "'").normalize('NFKC').replace(LONE_SURROGATE, '\ufffd');
  return cut(plain, MAX_TERM_LENGTH);
}

/** At most so many UTF-16 units, whole characters. */
function cut(term: string, length: number): string {
  if (term.length <= length) return term;
  const isSplit = (term.charCodeAt(length - 1) & 0xfc00) === 0xd800;
  return term.slice(0, isSplit ? length - 1 : length);
}

function chain(filters: readonly Filter[]): Filter {
  return (word) => {
    let terms: Terms = normalizeWord(word);
    for (const filter of filters) {
      if (terms === null) return null;
      terms = typeof terms === 'string' ? filter(terms) : terms.flatMap((term) => filter(term) ?? []);
    }
    return terms === null || terms.length === 0 ? null : terms;
  };
}

function remembered(termsOf: Filter): Filter {
  const cache = new Map<string, Terms>();
  return (word) => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const terms = termsOf(word);
    if (word.length > MAX_CACHED_LENGTH) return terms;
    if (cache.size >= CACHED_WORDS) cache.clear();
    // A slice may hold on to its whole text; a term of its own does not.
    cache.set(word, terms);
    return terms;
  };
}

function compileFilter(filter: AnalyzerFilter, use: 'index' | 'query'): Filter {
  switch (filter.type) {
    case 'lowercase':
      return (term) => {
        const lower = term.toLowerCase();
        // The lower case of `İ` is not in the normal form.
        return ASCII.test(lower) ? lower : cut(lower.normalize('NFKC'), MAX_TERM_LENGTH);
      };
    case 'asciiFolding':
      return (term) => cut(foldAscii(term), MAX_TERM_LENGTH);
    case 'stop': {
      const words = new Set(filter.words.flatMap((word) => (word === '_english_' ? ENGLISH_STOP_WORDS : [word])));
      return (term) => (words.has(term) ? null : term);
    }
    case 'stemmer': {
      const stem = mustGetStemmer(filter.language);
      return (term) => cut(stem(term), MAX_TERM_LENGTH);
    }
    case 'length': {
      const { min = 0, max = MAX_TERM_LENGTH } = filter;
      return (term) => (term.length >= min && term.length <= max ? term : null);
    }
    case 'edgeNgram':
      return edgeNgrams(filter, use);
    default:
      return assertNever(filter, 'analyzer filter');
  }
}

function edgeNgrams({ min, max }: { readonly min: number; readonly max: number }, use: 'index' | 'query'): Filter {
  return (term) => {
    const characters = Array.from(term);
    if (characters.length < min) return null;
    const longest = Math.min(max, characters.length);
    if (use === 'query') return characters.slice(0, longest).join('');
    return Array.from({ length: longest - min + 1 }, (_, i) => characters.slice(0, min + i).join(''));
  };
}
