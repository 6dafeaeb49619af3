import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import type { StemmerLanguage } from './analyzer-definition.ts';

/**
 * Snowball's algorithms as a library of plain functions; English is Porter's of 1980. Three
 * languages, because every page's worker carries them. They take words in lower case. Their version is pinned in
 * package.json, as part of what ANALYZER_VERSION stands for.
 */
export const STEMMERS: { readonly [L in StemmerLanguage]: (word: string) => string } = {
  english: (word) => english(POSSESSIVE.test(word) ? word.replace(POSSESSIVE, '') : word),
  french,
  german,
};

/** Porter's knows no apostrophe. */
const POSSESSIVE = /'s?$/;
