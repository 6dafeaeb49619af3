import { isIndexWorth } from '../../text/match-rows.ts';
import { compileFilter } from '../compile-filter.ts';
import { filterMask, filterView } from '../filter/evaluate.ts';
import { indexedRows } from '../filter/indexed.ts';
import { presentRows } from '../filter/present.ts';
import { estimateShare } from '../filter/selectivity.ts';
import { verdictOf } from '../filter/statistics.ts';
import { invalidOption, mustGetField } from '../request.ts';
import { denseRanker, withVectors } from '../search/dense.ts';
import { runInline } from '../search/jobs.ts';
import { planSearch } from '../search/plan.ts';
import { storedQuery } from '../search/query-vector.ts';
import { readEffort } from '../search/rank-options.ts';
import { accuracy } from '../search/ranking.ts';
import { openRanker } from '../search.ts';

/**
 * The parts of reading that probes look into. They are handed over, not imported: probes are a file of their own in browsers (`load.ts`), which would
 * hold a copy of whatever it imports.
 */
export interface ProbedReads {
  readonly accuracy: typeof accuracy;
  readonly compileFilter: typeof compileFilter;
  readonly denseRanker: typeof denseRanker;
  readonly estimateShare: typeof estimateShare;
  readonly filterMask: typeof filterMask;
  readonly filterView: typeof filterView;
  readonly indexedRows: typeof indexedRows;
  readonly invalidOption: typeof invalidOption;
  readonly isIndexWorth: typeof isIndexWorth;
  readonly mustGetField: typeof mustGetField;
  readonly openRanker: typeof openRanker;
  readonly planSearch: typeof planSearch;
  readonly presentRows: typeof presentRows;
  readonly readEffort: typeof readEffort;
  readonly runInline: typeof runInline;
  readonly storedQuery: typeof storedQuery;
  readonly verdictOf: typeof verdictOf;
  readonly withVectors: typeof withVectors;
}

export const PROBED_READS: ProbedReads = {
  accuracy,
  compileFilter,
  denseRanker,
  estimateShare,
  filterMask,
  filterView,
  indexedRows,
  invalidOption,
  isIndexWorth,
  mustGetField,
  openRanker,
  planSearch,
  presentRows,
  readEffort,
  runInline,
  storedQuery,
  verdictOf,
  withVectors,
};
