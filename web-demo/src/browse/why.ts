import type { Hit } from '@terndb/client';
import type { Passage } from '../library/schema.ts';
import { markedWords, NO_RANGES, type Ranges } from './highlight.ts';
import type { Mode } from './view-state.ts';

export type PassageHit = Hit<Passage, string>;

export type ListName = 'words' | 'meaning';

/** One of the two lists that a search by words and meaning makes into one. */
export interface ListShare {
  readonly list: ListName;
  /** From 1; null: not among those the list brought. */
  readonly place: number | null;
  /** BM25, or cosine similarity; null with the place. */
  readonly score: number | null;
  /** What the list gave to the total; null where only one list ranks. */
  readonly share: number | null;
}
export interface Why {
  readonly lists: readonly ListShare[];
  /** Sum of the shares; null where only one list ranks. */
  readonly total: number | null;
  /** The words of the question that the passage holds, as they stand in it. */
  readonly words: readonly string[];
  /** `server`: found there, which tells no parts. `mixed`: the order is by place, here and on the server. */
  readonly note: 'server' | 'mixed' | null;
}

/** What is asked for: the engine's names of the lists. */
const LISTS = { words: 'keyword', meaning: 'meaning' } as const;

/** Totals are sums of two doubles, in either order. */
const EPSILON = 1e-6;

/**
 * Why a hit is where it is.
 * @param place Of the hit in the result, from 1.
 * @param ranking What ranked: `like` is by meaning alone; without the model words rank alone.
 */
export function whyOf(hit: PassageHit, place: number, ranking: Mode): Why {
  const words = wordsOf(hit);
  if (hit.from === 'global' && hit.parts === undefined) return { lists: [], total: null, words, note: 'server' };
  if (ranking !== 'hybrid' || hit.parts === undefined) {
    const list = ranking === 'semantic' ? 'meaning' : 'words';
    return { lists: [{ list, place, score: hit.score, share: null }], total: null, words, note: null };
  }
  const lists = (['words', 'meaning'] as const).map((list): ListShare => {
    const part = hit.parts?.find(({ name }) => name === LISTS[list]);
    if (part === undefined) return { list, place: null, score: null, share: 0 };
    return { list, place: part.rank, score: part.score, share: part.share };
  });
  const total = lists.reduce((sum, { share }) => sum + (share ?? 0), 0);
  return { lists, total, words, note: Math.abs(total - hit.score) > EPSILON ? 'mixed' : null };
}

/** One line for the closed disclosure. */
export function summaryOf({ lists, note }: Why): string {
  if (note === 'server') return 'found on the server';
  const found = lists.filter(({ place }) => place !== null).map(({ list }) => list);
  if (found.length === 2) return 'its words and its meaning';
  return found[0] === 'meaning' ? 'its meaning' : 'its words';
}

export function rangesOf(hit: PassageHit | null, field: 'title' | 'body'): Ranges {
  return hit?.highlights?.find((highlight) => highlight.field === field)?.ranges ?? NO_RANGES;
}

function wordsOf(hit: PassageHit): readonly string[] {
  const { title, body } = hit.entity;
  return [...new Set([...markedWords(title, rangesOf(hit, 'title')), ...markedWords(body, rangesOf(hit, 'body'))])];
}
