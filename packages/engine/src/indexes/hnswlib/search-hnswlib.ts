import type { ScanHits, VectorBlock } from '@terndb/kernel';
import type { Mask } from '../../read/filter/mask.ts';
import type { HnswlibGraph } from './types.ts';
import { unitVector } from './unit-vector.ts';

/** hnswlib calls back into JavaScript for every candidate of a filtered walk: with fewer survivors than this share a scan is faster. */
const MIN_SURVIVORS = 0.2;

export interface HnswlibSearch {
  readonly query: Float32Array;
  readonly metric: 'COSINE' | 'IP' | 'L2';
  readonly k: number;
  readonly ef: number;
  readonly bitmap: Mask;
  readonly survivors: number;
  readonly minScore: number;
}

/** As Tern's graphs: exact scores, best first, equal ones by offset. Undefined where a scan is the better choice, or the walk found too few. */
export function searchHnswlib(graph: HnswlibGraph, vectors: VectorBlock, search: HnswlibSearch): ScanHits | undefined {
  const { metric, bitmap, survivors, minScore } = search;
  const { rows } = graph;
  if (survivors < rows * MIN_SURVIVORS || search.ef >= rows) return undefined;
  const k = Math.min(search.k, survivors);
  const query = metric === 'COSINE' ? unitVector(search.query.slice()) : search.query;
  const isSet = (offset: number): boolean => ((bitmap[offset >> 5]! >>> (offset & 31)) & 1) === 1;
  const found = graph.search(query, { k, ef: Math.max(search.ef, k), ...(survivors < rows ? { filter: isSet } : {}) });
  if (found.length < k) return undefined;
  const offsets = Uint32Array.from(found).sort();
  const scores = vectors.scores({ query: search.query, metric, offsets });
  const order = Array.from(offsets.keys())
    .filter((at) => scores[at]! >= minScore)
    .sort((a, b) => scores[b]! - scores[a]! || offsets[a]! - offsets[b]!);
  return { offsets: Uint32Array.from(order, (at) => offsets[at]!), scores: Float32Array.from(order, (at) => scores[at]!) };
}
