import { type CollectionDefinition, DbError, fieldOf, type StoredValue } from '@terndb/core';
import { clearBit } from '../bitmap/bitmap.ts';
import type { SearchRequest, SearchResult } from '../database/types.ts';
import { highlightRow } from '../text/highlight.ts';
import { keywordRanker } from '../text/keyword-ranker.ts';
import type { RowBlock } from '../view/view.ts';
import type { ReadContext } from './context.ts';
import { filterView } from './filter/evaluate.ts';
import { entityReader } from './materialize.ts';
import { type FusedList, fuseLists, NORMALIZERS } from './search/fuse.ts';
import { rankGroups } from './search/group.ts';
import { runInline, type Steps } from './search/jobs.ts';
import { KEYWORD_LIST, planSearch, type SearchPlan, type SearchSource } from './search/plan.ts';
import { storedQuery, vectorRanker } from './search/query-vector.ts';
import { type Accuracy, accuracy, type Matched, NO_BOUNDS, type Ranker, type ScoreBounds, type Scored } from './search/ranking.ts';
import { rerankedRanker } from './search/rerank.ts';
import { within } from './search/traced.ts';

/**
 * The best of the visible rows that pass the filter, equal scores by key, then by partition. Scores are exact; where indexes were used
 * (`exact` false) a hit may be missing. Cost: one filter evaluation, and one walk or scan of the survivors per block. Errors: those of
 * `planSearch`.
 */
export function runSearch(context: ReadContext, request: SearchRequest): SearchResult {
  return runInline(searchSteps(context, request));
}

/** The same, for who has others do the work (`runWith`). The views stay pinned until its end. */
export function* searchSteps(context: ReadContext, request: SearchRequest): Steps<SearchResult> {
  const plan = planSearch(context.definition, request);
  return searchResult(context, plan, yield* windowSteps(context, plan));
}

/** What a search found before paging: groups in order (without `groupBy` each hit is its own), as many as `offset + limit`. */
export interface SearchWindow {
  readonly groups: readonly (readonly Scored[])[];
  /** No index was used that may miss one. */
  readonly exact: boolean;
}

export function searchWindow(context: ReadContext, plan: SearchPlan): SearchWindow {
  return runInline(windowSteps(context, plan));
}

function windowSteps(context: ReadContext, plan: SearchPlan): Steps<SearchWindow> {
  const span = context.span?.child('rank', { by: plan.source.type, k: plan.page.offset + plan.page.limit });
  return within(span, rankedSteps(span === undefined ? context : { ...context, span }, plan));
}

function* rankedSteps(context: ReadContext, plan: SearchPlan): Steps<SearchWindow> {
  const matched = matchedRows(context, plan);
  const how = accuracy(!plan.exact, plan.effort);
  const rank = openRanker(context, plan, matched, how);
  const groups =
    plan.grouping === undefined
      ? (yield* rank(context, matched, plan.page.offset + plan.page.limit)).map((row) => [row])
      : yield* rankGroups(context, matched, rank, plan.grouping, plan.page);
  return { groups, exact: !how.isApproximate };
}

export function searchResult(context: ReadContext, plan: SearchPlan, window: SearchWindow): SearchResult {
  const read = entityReader(context, plan.select);
  const rows = window.groups.slice(plan.page.offset).flat();
  return {
    ...context.info,
    degraded: context.info.degraded ?? plan.degraded,
    exact: window.exact,
    hits: rows.map((row) => ({
      key: row.key,
      entity: read(row),
      // `+ 0`: a distance of 0 is not reported as -0.
      score: row.score + 0,
      from: 'local',
      pending: context.isPending?.(context.partitions[row.partition]!.partition, row.key) ?? false,
      version: row.block.revisionAt(row.offset),
      ...(row.parts === undefined ? {} : { parts: row.parts }),
      ...(plan.highlight === undefined ? {} : { highlights: highlightRow(plan.highlight, row) }),
    })),
  };
}

function matchedRows(context: ReadContext, plan: SearchPlan): Matched[] {
  return context.partitions.flatMap(({ view }, partition) =>
    filterView(view, plan.node, context.definition).map((found) => ({ ...found, partition })),
  );
}

/** How to rank rows of this context. A stored entity to compare with is read here, and taken out of `matched`. Exactly, unless `how` says otherwise. */
export function openRanker(context: ReadContext, plan: SearchPlan, matched: readonly Matched[], how: Accuracy = accuracy(false)): Ranker {
  const { source } = plan;
  if (plan.rerank.length > 0) {
    const inner = openRanker(context, { ...plan, rerank: [], minScore: -Infinity }, matched, how);
    return rerankedRanker(inner, plan.rerank, { ...NO_BOUNDS, atLeast: plan.minScore });
  }
  const bounds: ScoreBounds = { ...plan.range, atLeast: plan.minScore };
  switch (source.type) {
    case 'keyword':
      return keywordRanker(source.query, bounds);
    case 'vector':
      return vectorRanker(source.query, bounds, how);
    case 'hybrid':
      return fuseLists(fusedLists(context, plan, source, how), plan.fusion.fusion, { ...NO_BOUNDS, atLeast: plan.minScore });
    case 'like': {
      const at = mustFindLike(context, source);
      for (const part of matched) if (part.partition === at.partition && part.block === at.block) clearBit(part.mask, at.offset);
      return vectorRanker(storedQuery(source.field, at.value), bounds, how);
    }
  }
}

function fusedLists(
  { definition }: ReadContext,
  { range, fusion: { weights } }: SearchPlan,
  { queries, text }: Extract<SearchSource, { type: 'hybrid' }>,
  how: Accuracy,
): FusedList[] {
  const list = (name: string, rank: Ranker, normalize: FusedList['normalize']): FusedList => ({
    name,
    rank,
    normalize,
    ...(weights[name] === undefined ? {} : { weight: weights[name] }),
  });
  return [
    ...queries.map((query) => list(query.field, vectorRanker(query, range, how), normalizerOf(definition, query.field))),
    ...(text === undefined ? [] : [list(KEYWORD_LIST, keywordRanker(text, NO_BOUNDS, { withCoverage: true }), NORMALIZERS.keyword)]),
  ];
}

function normalizerOf(definition: CollectionDefinition, name: string): FusedList['normalize'] {
  const field = fieldOf(definition, name);
  const metric = field?.type === 'vector' || field?.type === 'sparseVector' ? field.params.metric : undefined;
  return metric === 'COSINE' || metric === 'IP' ? NORMALIZERS[metric] : NORMALIZERS.distance;
}

interface StoredVector {
  readonly partition: number;
  readonly block: RowBlock;
  readonly offset: number;
  readonly value: Exclude<StoredValue, null>;
}

/** The first partition that has the entity. QUERY_INVALID when none has, or when it has no vector. */
function mustFindLike(context: ReadContext, source: Extract<SearchSource, { type: 'like' }>): StoredVector {
  const { collection } = context;
  const details = { collection, option: 'like', got: String(source.key) };
  for (const [partition, { view }] of context.partitions.entries()) {
    const at = view.find(source.key);
    if (at === undefined) continue;
    const value = at.block.valueAt(source.field.name, at.offset);
    if (value !== null) return { ...at, partition, value };
    throw new DbError('QUERY_INVALID', `${collection}: like: entity ${String(source.key)} has no vector in ${source.field.name}`, {
      details,
    });
  }
  throw new DbError('QUERY_INVALID', `${collection}: like: a stored entity expected, got key ${String(source.key)}, which is not here`, {
    details,
  });
}
