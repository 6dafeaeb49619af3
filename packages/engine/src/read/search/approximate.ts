import { MAX_EF } from '@terndb/core';
import type { HnswIndex, HnswSearchOptions, ListIndex, ListSearchOptions, Metric, ScanHits, VectorBlock } from '@terndb/kernel';
import { countBits } from '../../bitmap/bitmap.ts';
import { HNSW_KINDS } from '../../indexes/hnsw-kind.ts';
import { HNSWLIB_KIND } from '../../indexes/hnswlib/hnswlib-kind.ts';
import { searchHnswlib } from '../../indexes/hnswlib/search-hnswlib.ts';
import { LIST_KINDS } from '../../indexes/list-kind.ts';
import type { IndexKind } from '../../indexes/types.ts';
import { StoredRows } from '../../segment/stored-rows.ts';
import type { RowBlock } from '../../view/view.ts';
import type { Mask } from '../filter/mask.ts';
import { ask, type Steps, settled, type VectorJob } from './jobs.ts';
import type { Effort } from './rank-options.ts';

/**
 * Candidates kept on a walk, at least. Recall@10 of .95 and more at 100,000 rows of text and of clusters, above .99 at 10,000 (`ef 96` and `128`
 * in docs/benchmarks/kernel.md).
 */
const MIN_EF = 128;
/** Twice the hits wanted, in powers of two: neighbouring pages come from one and the same list of candidates. */
const EF_PER_HIT = 2;
/** Estimates by one bit are coarse: so many more candidates are scored again. Recall@10 of .99 at 20,000 rows (docs/benchmarks/codes.md). */
const MIN_ONE_BIT_EF = 256;
/** Of all lists: recall@10 of .95 at 20,000 rows of text (docs/benchmarks/codes.md); fewer lists than that are hardly any rows. */
const PROBED_SHARE = 1 / 4;
const MIN_NPROBE = 16;

/** As the kernel does for rows in memory. */
const MIN_STORED_CANDIDATES = 50;
/** A walk costs, for each candidate that it keeps, about what a scan of so many rows does: it scores some 16, each from another place of memory. */
const SCANNED_PER_CANDIDATE = 48;

export interface IndexSearch extends Effort {
  readonly field: string;
  readonly query: Float32Array;
  readonly metric: Metric;
  readonly k: number;
  /** Rows that may be hits. */
  readonly bitmap: Mask;
  readonly minScore: number;
  readonly maxScore: number;
}

/**
 * The best hits by the block's index, with exact scores. Undefined where an exact scan is the better choice: no index, few survivors, many hits
 * wanted, or an upper bound of scores, behind which the nearest rows do not count.
 */
export function searchIndex(vectors: VectorBlock, block: RowBlock, search: IndexSearch): Steps<ScanHits> | undefined {
  const { field, k, maxScore } = search;
  if (k === 0 || maxScore < Infinity) return undefined;
  const hnswlib = block.index?.(HNSWLIB_KIND, field);
  const lists = openIndex(block, LIST_KINDS, field);
  if (hnswlib === undefined && lists !== undefined) return searchLists(lists, vectors, search);
  const graph = hnswlib === undefined ? openIndex(block, HNSW_KINDS, field) : undefined;
  const ef = efOf(search, graph?.codes === 'b1' ? MIN_ONE_BIT_EF : MIN_EF);
  if (ef > MAX_EF) return undefined;
  if (graph !== undefined) return searchGraph(graph, vectors, { ...search, ef });
  const found = hnswlib && searchHnswlib(hnswlib, vectors, { ...search, ef, survivors: countBits(search.bitmap) });
  return found && settled(found);
}

function openIndex<T>(block: RowBlock, kinds: readonly IndexKind<T>[], field: string): T | undefined {
  for (const kind of kinds) {
    const index = block.index?.(kind, field);
    if (index !== undefined) return index;
  }
  return undefined;
}

