import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as russian } from '@orama/stemmers/russian';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import type { StemmerLanguage } from './analyzer-definition.ts';

/**
 * Snowball's algorithms as a library of plain functions; English is Porter's of 1980. They take words in lower case. Their version is pinned in
 * package.json, as part of what ANALYZER_VERSION stands for.
 */
export const STEMMERS: { readonly [L in StemmerLanguage]: (word: string) => string } = {
  dutch,
  english: (word) => english(POSSESSIVE.test(word) ? word.replace(POSSESSIVE, '') : word),
  french,
  german,
  italian,
  portuguese,
  russian,
  spanish,
};

/** Porter's knows no apostrophe. */
const POSSESSIVE = /'s?$/;
