import { assertNever, evaluateFilter, type FilterNode, keyFieldOf } from '@terndb/core';
import type { ReadContext } from '../context.ts';
import { compareScored, passesBounds, type Ranker, type ScoreBounds, type Scored } from './ranking.ts';

/** Candidates at least: what is further behind is not brought up by a boost. */
const RERANK_DEPTH = 1000;

/**
 * What changes the scores of the best RERANK_DEPTH rows before the last order.
 * - `decay`: times a factor that falls from 1 at `origin ± offset` to `decay` at `scale` beyond it. A row without a value keeps its score.
 * - `boost`: times `weight` where the filter is true.
 */
export type Reranker =
  | {
      readonly type: 'decay';
      readonly field: string;
      readonly curve: 'gauss' | 'exp' | 'linear';
      readonly origin: number;
      readonly scale: number;
      readonly offset: number;
      readonly decay: number;
    }
  | { readonly type: 'boost'; readonly node: FilterNode; readonly weight: number };

export function rerankedRanker(rank: Ranker, rerankers: readonly Reranker[], bounds: ScoreBounds): Ranker {
  return function* (context, matched, k) {
    const factors = rerankers.map((reranker) => factorOf(context, reranker));
    const rows = yield* rank(context, matched, Math.max(k, RERANK_DEPTH));
    return rows
      .map((row) => ({ ...row, score: factors.reduce((score, factor) => scaled(score, factor(row)), row.score) }))
      .filter(({ score }) => passesBounds(score, bounds))
      .sort(compareScored)
      .slice(0, k);
  };
}

/** A distance is a score below 0: what is to make it worse makes it larger. */
function scaled(score: number, factor: number): number {
  return score < 0 ? score / factor : score * factor;
}

function factorOf({ definition }: ReadContext, reranker: Reranker): (row: Scored) => number {
  switch (reranker.type) {
    case 'boost': {
      const keyField = keyFieldOf(definition).name;
      return ({ block, offset, key }) =>
        evaluateFilter(reranker.node, (field) => (field === keyField ? key : block.valueAt(field, offset))) === true ? reranker.weight : 1;
    }
    case 'decay':
      return ({ block, offset }) => {
        const value = block.valueAt(reranker.field, offset);
        return typeof value === 'number' || typeof value === 'bigint' ? decayAt(reranker, Number(value)) : 1;
      };
    default:
      return assertNever(reranker, 'reranker');
  }
}

export function decayAt(
  { curve, origin, scale, offset, decay }: Omit<Extract<Reranker, { type: 'decay' }>, 'type' | 'field'>,
  value: number,
): number {
  const distance = Math.max(0, Math.abs(value - origin) - offset);
  switch (curve) {
    case 'gauss':
      return decay ** ((distance / scale) ** 2);
    case 'exp':
      return decay ** (distance / scale);
    case 'linear':
      return Math.max(0, 1 - (distance / scale) * (1 - decay));
    default:
      return assertNever(curve, 'decay curve');
  }
}
