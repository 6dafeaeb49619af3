import type {
  Collection,
  DbError,
  DefaultFields,
  Entity,
  FieldName,
  Key,
  Query,
  QueryResult,
  Search,
  SearchResult,
  Shape,
} from '@terndb/client';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { contentKey } from './content-key.ts';
import { LiveController, type LiveState, type Wanted } from './live-controller.ts';

/** `data` is the last result; `loading` until the first one of this query. */
export interface Live<R> {
  readonly data: R | undefined;
  readonly loading: boolean;
  readonly error: DbError | null;
}
/** `keepPrevious` (default true): the old data stays until the new is there. */
export interface LiveOptions {
  debounceMs?: number;
  keepPrevious?: boolean;
}

/** null skips. Queries are compared by content, so they may be written inline. */
export function useSearch<S extends Shape, const Sel extends FieldName<S> = DefaultFields<S>>(
  collection: Collection<S>,
  search: Search<S, Sel> | null,
  options?: LiveOptions,
): Live<SearchResult<Entity<S, Sel>, Key<S>>> {
  return useLive(collection, search, options, (wanted, onResult, onError) => collection.live(wanted, onResult, onError));
}

/** null skips. Queries are compared by content, so they may be written inline. */
export function useQuery<S extends Shape, const Sel extends FieldName<S> = DefaultFields<S>>(
  collection: Collection<S>,
  query: Query<S, Sel> | null,
  options?: LiveOptions,
): Live<QueryResult<Entity<S, Sel>, Key<S>>> {
  return useLive(collection, query, options, (wanted, onResult, onError) => collection.liveQuery(wanted, onResult, onError));
}

type Start<Q, R> = (query: Q, onResult: (result: R) => void, onError: (error: DbError) => void) => () => void;

function useLive<Q, R>(
  source: unknown,
  query: Q | null,
  { debounceMs = 0, keepPrevious = true }: LiveOptions = {},
  start: Start<Q, R>,
): Live<R> {
  const key = query === null ? null : contentKey(query);
  const [controller] = useState(() => new LiveController<R>());
  const state = useSyncExternalStore(controller.subscribe, controller.get, controller.get);
  // biome-ignore lint/correctness/useExhaustiveDependencies: query and start are new with every render; source and key say when they differ.
  useEffect(() => {
    const wanted: Wanted<R> | null =
      query === null || key === null ? null : { source, key, start: (onResult, onError) => start(query, onResult, onError) };
    return controller.show(wanted, debounceMs);
  }, [controller, source, key, debounceMs]);
  return useMemo(() => seen(state, { source, key, keepPrevious }), [state, source, key, keepPrevious]);
}

/** The state as this render's query may see it: what belongs to an earlier query is old data at most. */
function seen<R>(
  state: LiveState<R>,
  { source, key, keepPrevious }: { source: unknown; key: string | null; keepPrevious: boolean },
): Live<R> {
  if (key === null) return { data: undefined, loading: false, error: null };
  if (state.source === source && state.key === key)
    return { data: state.data, loading: state.data === undefined && state.error === null, error: state.error };
  return { data: keepPrevious && state.source === source ? state.data : undefined, loading: true, error: null };
}
