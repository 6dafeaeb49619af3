/** Stemmers that few schemas ask for: a file of its own in the client, loaded by the first that does (`stemmers.ts`). */
export { stemmer as french } from '@orama/stemmers/french';
export { stemmer as german } from '@orama/stemmers/german';
