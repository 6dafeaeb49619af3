import { stemmer as english } from '@orama/stemmers/english';
import { assert } from '../errors/assert.ts';
import type { CollectionDefinition } from '../schema/definition.ts';
import type { StemmerLanguage } from './analyzer-definition.ts';

/** A word in lower case to its stem. */
export type Stemmer = (word: string) => string;

/** Porter's knows no apostrophe. */
const POSSESSIVE = /'s?$/;

/**
 * Snowball's algorithms as a library of plain functions; English is Porter's of 1980, and here from the start: the named analyzer has it. Their version is
 * pinned in package.json, as part of what ANALYZER_VERSION stands for.
 */
const stemmers: { [L in StemmerLanguage]?: Stemmer } = {
  english: (word) => english(POSSESSIVE.test(word) ? word.replace(POSSESSIVE, '') : word),
};

/** After `loadAnalyzers` or `loadStemmers`. */
export function mustGetStemmer(language: StemmerLanguage): Stemmer {
  const stemmer = stemmers[language];
  assert(stemmer !== undefined, () => `stemmer ${language}: used before it was loaded`);
  return stemmer;
}

/** Loads the code that these collections' analyzers need beyond what is here. To be awaited before their texts are tokenised. */
export async function loadAnalyzers(definitions: Iterable<CollectionDefinition>): Promise<void> {
  for (const { fields } of definitions) {
    for (const { params } of fields) {
      const analyzer = 'analyzer' in params ? params.analyzer : 'standard';
      const filters = typeof analyzer === 'string' ? [] : analyzer.filters;
      if (filters.some((filter) => filter.type === 'stemmer' && stemmers[filter.language] === undefined)) await loadStemmers();
    }
  }
}

/** All of them. Code, not state: once per process. */
export async function loadStemmers(): Promise<void> {
  Object.assign(stemmers, await import('./more-stemmers.ts'));
}
