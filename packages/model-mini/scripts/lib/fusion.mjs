/** How a search makes one list of two: as the engine does (`packages/engine/src/read/search/fuse.ts`, `text/coverage.ts`). */
const RRF = 60;
/** Ranks that a list contributes. */
export const LIST = 256;
const LATER_WORDS = 0.7;
const CHANCE = 0.5;
const LEAST_WORTH = 0.001;

/** BM25's answer as a list, best first, each hit with the share of the query that it holds. */
export function keywordList({ scores, held, weights }) {
  const most = weights.toSorted((a, b) => b - a).reduce((sum, weight, i) => sum + weight * LATER_WORDS ** i, 0);
  return best(scores).map((hit) => ({ ...hit, coverage: Math.min(1, held.get(hit.index) / most) }));
}

export function best(scores) {
  const list = [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, LIST);
  return list.map(([index, points]) => ({ index, score: points }));
}

/** Reciprocal rank fusion; with `byCoverage` a keyword hit counts by how much of the query it holds, where there is another list. */
export function fuse(lists, byCoverage) {
  const isCovered = byCoverage && lists.filter((list) => list.length > 0).length > 1;
  const scores = new Map();
  for (const list of lists) {
    for (const [rank, { index, coverage = 1 }] of list.entries()) {
      const worth = isCovered ? Math.max(LEAST_WORTH, Math.max(0, (coverage - CHANCE) / (1 - CHANCE)) ** 3) : 1;
      scores.set(index, (scores.get(index) ?? 0) + worth / (RRF + rank + 1));
    }
  }
  return best(scores);
}
