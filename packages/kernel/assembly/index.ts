/**
 * What the WASM module exports. The host (`src/`) owns the memory map and passes raw addresses; nothing here allocates or keeps
 * addresses between calls, so a call is a pure function of its arguments and of the bytes they point to.
 *
 *   distance/   scores of four rows at a time            topk/    bounded heap of the best rows
 *   rows/       what is stored beside a row (norms)      scan/    walks rows or set bits and feeds the heap
 *   elements/   rows of float16, bfloat16, int8          bits/    rows of bits
 *   screen/     int8 codes and bounds of scores          bounds decide which rows are worth a score
 *   one-bit/    RaBitQ codes, for graph and lists         signs of rows, planes of queries
 *   lists/      IVF: k-means, int8 and one-bit codes      estimates, bounds of their error, exact scores of what they let through
 *   graph/      HNSW over float32 rows or int8 codes     insert, walk, re-rank, validate
 */
export { scan } from './scan/scan';
export { scoreRows } from './scan/score-rows';
export { writeNorms } from './rows/norms';
export { writeBitCounts } from './bits/counts';
export { decodeRows } from './elements/decode';
export { writeElementNorms } from './elements/norms';
export { writeCodes } from './screen/encode';
export { writeChecksum } from './graph/checksum';
export { graphCentroid } from './graph/bits';
export { graphStore } from './graph/encode';
export { upperLists } from './graph/index';
export { graphLink } from './graph/insert';
export { graphRefine, graphRerank } from './graph/refine';
export { countBits, graphCheck, graphDistances, graphHits, graphQuery, graphScan, graphWalk, graphWalkFiltered } from './graph/search';
export { graphValidate } from './graph/validate';
export { listsEncode } from './lists/encode';
export { listsAssign, listsMeans, listsSum } from './lists/k-means';
export { listsLoad, listsQuery } from './lists/rows';
export { listsEstimate, listsExact, rerankHits } from './lists/scan';

/** First address that the host may hand out: below it live the module's own constants. */
export function heapBase(): usize {
  return __heap_base;
}