function efOf({ ef, k }: IndexSearch, least: number): number {
  return ef === undefined ? Math.max(least, 2 ** Math.ceil(Math.log2(k * EF_PER_HIT))) : Math.max(ef, k);
}

function searchGraph(graph: HnswIndex, vectors: VectorBlock, search: IndexSearch & { readonly ef: number }): Steps<ScanHits> | undefined {
  const { query, k, ef, bitmap, minScore } = search;
  const survivors = countBits(bitmap);
  if (vectors instanceof StoredRows) {
    const candidates = candidatesOf(search, graph.codes === 'b1' ? ef : ef / 2);
    if (survivors <= candidates) return undefined;
    // Where others would scan rows in memory, codes are scanned.
    const options = { query, k: candidates, ef, ...(survivors < graph.rows ? { bitmap } : {}) };
    return rescored(vectors, walk(graph, options), search);
  }
  if (graph.planFor({ survivors, ef }) === 'scan') return undefined;
  return ask(
    walk(graph, {
      query,
      k,
      ef,
      block: vectors,
      ...(survivors < graph.rows ? { bitmap } : {}),
      ...(minScore > -Infinity ? { minScore } : {}),
    }),
  );
}

function walk(target: HnswIndex, options: HnswSearchOptions & { readonly ef: number }): VectorJob {
  return { kind: 'graph', target, options, isSealed: true, products: options.ef * SCANNED_PER_CANDIDATE * target.dim };
}

function probe(target: ListIndex, options: ListSearchOptions & { readonly nprobe: number }): VectorJob {
  const rows = Math.min(target.rows, (target.rows / target.lists) * options.nprobe);
  return { kind: 'lists', target, options, isSealed: true, products: (rows + target.lists) * target.dim };
}

/** Probing all lists is a scan; so is looking at survivors that are no more than the rows of the lists probed. */
function searchLists(lists: ListIndex, vectors: VectorBlock, search: IndexSearch): Steps<ScanHits> | undefined {
  const { query, k, bitmap, minScore } = search;
  const nprobe = search.nprobe ?? Math.max(MIN_NPROBE, Math.ceil(lists.lists * PROBED_SHARE));
  const survivors = countBits(bitmap);
  const probedRows = (lists.rows / lists.lists) * nprobe;
  if (vectors instanceof StoredRows) {
    const candidates = candidatesOf(search, efOf(search, lists.codes === 'b1' ? MIN_ONE_BIT_EF : MIN_EF));
    if (survivors <= candidates || k > MAX_EF) return undefined;
    const options = { query, k: candidates, nprobe, ...(survivors < lists.rows ? { bitmap } : {}) };
    return rescored(vectors, probe(lists, options), search);
  }
  if (nprobe >= lists.lists || survivors <= probedRows || k > MAX_EF) return undefined;
  return ask(
    probe(lists, {
      query,
      k,
      nprobe,
      block: vectors,
      // By one bit, the bound of the estimates' errors says which rows to score again.
      ...(lists.codes === 'b1' && search.ef === undefined ? {} : { candidates: efOf(search, MIN_EF) }),
      ...(survivors < lists.rows ? { bitmap } : {}),
      ...(minScore > -Infinity ? { minScore } : {}),
    }),
  );
}

/** Rows to read and score exactly, where they are not in memory. */
function candidatesOf({ k }: IndexSearch, least: number): number {
  return Math.min(MAX_EF, Math.max(MIN_STORED_CANDIDATES, Math.ceil(least), k * EF_PER_HIT));
}

function* rescored(rows: StoredRows, job: VectorJob, { query, metric, k, minScore }: IndexSearch): Steps<ScanHits> {
  const found = yield* ask(job);
  const { offsets, scores } = rows.best(found.offsets, { query, metric, k });
  const count = scores.filter((score) => score >= minScore).length;
  return { offsets: offsets.subarray(0, count), scores: scores.subarray(0, count) };
}
