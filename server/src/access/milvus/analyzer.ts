import {
  type AnalyzerDefinition,
  type AnalyzerFilter,
  type AnalyzerOption,
  analyze,
  checkAnalyzer,
  DbError,
  hash64,
  utf8Encode,
} from '@terndb/core';
import { Body } from './body.ts';
import type { MilvusHandler } from './call.ts';
import { invalidParameter, missingParameter, notJson } from './errors.ts';
import { parseExact } from './exact-json.ts';

/** Each is analysed at once, on the thread that answers everybody. */
const MAX_TEXTS = 1000;
const BUILT_IN = ['standard', 'english'];

/**
 * An analyzer as Milvus writes it: a name, `{ type: 'english', stop_words? }`, or `{ tokenizer, filter: [...] }`, as an object or its JSON.
 * Code 1100 for what Tern has not: what is silently another analyzer finds other rows.
 */
export function analyzerFrom(params: unknown): AnalyzerOption {
  const value = typeof params === 'string' && params.trim().startsWith('{') ? parseExact(params) : params;
  try {
    return checkAnalyzer(optionOf(value));
  } catch (error) {
    throw error instanceof DbError ? invalidParameter(error.message) : error;
  }
}

function optionOf(value: unknown): AnalyzerOption {
  if (value === undefined || value === '') return 'standard';
  if (typeof value === 'string') return named(value);
  const body = new Body(value);
  const type = body.text('type');
  if (type !== undefined) {
    const stop = body.texts('stop_words');
    if (stop === undefined) return named(type);
    const filters: AnalyzerFilter[] = [{ type: 'lowercase' }, { type: 'stop', words: stop }];
    return { tokenizer: 'standard', filters: type === 'english' ? [...filters, { type: 'stemmer', language: 'english' }] : filters };
  }
  return { tokenizer: tokenizerOf(body.get('tokenizer')), filters: (body.list('filter') ?? []).map(filterOf) };
}

function named(name: string): AnalyzerOption {
  if (BUILT_IN.includes(name)) return name as AnalyzerOption;
  throw invalidParameter(`build analyzer failed: unknown built-in analyzer ${name}, known: [${BUILT_IN.join(' ')}]`);
}

function tokenizerOf(value: unknown): AnalyzerDefinition['tokenizer'] {
  const name = typeof value === 'string' || value === undefined ? (value ?? 'standard') : new Body(value).text('type');
  if (name === 'standard' || name === 'whitespace' || name === 'icu') return name;
  throw invalidParameter(`build analyzer failed: unsupported tokenizer ${name}, supported: [standard whitespace icu]`);
}

function filterOf(item: unknown): AnalyzerFilter {
  const body = new Body(typeof item === 'string' ? { type: item } : item);
  const type = body.mustText('type');
  switch (type) {
    case 'lowercase':
      return { type: 'lowercase' };
    case 'asciifolding':
      return { type: 'asciiFolding' };
    case 'stop':
      return { type: 'stop', words: body.texts('stop_words') ?? ['_english_'] };
    case 'stemmer':
      return { type: 'stemmer', language: (body.text('language') ?? 'english') as 'english' };
    case 'length':
      return {
        type: 'length',
        ...(body.integer('min') === undefined ? {} : { min: body.integer('min')! }),
        ...(body.integer('max') === undefined ? {} : { max: body.integer('max')! }),
      };
    default:
      throw invalidParameter(`build analyzer failed: unsupported filter ${type}, supported: [lowercase asciifolding stop stemmer length]`);
  }
}

/** The tokens of texts, to see what an analyzer makes of them. */
export const runAnalyzer: MilvusHandler = async ({ body }) => {
  const given = body.get('text');
  const texts = typeof given === 'string' ? [given] : body.texts('text');
  if (texts === undefined || texts.length === 0) throw missingParameter('text');
  if (texts.length > MAX_TEXTS) throw invalidParameter(`text: at most ${MAX_TEXTS} texts expected, got ${texts.length}`);
  const option = analyzerFrom(body.get('analyzerParams'));
  const withDetail = body.flag('withDetail') === true;
  const withHash = body.flag('withHash') === true;
  if (body.get('fieldName') !== undefined) throw notJson('fieldName: analyzerParams expected in its stead');
  const results = texts.map((text) => ({
    tokens: analyze(text, option).map(({ term, start, end, position }) => ({
      token: term,
      ...(withDetail ? { startOffset: start, endOffset: end, position, positionLength: 1 } : {}),
      ...(withHash ? { hash: hash64(utf8Encode(term)).lo } : {}),
    })),
  }));
  return { data: { results } };
};
