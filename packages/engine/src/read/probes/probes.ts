/**
 * What tells of reads in place of reading: how they would be answered, and what approximation costs. A file of its own in the client.
 *
 * | file                        | job                                                               |
 * |-----------------------------|-------------------------------------------------------------------|
 * | explain.ts, explain-total.ts | what would answer a filter and a search, block by block, and over all |
 * | recall.ts                   | searches with stored vectors, with and without indexes            |
 * | reads.ts                    | the parts of reading that they are handed                         |
 * | load.ts                     | loads this file                                                   |
 */
export { runExplain } from './explain.ts';
export { runRecall } from './recall.ts';
