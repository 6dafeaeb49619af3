import { MAX_EF } from '@terndb/core';
import type { Metric, ScanHits, VectorBlock } from '@terndb/kernel';
import { countBits } from '../../bitmap/bitmap.ts';
import { HNSW_KIND } from '../../indexes/hnsw-kind.ts';
import { HNSWLIB_KIND } from '../../indexes/hnswlib/hnswlib-kind.ts';
import { searchHnswlib } from '../../indexes/hnswlib/search-hnswlib.ts';
import type { RowBlock } from '../../view/view.ts';
import type { Mask } from '../filter/mask.ts';

/**
 * Candidates kept on a walk, at least. Recall@10 of .95 and more at 100,000 rows of text and of clusters, above .99 at 10,000 (`ef 96` and `128`
 * in docs/benchmarks/kernel.md).
 */
const MIN_EF = 128;
/** Twice the hits wanted, in powers of two: neighbouring pages come from one and the same list of candidates. */
const EF_PER_HIT = 2;

export interface GraphSearch {
  readonly field: string;
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly k: number;
  /** Rows that may be hits. */
  readonly bitmap: Mask;
  readonly minScore: number;
  readonly maxScore: number;
  /** As the caller wants it; undefined: by k. */
  readonly ef: number | undefined;
}

/**
 * The best hits by walking the block's graph, with exact scores. Undefined where an exact scan is the better choice: no graph, few survivors, many
 * hits wanted, or an upper bound of scores, behind which the nearest rows do not count.
 */
export function searchGraph(vectors: VectorBlock, block: RowBlock, search: GraphSearch): ScanHits | undefined {
  const { field, query, metric, k, bitmap, minScore, maxScore } = search;
  if (k === 0 || maxScore < Infinity) return undefined;
  const ef = search.ef === undefined ? Math.max(MIN_EF, 2 ** Math.ceil(Math.log2(k * EF_PER_HIT))) : Math.max(search.ef, k);
  if (ef > MAX_EF) return undefined;
  const hnswlib = block.index?.(HNSWLIB_KIND, field);
  const graph = hnswlib === undefined ? block.index?.(HNSW_KIND, field) : undefined;
  if (hnswlib === undefined && graph === undefined) return undefined;
  const survivors = countBits(bitmap);
  if (hnswlib !== undefined) return searchHnswlib(hnswlib, vectors, { query, metric, k, ef, bitmap, survivors, minScore });
  if (graph === undefined || graph.planFor({ survivors, ef }) === 'scan') return undefined;
  return graph.search({
    query,
    k,
    ef,
    block: vectors,
    ...(survivors < graph.rows ? { bitmap } : {}),
    ...(minScore > -Infinity ? { minScore } : {}),
  });
}
