/** How the two lists become one: what the search is asked for, and what it makes of a hit's part in each list, as documented (docs/text-search.md). */
export type Fusion =
  | { readonly type: 'weighted' }
  | { readonly type: 'rrf'; readonly k: number; readonly weights: { readonly keyword: number; readonly meaning: number } };
export type ListName = 'words' | 'meaning';

/** One word is most often a title, or its beginning: both scores count alike. */
const BY_SCORE: Fusion = { type: 'weighted' };
/** Several words describe what is meant: its place by meaning counts most, and words decide among what is near. */
const BY_PLACE: Fusion = { type: 'rrf', k: 20, weights: { keyword: 1, meaning: 4 } };

/** Chosen by 215 questions to the sample; figures in the README. */
export function fusionOf(text: string): Fusion {
  return /\S\s+\S/.test(text) ? BY_PLACE : BY_SCORE;
}

/** What a list adds to the score of a hit that is in it at `place` (from 1) with `score`. */
export function shareOf(fusion: Fusion, list: ListName, { place, score }: { place: number; score: number }): number {
  if (fusion.type === 'weighted') return list === 'words' ? (2 * Math.atan(score)) / Math.PI : (1 + score) / 2;
  return fusion.weights[list === 'words' ? 'keyword' : 'meaning'] / (fusion.k + place);
}

/** The most that a list can add. */
export function largestShare(fusion: Fusion): number {
  return fusion.type === 'weighted' ? 1 : Math.max(fusion.weights.keyword, fusion.weights.meaning) / (fusion.k + 1);
}
