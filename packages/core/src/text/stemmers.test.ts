import { expect, it } from 'vitest';
import { defineSchema } from '../schema/define-schema.ts';
import { f } from '../schema/fields.ts';
import { analyze } from './analyzer.ts';
import type { AnalyzerDefinition, StemmerLanguage } from './analyzer-definition.ts';
import { loadAnalyzers } from './stemmers.ts';

const stems = (language: StemmerLanguage): AnalyzerDefinition => ({ tokenizer: 'standard', filters: [{ type: 'stemmer', language }] });
const definitionsOf = (analyzer: AnalyzerDefinition | 'english') =>
  Object.values(defineSchema({ plain: { n: f.number() }, notes: { text: f.text({ search: true, analyzer }) } }).definition.collections);

// One test: what is loaded once is loaded for the whole process.
it('stemmers but the English one are loaded for the first schema that has one, and are a bug before', async () => {
  expect(analyze('terns', stems('english')).map(({ term }) => term)).toEqual(['tern']);
  await loadAnalyzers(definitionsOf('english'));
  expect(() => analyze('seeschwalben', stems('german'))).toThrow(/stemmer german: used before it was loaded/);
  await loadAnalyzers(definitionsOf(stems('german')));
  expect(analyze('seeschwalben', stems('german')).map(({ term }) => term)).toEqual(['seeschwalb']);
});
