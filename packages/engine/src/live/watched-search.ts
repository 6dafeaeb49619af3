import type { SearchHit, SearchRequest, SearchResult } from '../database/types.ts';
import { type ReadContext, rowName } from '../read/context.ts';
import { runInline } from '../read/search/jobs.ts';
import { planSearch, type SearchPlan } from '../read/search/plan.ts';
import { openRanker, searchResult, searchWindow } from '../read/search.ts';
import { corpusNumbers } from '../text/keyword-ranker.ts';
import { type ChangedKeys, changedRows, sameList, type Watched } from './watched.ts';

interface Seen {
  /** Rows of the first `offset + limit` groups. */
  readonly names: ReadonlySet<string>;
  /** A row scoring less than this cannot come in; -Infinity while there is room. */
  readonly worstScore: number;
  /** What all keyword scores depend on. */
  readonly corpus: readonly number[];
}

/**
 * A change matters to a search when its entity was among the first hits, or passes the filter now and scores at least as much as the last of
 * them (or there is room). Keyword scores also depend on how many texts hold the words: when those numbers move, every score does. A hybrid's
 * ranks depend on rows far behind the page, so every change matters to it.
 */
export function watchedSearch(request: SearchRequest): Watched<SearchResult> {
  let seen: Seen = { names: new Set(), worstScore: -Infinity, corpus: [] };
  return {
    evaluate(context) {
      const plan = planSearch(context.definition, request);
      const window = searchWindow(context, plan);
      const size = plan.grouping?.size ?? 1;
      const isFull = window.groups.length === plan.page.offset + plan.page.limit && window.groups.every((group) => group.length === size);
      const rows = window.groups.flat();
      seen = {
        names: new Set(rows.map((row) => rowName(context.partitions[row.partition]!.partition, row.key))),
        worstScore: isFull ? Math.min(...rows.map((row) => row.score)) : -Infinity,
        corpus: corpusOf(context, plan),
      };
      return searchResult(context, plan, window);
    },
    couldMatter(context, changed) {
      const plan = planSearch(context.definition, request);
      const { source } = plan;
      if (source.type === 'hybrid' || plan.rerank.length > 0) return true;
      for (const [partition, keys] of changed) {
        for (const key of keys) {
          if (seen.names.has(rowName(partition, key)) || (source.type === 'like' && key === source.key)) return true;
        }
      }
      return !sameList(seen.corpus, corpusOf(context, plan)) || couldScore(context, plan, changed, seen.worstScore);
    },
    same: (a, b) => sameList(a.hits, b.hits, sameHit) && a.coverage === b.coverage && a.degraded === b.degraded,
  };
}

function corpusOf(context: ReadContext, { source }: SearchPlan): number[] {
  return source.type === 'keyword' ? corpusNumbers(context, source.query) : [];
}

function couldScore(context: ReadContext, plan: SearchPlan, changed: ChangedKeys, worstScore: number): boolean {
  const rows = changedRows(context, changed, plan.node);
  if (rows.length === 0) return false;
  const [best] = runInline(openRanker(context, plan, rows)(context, rows, 1));
  return best !== undefined && best.score >= worstScore;
}

function sameHit(a: SearchHit, b: SearchHit): boolean {
  return a.key === b.key && a.version === b.version && a.score === b.score && a.pending === b.pending && sameParts(a, b);
}

function sameParts({ parts: a = [] }: SearchHit, { parts: b = [] }: SearchHit): boolean {
  return sameList(a, b, (x, y) => x.name === y.name && x.score === y.score && x.rank === y.rank);
}
