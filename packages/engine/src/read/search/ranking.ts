import type { ReadContext, RowRef } from '../context.ts';
import type { BlockMask } from '../filter/evaluate.ts';
import { compareRefs } from '../sort-values.ts';
import { TopK } from '../top-k.ts';
import type { Steps } from './jobs.ts';
import type { Effort } from './rank-options.ts';

/** Rows of one block that a search may return. */
export interface Matched extends BlockMask {
  /** Index into the context's partitions. */
  readonly partition: number;
}

export interface Scored extends RowRef {
  /** Higher is better. */
  readonly score: number;
  /** Of a fused list: the lists it comes from. */
  readonly parts?: readonly ScoredPart[];
  /** Of a keyword hit, where it was asked for: how much of the query it holds, 0 to 1. */
  readonly coverage?: number;
}

/** A row in one of several lists. */
export interface ScoredPart {
  /** `keyword`, or the vector field. */
  readonly name: string;
  /** In the list's own terms; distances with the sign turned. */
  readonly score: number;
  /** From 1. */
  readonly rank: number;
  /** What the list added to the row's score. */
  readonly share: number;
}

/** Which scores are hits: `score >= atLeast && score > above && score <= atMost`. */
export interface ScoreBounds {
  readonly atLeast: number;
  readonly above: number;
  readonly atMost: number;
}

export const NO_BOUNDS: ScoreBounds = { atLeast: -Infinity, above: -Infinity, atMost: Infinity };

/** Whether a search may use indexes, how far it goes in them, and whether it did. One per search. */
export interface Accuracy {
  readonly mayApproximate: boolean;
  readonly effort: Effort;
  isApproximate: boolean;
}

export function accuracy(mayApproximate: boolean, effort: Effort = { ef: undefined, nprobe: undefined }): Accuracy {
  return { mayApproximate, effort, isApproximate: false };
}

/** The best `k` of the matched rows, best first, equal scores by key, then by partition. Fewer only when there are no more. */
export type Ranker = (context: ReadContext, matched: readonly Matched[], k: number) => Steps<Scored[]>;

export function passesBounds(score: number, bounds: ScoreBounds): boolean {
  return score >= bounds.atLeast && (score > bounds.above || bounds.above === -Infinity) && score <= bounds.atMost;
}

export function compareScored(a: Scored, b: Scored): number {
  return b.score - a.score || compareRefs(a, b);
}

export function scoredTop(k: number): TopK<Scored> {
  return new TopK<Scored>(k, compareScored);
}

/** Offers a row; the key is read only when the score could be kept. */
export function offerRow(top: TopK<Scored>, matched: Matched, offset: number, score: number): void {
  const { worst } = top;
  if (worst !== undefined && score <= worst.score) {
    if (score < worst.score) return;
    // Of two rows of one sorted block the later one has the larger key.
    if (worst.block === matched.block && worst.partition === matched.partition && matched.block.sortedByKey && worst.offset < offset)
      return;
  }
  top.push({ key: matched.block.keyAt(offset), partition: matched.partition, block: matched.block, offset, score });
}
