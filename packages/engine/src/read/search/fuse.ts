import { rowName } from '../context.ts';
import { together } from './jobs.ts';
import { compareScored, passesBounds, type Ranker, type ScoreBounds, type Scored, type ScoredPart } from './ranking.ts';

/** The constant of reciprocal rank fusion in the paper (Cormack, Clarke and Büttcher 2009), and in Milvus. */
export const RRF_K = 60;
/** Ranks each list contributes at least: deep enough that pages of the usual sizes come from one and the same fused list; each costs a look at its row. */
const FUSION_DEPTH = 256;

/** One of several lists. `name` is `keyword` or a vector field's. */
export interface FusedList {
  readonly name: string;
  readonly rank: Ranker;
  /** Default 1. */
  readonly weight?: number;
  /** A score as a number from 0 to 1, for `weighted`. */
  readonly normalize: (score: number) => number;
}

/**
 * How lists whose scores are not comparable become one.
 * - `rrf`: a row scores the sum over the lists of `weight / (k + rank)`, with `byCoverage` times what its coverage is worth in the list of keywords.
 * - `weighted`: the sum of `weight * normalized score`; a list without the row adds nothing.
 */
export type Fusion = { readonly type: 'rrf'; readonly k: number; readonly byCoverage: boolean } | { readonly type: 'weighted' };

/** Below this share of the query a keyword hit is chance. */
const CHANCE = 0.5;
/** What is hardly there still decides among rows that nothing else is known of. */
const LEAST_WORTH = 0.001;

/** Ranks say nothing about whether a list has anything to say: the best of rows that share a frequent word with the query is first, too. */
function worthOf(coverage: number): number {
  return Math.max(LEAST_WORTH, Math.max(0, (coverage - CHANCE) / (1 - CHANCE)) ** 3);
}

export function fuseLists(lists: readonly FusedList[], fusion: Fusion, bounds: ScoreBounds): Ranker {
  return function* (context, matched, k) {
    const found = yield* together(lists.map((list) => list.rank(context, matched, Math.max(k, FUSION_DEPTH))));
    const ranked = lists.map((list, index) => ({ ...list, rows: found[index]! }));
    // A list that is alone keeps its order.
    const byCoverage = fusion.type === 'rrf' && fusion.byCoverage && ranked.filter(({ rows }) => rows.length > 0).length > 1;
    const fused = new Map<string, Scored & { score: number; parts: ScoredPart[] }>();
    for (const { name: list, rows, weight = 1, normalize } of ranked) {
      rows.forEach(({ coverage, ...row }, index) => {
        const name = rowName(String(row.partition), row.key);
        const worth = byCoverage && coverage !== undefined ? worthOf(coverage) : 1;
        const share = fusion.type === 'rrf' ? (weight * worth) / (fusion.k + index + 1) : weight * normalize(row.score);
        const part = { name: list, score: row.score, rank: index + 1, share };
        const known = fused.get(name);
        if (known === undefined) fused.set(name, { ...row, score: share, parts: [part] });
        else {
          known.score += share;
          known.parts.push(part);
        }
      });
    }
    return [...fused.values()]
      .filter(({ score }) => passesBounds(score, bounds))
      .sort(compareScored)
      .slice(0, k);
  };
}

/** By rank, with the defaults. */
export function fusedRanker(rankers: readonly Ranker[], bounds: ScoreBounds): Ranker {
  const lists = rankers.map((rank) => ({ name: '', rank, normalize: (score: number) => score }));
  const fuse = fuseLists(lists, { type: 'rrf', k: RRF_K, byCoverage: false }, bounds);
  return function* (context, matched, k) {
    const rows = yield* fuse(context, matched, k);
    return rows.map(({ parts: _unnamed, ...row }) => row);
  };
}

/** Scores from 0 to 1, as in Milvus; distances are scores with the sign turned. */
export const NORMALIZERS = {
  COSINE: (score: number): number => (1 + score) / 2,
  IP: (score: number): number => 0.5 + Math.atan(score) / Math.PI,
  distance: (score: number): number => 1 - (2 * Math.atan(-score)) / Math.PI,
  keyword: (score: number): number => (2 * Math.atan(score)) / Math.PI,
} as const;
