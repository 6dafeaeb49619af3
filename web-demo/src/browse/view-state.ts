/** What the reader looks at: the question, the filters, the order. */
export interface View {
  readonly text: string;
  /** "More like this": replaces the text. */
  readonly like: { readonly key: string; readonly title: string } | null;
  readonly topics: readonly string[];
  readonly kinds: readonly string[];
  readonly sources: readonly string[];
  readonly minStars: number;
  readonly sort: Sort;
  /** How a question finds: by its words, by what it means, or both. */
  readonly mode: Mode;
  /** How many rows are asked for; grows as the reader scrolls. */
  readonly limit: number;
}
export type Sort = 'newest' | 'oldest' | 'stars' | 'topic';

export type Mode = 'hybrid' | 'keyword' | 'semantic';

export type ViewAction =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'like'; readonly key: string; readonly title: string }
  | { readonly type: 'toggle'; readonly filter: ListFilter; readonly value: string }
  | { readonly type: 'minStars'; readonly minStars: number }
  | { readonly type: 'sort'; readonly sort: Sort }
  | { readonly type: 'mode'; readonly mode: Mode }
  | { readonly type: 'clearFilters' }
  | { readonly type: 'more' };
export type ListFilter = 'topics' | 'kinds' | 'sources';

const FIRST_LIMIT = 100;
/** The engine's bound of `offset + limit`. */
export const MAX_LIMIT = 16_384;

export const START: View = {
  text: '',
  like: null,
  topics: [],
  kinds: [],
  sources: [],
  minStars: 0,
  sort: 'newest',
  mode: 'hybrid',
  limit: FIRST_LIMIT,
};

/** Every change but `more` asks a new question and starts at its first rows. */
export function reduceView(view: View, action: ViewAction): View {
  const fresh = { ...view, limit: FIRST_LIMIT };
  switch (action.type) {
    case 'text':
      return { ...fresh, text: action.text, like: null };
    case 'like':
      return { ...fresh, text: '', like: { key: action.key, title: action.title } };
    case 'toggle': {
      const old = view[action.filter];
      const next = old.includes(action.value) ? old.filter((value) => value !== action.value) : [...old, action.value];
      return { ...fresh, [action.filter]: next };
    }
    case 'minStars':
      return { ...fresh, minStars: action.minStars };
    case 'sort':
      return { ...fresh, sort: action.sort };
    case 'mode':
      return { ...fresh, mode: action.mode };
    case 'clearFilters':
      return { ...fresh, topics: [], kinds: [], sources: [], minStars: 0 };
    case 'more':
      return { ...view, limit: Math.min(view.limit * 2, MAX_LIMIT) };
  }
}

export function filterCount(view: View): number {
  return view.topics.length + view.kinds.length + view.sources.length + (view.minStars > 0 ? 1 : 0);
}
