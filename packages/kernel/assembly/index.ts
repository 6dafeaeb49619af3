/**
 * What the WASM module exports. The host (`src/`) owns the memory map and passes raw addresses; nothing here allocates or keeps
 * addresses between calls, so a call is a pure function of its arguments and of the bytes they point to.
 *
 *   distance/   scores of four rows at a time            topk/    bounded heap of the best rows
 *   rows/       what is stored beside a row (norms)      scan/    walks rows or set bits and feeds the heap
 *   screen/     int8 codes and bounds of scores          bounds decide which rows are worth a score
 *
 * Later neighbours (graph index, quantised indexes) get folders of their own beside these.
 */
export { scan } from './scan/scan';
export { scoreRows } from './scan/score-rows';
export { writeNorms } from './rows/norms';
export { writeCodes } from './screen/encode';

/** First address that the host may hand out: below it live the module's own constants. */
export function heapBase(): usize {
  return __heap_base;
}
