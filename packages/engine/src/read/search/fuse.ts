import { rowName } from '../context.ts';
import { compareScored, passesBounds, type Ranker, type ScoreBounds, type Scored } from './ranking.ts';

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009), with their constant. */
const RRF_K = 60;
/** Ranks each list contributes: deep enough that pages of the usual sizes come from one and the same fused list. */
const FUSION_DEPTH = 1000;

/** One list out of several whose scores are not comparable: a row scores the sum over the lists of `1 / (60 + rank)`. */
export function fusedRanker(rankers: readonly Ranker[], bounds: ScoreBounds): Ranker {
  return (context, matched, k) => {
    const fused = new Map<string, Scored>();
    for (const rank of rankers) {
      rank(context, matched, Math.max(k, FUSION_DEPTH)).forEach((row, index) => {
        const name = rowName(String(row.partition), row.key);
        const score = (fused.get(name)?.score ?? 0) + 1 / (RRF_K + index + 1);
        fused.set(name, { ...row, score });
      });
    }
    return [...fused.values()]
      .filter(({ score }) => passesBounds(score, bounds))
      .sort(compareScored)
      .slice(0, k);
  };
}
