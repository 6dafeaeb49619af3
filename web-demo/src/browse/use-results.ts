import type { DbError } from '@terndb/client';
import { useQuery, useSearch } from '@terndb/react';
import { useEffect, useMemo, useState } from 'react';
import { usePassages } from '../library/library-context.tsx';
import type { Passages } from '../library/open-library.ts';
import type { Passage } from '../library/schema.ts';
import { queryOf, searchOf, whereOf } from './request.ts';
import type { View } from './view-state.ts';
import type { PassageHit } from './why.ts';

export interface LiveResults {
  readonly rows: readonly Passage[];
  /** Of a search, in the order of the rows; null for a list. */
  readonly hits: readonly PassageHit[] | null;
  /** Of rows with writes that the server has not confirmed. */
  readonly pendingKeys: ReadonlySet<string>;
  /** How many pass the filters; null for a search, and until counted. */
  readonly matches: number | null;
  /** Ranked by a question, or sorted. */
  readonly ranked: boolean;
  /** The question was answered by its words alone: the model is not ready. */
  readonly wordsOnly: boolean;
  readonly loading: boolean;
  readonly error: DbError | null;
  /** A new object whenever something in view changed. */
  readonly change: unknown;
}

const NO_ROWS: readonly Passage[] = [];
const NO_HITS: readonly PassageHit[] = [];

/** The rows of the view, kept up to date with every write of this tab and of others. */
export function useResults(view: View): LiveResults {
  const passages = usePassages();
  const search = searchOf(view);
  const found = useSearch(passages, search);
  const listed = useQuery(passages, queryOf(view));
  const ranked = search !== null;
  const live = ranked ? found : listed;
  const hits = ranked ? (found.data?.hits ?? NO_HITS) : null;
  const rows = useMemo(() => hits?.map((hit) => hit.entity) ?? listed.data?.entities ?? NO_ROWS, [hits, listed.data]);
  const pendingKeys = useMemo(
    () => new Set(hits === null ? listed.data?.pendingKeys : hits.filter((hit) => hit.pending).map((hit) => hit.key)),
    [hits, listed.data],
  );
  const matches = useMatches(passages, view, ranked, listed.data);
  const wordsOnly = ranked && found.data?.degraded === 'embedder-loading';
  return { rows, hits, pendingKeys, matches, ranked, wordsOnly, loading: live.loading, error: live.error, change: live.data };
}

/** Counted whenever the list changed, for the rows in the list are only the first of them. */
function useMatches(passages: Passages, view: View, ranked: boolean, change: unknown): number | null {
  const [matches, setMatches] = useState<number | null>(null);
  const filter = JSON.stringify(whereOf(view));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the change is not read, it is the point; the filter stands for the view.
  useEffect(() => {
    setMatches(null);
    if (ranked) return;
    let current = true;
    passages.count({ where: whereOf(view) }).then(
      ({ count }) => current && setMatches(count),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [passages, filter, ranked, change]);
  return matches;
}
