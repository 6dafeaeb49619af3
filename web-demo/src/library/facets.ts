import type { Passages } from './open-library.ts';

export interface Facet {
  readonly value: string;
  readonly count: number;
}
export interface Facets {
  readonly total: number;
  readonly topics: readonly Facet[];
  readonly kinds: readonly Facet[];
  readonly sources: readonly Facet[];
}
type FacetField = 'topic' | 'kind' | 'source';

export const NO_FACETS: Facets = { total: 0, topics: [], kinds: [], sources: [] };
/** Filters beyond these are found by searching. */
const MAX_VALUES = 200;

/** Counts by topic, kind and source; most frequent first. Cost: two small reads per distinct value, whatever the size of the library. */
export async function readFacets(passages: Passages): Promise<Facets> {
  const [total, topics, kinds, sources] = await Promise.all([
    passages.count(),
    countValues(passages, 'topic'),
    countValues(passages, 'kind'),
    countValues(passages, 'source'),
  ]);
  return { total: total.count, topics, kinds, sources };
}

/** Walks the distinct values in order: the first one, then the first one after it. */
async function countValues(passages: Passages, field: FacetField): Promise<readonly Facet[]> {
  const counts: Promise<Facet>[] = [];
  let value = await firstAfter(passages, field, null);
  while (value !== null && counts.length < MAX_VALUES) {
    counts.push(countValue(passages, field, value));
    value = await firstAfter(passages, field, value);
  }
  return (await Promise.all(counts)).toSorted((a, b) => b.count - a.count);
}

/** Nulls come last and are no value. */
async function firstAfter(passages: Passages, field: FacetField, after: string | null): Promise<string | null> {
  const where = after === null ? {} : { [field]: { gt: after } };
  const { entities } = await passages.query({ where, orderBy: { field }, limit: 1, select: [field] });
  return entities[0]?.[field] ?? null;
}

async function countValue(passages: Passages, field: FacetField, value: string): Promise<Facet> {
  const { count } = await passages.count({ where: { [field]: value } });
  return { value, count };
}
