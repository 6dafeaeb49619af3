import { DbError } from '../errors/db-error.ts';
import { MAX_ANALYZER_FILTERS, MAX_EDGE_NGRAM, MAX_STOP_WORDS } from '../limits.ts';
import { describe, isPlainObject } from '../value/describe.ts';
import { utf8Length } from '../value/scalar.ts';

/**
 * How a text becomes terms: a tokenizer, then filters in order. Part of the schema, as data.
 * - `standard`: words by UAX #29 from pinned tables, pairs of characters in scripts without spaces.
 * - `whitespace`: what is between blanks.
 * - `icu`: the platform's words; they differ between engines, so its indexes are made anew by every process and never stored.
 */
export interface AnalyzerDefinition {
  readonly tokenizer: 'standard' | 'whitespace' | 'icu';
  readonly filters: readonly AnalyzerFilter[];
}
export type StemmerLanguage = 'english' | 'french' | 'german';
export type AnalyzerFilter =
  | { readonly type: 'lowercase' }
  /** Latin letters without marks: `é` is `e`. */
  | { readonly type: 'asciiFolding' }
  /** Drops these terms, which keep their positions; `_english_` stands for a list. */
  | { readonly type: 'stop'; readonly words: readonly string[] }
  | { readonly type: 'stemmer'; readonly language: StemmerLanguage }
  /** Drops terms with fewer or more UTF-16 units. */
  | { readonly type: 'length'; readonly min?: number; readonly max?: number }
  /** Each term as its beginnings of `min` to `max` characters; of a query the whole term, cut to `max`. */
  | { readonly type: 'edgeNgram'; readonly min: number; readonly max: number };

export type AnalyzerName = 'standard' | 'english' | 'whitespace' | 'icu';
/** The default is `standard`. */
export type AnalyzerOption = AnalyzerName | AnalyzerDefinition;

const LOWERCASE: AnalyzerFilter = { type: 'lowercase' };
export const NAMED_ANALYZERS: { readonly [N in AnalyzerName]: AnalyzerDefinition } = {
  standard: { tokenizer: 'standard', filters: [LOWERCASE] },
  english: {
    tokenizer: 'standard',
    filters: [LOWERCASE, { type: 'asciiFolding' }, { type: 'stop', words: ['_english_'] }, { type: 'stemmer', language: 'english' }],
  },
  whitespace: { tokenizer: 'whitespace', filters: [] },
  icu: { tokenizer: 'icu', filters: [LOWERCASE] },
};

const TOKENIZERS: readonly unknown[] = ['standard', 'whitespace', 'icu'];
export const STEMMER_LANGUAGES: readonly StemmerLanguage[] = ['english', 'french', 'german'];
/** UTF-16 units of a term; longer ones are cut. A dictionary holds every term, and what is longer is no word. */
export const MAX_TERM_LENGTH = 256;
function invalid(where: string, expected: string, value: unknown): never {
  throw new DbError('SCHEMA_INVALID', `${where}: ${expected} expected, got ${describe(value)}`, {
    details: { param: 'analyzer', expected, got: describe(value) },
  });
}

/** Checks an analyzer of untrusted origin. SCHEMA_INVALID naming what is wrong. */
export function checkAnalyzer(value: unknown, where = 'analyzer'): AnalyzerOption {
  if (typeof value === 'string')
    return Object.hasOwn(NAMED_ANALYZERS, value)
      ? (value as AnalyzerName)
      : invalid(
          where,
          Object.keys(NAMED_ANALYZERS)
            .map((name) => `'${name}'`)
            .join(' or '),
          value,
        );
  if (!isPlainObject(value)) return invalid(where, 'a name or { tokenizer, filters }', value);
  onlyKnown(value, ['tokenizer', 'filters'], where);
  if (!TOKENIZERS.includes(value['tokenizer'])) invalid(`${where}.tokenizer`, `'standard', 'whitespace' or 'icu'`, value['tokenizer']);
  const { filters } = value;
  if (!Array.isArray(filters) || filters.length > MAX_ANALYZER_FILTERS)
    return invalid(`${where}.filters`, `at most ${MAX_ANALYZER_FILTERS} filters`, filters);
  filters.forEach((filter, i) => {
    checkFilter(filter, `${where}.filters[${i}]`);
  });
  return value as unknown as AnalyzerDefinition;
}

function checkFilter(filter: unknown, where: string): void {
  if (!isPlainObject(filter)) invalid(where, 'filter { type }', filter);
  switch (filter['type']) {
    case 'lowercase':
    case 'asciiFolding':
      onlyKnown(filter, ['type'], where);
      break;
    case 'stop':
      onlyKnown(filter, ['type', 'words'], where);
      checkWords(filter['words'], `${where}.words`);
      break;
    case 'stemmer':
      onlyKnown(filter, ['type', 'language'], where);
      if (!(STEMMER_LANGUAGES as readonly unknown[]).includes(filter['language']))
        invalid(`${where}.language`, STEMMER_LANGUAGES.join(', '), filter['language']);
      break;
    case 'length':
      checkRange(filter, where, { min: 0, max: MAX_TERM_LENGTH, most: MAX_TERM_LENGTH });
      break;
    case 'edgeNgram':
      checkRange(filter, where, { most: MAX_EDGE_NGRAM });
      break;
    default:
      invalid(`${where}.type`, 'lowercase, asciiFolding, stop, stemmer, length or edgeNgram', filter['type']);
  }
}

function checkWords(words: unknown, where: string): void {
  const isWord = (word: unknown): boolean => typeof word === 'string' && utf8Length(word) >= 0;
  if (!Array.isArray(words) || words.length > MAX_STOP_WORDS || !words.every(isWord))
    invalid(where, `at most ${MAX_STOP_WORDS} words`, words);
}

function checkRange(
  filter: Readonly<Record<string, unknown>>,
  where: string,
  { min: least, max: otherwise, most }: { readonly min?: number; readonly max?: number; readonly most: number },
): void {
  onlyKnown(filter, ['type', 'min', 'max'], where);
  const { min = least, max = otherwise } = filter;
  const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) <= most;
  if (!isCount(min) || min < (least ?? 1)) invalid(`${where}.min`, `integer from ${least ?? 1} to ${most}`, min);
  if (!isCount(max) || max < (min as number)) invalid(`${where}.max`, `integer from min to ${most}`, max);
}

function onlyKnown(raw: Readonly<Record<string, unknown>>, known: readonly string[], where: string): void {
  for (const name of Object.keys(raw)) if (!known.includes(name)) invalid(where, `only ${known.join(', ')}`, name);
}
