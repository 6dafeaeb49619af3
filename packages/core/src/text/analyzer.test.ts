import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { propertyOptions } from '../testing/property-options.ts';
import { ANALYZER_VERSION, analyze, analyzerOf } from './analyzer.ts';
import { type AnalyzerOption, checkAnalyzer, MAX_TERM_LENGTH, STEMMER_LANGUAGES } from './analyzer-definition.ts';
import { ANALYZED_TEXTS } from './fixtures/analyzed-texts.ts';
import { loadStemmers } from './stemmers.ts';

beforeAll(loadStemmers);

const NAMES = ['standard', 'english', 'whitespace'] as const;
const termsOf = (text: string, analyzer?: AnalyzerOption) => analyze(text, analyzer).map(({ term }) => term);

describe('analyze', () => {
  it.each(ANALYZED_TEXTS)('keeps to its pinned behaviour: $text', ({ analyzer, text, tokens }) => {
    expect(analyze(text, analyzer).map(({ term, position, start, end }) => [term, position, start, end])).toEqual(tokens);
  });

  it('finds words where the platform finds them, in scripts and punctuation that rules decide', () => {
    const pieces = [
      'a',
      'Z',
      'é',
      '1',
      '9',
      '_',
      "'",
      '"',
      'א',
      'ב',
      '.',
      ',',
      ':',
      ';',
      '\u0301',
      '\u00ad',
      '\u200d',
      ' ',
      '-',
      'ж',
      'क',
      'ि',
      '\n',
    ];
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
    let words = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const expected = [...segmenter.segment(text)]
          .filter(({ segment }) => /[\p{L}\p{N}]/u.test(segment))
          .map(({ index, segment }) => [index, index + segment.length]);
        expect(analyze(text, { tokenizer: 'standard', filters: [] }).map(({ start, end }) => [start, end])).toEqual(expected);
        words += expected.length;
      }),
      propertyOptions(2000),
    );
    expect(words).toBeGreaterThan(0);
  });

  it('gives tokens in order, within the text, each with a term that is short and not empty', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom(...NAMES), (text, analyzer) => {
        let last = -1;
        for (const { term, position, start, end } of analyze(text, analyzer)) {
          expect(position).toBeGreaterThan(last);
          last = position;
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(term.length).toBeLessThanOrEqual(MAX_TERM_LENGTH);
        }
      }),
      propertyOptions(500),
    );
  });

  it('gives a text the same terms however it is composed', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('é', 'Å', 'a', ' ', 'ﬁ', '한', 'ö', 'ệ'), maxLength: 12 }), (text) => {
        expect(termsOf(text.normalize('NFD'))).toEqual(termsOf(text.normalize('NFC')));
      }),
      propertyOptions(200),
    );
  });

  it('cuts a term that is too long between characters', () => {
    expect(termsOf('x'.repeat(1000))).toEqual(['x'.repeat(MAX_TERM_LENGTH)]);
    expect(termsOf('\u{1D538}a'.repeat(1000), { tokenizer: 'whitespace', filters: [] })[0]).toHaveLength(MAX_TERM_LENGTH);
    expect(termsOf(`a${'\u{10400}'.repeat(1000)}`, 'whitespace')[0]).toHaveLength(MAX_TERM_LENGTH - 1);
  });

  it('looks for whole words where an index holds their beginnings', () => {
    const analyzer = { tokenizer: 'standard', filters: [{ type: 'edgeNgram', min: 1, max: 3 }] } as const;
    expect(analyze('tern', analyzer, 'query').map(({ term }) => term)).toEqual(['ter']);
    expect(termsOf('tern', analyzer)).toEqual(['t', 'te', 'ter']);
  });

  it('counts dropped words in positions', () => {
    expect(analyze('bird of the sea', 'english').map(({ term, position }) => [term, position])).toEqual([
      ['bird', 0],
      ['sea', 3],
    ]);
  });

  it('gives one analyzer per definition, named by its version and what it does', () => {
    const definition = { tokenizer: 'whitespace', filters: [] } as const;
    expect(analyzerOf(definition)).toBe(analyzerOf(definition));
    expect(analyzerOf(definition).id).toBe(analyzerOf('whitespace').id);
    expect(analyzerOf('standard').id).toContain(`${ANALYZER_VERSION} `);
    expect(analyzerOf('icu').isPortable).toBe(false);
    expect(analyze('Node rocks', 'icu').map(({ term }) => term)).toEqual(['node', 'rocks']);
  });

  it.each(STEMMER_LANGUAGES)('has a stemmer for %s', (language) => {
    const terms = termsOf('nationale nationalen', { tokenizer: 'standard', filters: [{ type: 'stemmer', language }] });
    expect(terms.join(' ')).not.toBe('nationale nationalen');
  });
});

describe('checkAnalyzer', () => {
  it.each([
    ['no name', 'klingon', `'standard' or 'english' or 'whitespace' or 'icu' expected, got string "klingon"`],
    ['no tokenizer', { filters: [] }, 'analyzer.tokenizer:'],
    ['no filters', { tokenizer: 'standard' }, 'analyzer.filters:'],
    ['something unknown', { tokenizer: 'standard', filters: [], speed: 1 }, 'only tokenizer, filters'],
    ['an unknown filter', { tokenizer: 'standard', filters: [{ type: 'synonyms' }] }, 'analyzer.filters[0].type'],
    ['a stop list that is none', { tokenizer: 'standard', filters: [{ type: 'stop', words: 'a' }] }, 'filters[0].words'],
    ['an unknown language', { tokenizer: 'standard', filters: [{ type: 'stemmer', language: 'elvish' }] }, 'filters[0].language'],
    ['a range the wrong way round', { tokenizer: 'standard', filters: [{ type: 'length', min: 3, max: 2 }] }, 'filters[0].max'],
    ['beginnings without a length', { tokenizer: 'standard', filters: [{ type: 'edgeNgram', min: 1 }] }, 'filters[0].max'],
    ['beginnings that are too long', { tokenizer: 'standard', filters: [{ type: 'edgeNgram', min: 1, max: 33 }] }, 'filters[0].max'],
  ])('refuses %s', (_what, analyzer, message) => {
    expect(() => checkAnalyzer(analyzer)).toThrow(message);
  });
});
