import type { DbError } from '@terndb/client';
import { useQuery, useSearch } from '@terndb/react';
import { useMemo } from 'react';
import { usePassages } from '../library/library-context.tsx';
import type { Passage } from '../library/schema.ts';
import { queryOf, searchOf } from './request.ts';
import type { View } from './view-state.ts';

export interface LiveResults {
  readonly rows: readonly Passage[];
  /** Ranked by a question, or sorted. */
  readonly ranked: boolean;
  readonly loading: boolean;
  readonly error: DbError | null;
  /** A new object whenever something in view changed. */
  readonly change: unknown;
}

const NO_ROWS: readonly Passage[] = [];

/** The rows of the view, kept up to date with every write of this tab and of others. */
export function useResults(view: View): LiveResults {
  const passages = usePassages();
  const search = searchOf(view);
  const found = useSearch(passages, search);
  const listed = useQuery(passages, queryOf(view));
  const ranked = search !== null;
  const live = ranked ? found : listed;
  const rows = useMemo(
    () => (ranked ? found.data?.hits.map((hit) => hit.entity) : listed.data?.entities) ?? NO_ROWS,
    [ranked, found.data, listed.data],
  );
  return { rows, ranked, loading: live.loading, error: live.error, change: live.data };
}
