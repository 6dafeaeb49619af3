import { useSearch } from '@terndb/react';
import { useMemo } from 'react';
import type { View } from '../browse/view-state.ts';
import { usePassages } from '../library/library-context.tsx';
import { type Near, PLACING_POINTS, type Place, placeQuery } from './place-query.ts';
import type { MeaningMap } from './use-meaning-map.ts';

export interface QueryOnMap {
  readonly label: string;
  readonly place: Place;
  /** Nearest first. */
  readonly near: readonly Near[];
}

/** Points listed beside the map. */
export const NEAR_SHOWN = 12;
/** Hits asked for per point wanted, as a multiple of how many passages stand for one point. */
const MARGIN = 4;
const MIN_HITS = 200;
const MAX_HITS = 4_000;

/** Where the question of the view is on the map, by the search engine's own answer; null without a question, a model or a map. */
export function useQueryPlace(view: View, map: MeaningMap | null): QueryOnMap | null {
  const passages = usePassages();
  const share = map === null ? 1 : map.of / map.points.length;
  const limit = Math.min(MAX_HITS, Math.max(MIN_HITS, Math.ceil(NEAR_SHOWN * MARGIN * share)));
  const options = { limit, select: ['id'] } as const;
  const text = view.text.trim();
  const { data } = useSearch(
    passages,
    map === null
      ? null
      : view.like !== null
        ? { ...options, like: view.like.key, field: 'meaning' }
        : text === ''
          ? null
          : { ...options, text, mode: 'semantic' },
  );
  const indexes = useMemo(() => new Map(map?.points.map(({ key }, index) => [key, index])), [map?.points]);
  return useMemo(() => {
    if (map === null || data === undefined) return null;
    const near = data.hits.flatMap(({ key, score }): Near[] => {
      const index = indexes.get(key);
      return index === undefined ? [] : [{ index, similarity: score }];
    });
    const own = view.like === null ? undefined : indexes.get(view.like.key);
    const place = own === undefined ? placeQuery(near.slice(0, PLACING_POINTS), map.places) : placeAt(map, own);
    return place === null ? null : { label: view.like?.title ?? text, place, near: near.slice(0, NEAR_SHOWN) };
  }, [map, data, indexes, view.like, text]);
}

function placeAt({ places }: MeaningMap, index: number): Place {
  return { x: places[2 * index]!, y: places[2 * index + 1]! };
}
