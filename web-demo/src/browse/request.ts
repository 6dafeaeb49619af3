import type { OrderBy, Query, Search, Where } from '@terndb/client';
import type { PassageShape } from '../library/open-library.ts';
import type { Mode, Sort, View } from './view-state.ts';

const ORDERS: Readonly<Record<Sort, readonly OrderBy<PassageShape>[]>> = {
  newest: [{ field: 'added', order: 'desc' }],
  oldest: [{ field: 'added' }],
  stars: [
    { field: 'stars', order: 'desc' },
    { field: 'added', order: 'desc' },
  ],
  topic: [{ field: 'topic' }, { field: 'added', order: 'desc' }],
};

export type PassageQuery = Query<PassageShape>;
export type PassageSearch = Search<PassageShape>;

export function whereOf(view: View): Where<PassageShape> {
  return {
    ...(view.topics.length > 0 ? { topic: { in: view.topics } } : {}),
    ...(view.kinds.length > 0 ? { kind: { in: view.kinds } } : {}),
    ...(view.sources.length > 0 ? { source: { in: view.sources } } : {}),
    ...(view.minStars > 0 ? { stars: { gte: view.minStars } } : {}),
  };
}

/** The ranked search the view asks for; null when it has no question and is a sorted list. */
export function searchOf(view: View): PassageSearch | null {
  const options = { where: whereOf(view), limit: view.limit };
  if (view.like !== null) return { ...options, like: view.like.key, field: 'meaning' };
  if (view.text.trim() === '') return null;
  return { ...options, text: view.text, mode: view.mode, highlight: true };
}

/** What ranked the results of the view. Without a model, words alone did. */
export function rankingOf(view: View, wordsOnly: boolean): Mode {
  if (view.like !== null) return 'semantic';
  return wordsOnly ? 'keyword' : view.mode;
}

/** The sorted list the view asks for; null when it is a search. */
export function queryOf(view: View): PassageQuery | null {
  if (searchOf(view) !== null) return null;
  return { where: whereOf(view), orderBy: ORDERS[view.sort], limit: view.limit };
}
