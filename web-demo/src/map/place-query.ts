/** A point of the map that is near to what was asked. */
export interface Near {
  /** Of the point on the map. */
  readonly index: number;
  /** Cosine. */
  readonly similarity: number;
}
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Nearest points that say where a question belongs. More would pull it to the middle of the map. */
export const PLACING_POINTS = 8;
const SEARCH_ROUNDS = 40;

/**
 * Where a vector that was not there when the map was drawn belongs: the mean of its nearest points, weighted as UMAP weights neighbours
 * (McInnes, Healy and Melville 2018, section 3.1: `exp(-(d - nearest) / sigma)`, `sigma` such that the weights sum to `log2(k)`). It is where UMAP
 * itself starts a new point.
 * @param near Nearest first. @param places `points * 2`.
 */
export function placeQuery(near: readonly Near[], places: Float32Array): Place | null {
  const used = near.slice(0, PLACING_POINTS);
  if (used.length === 0) return null;
  const beyond = used.map(({ similarity }) => used[0]!.similarity - similarity);
  const sigma = findSigma(beyond);
  let [x, y, sum] = [0, 0, 0];
  used.forEach(({ index }, i) => {
    const weight = Math.exp(-beyond[i]! / sigma);
    x += weight * places[2 * index]!;
    y += weight * places[2 * index + 1]!;
    sum += weight;
  });
  return { x: x / sum, y: y / sum };
}

/** By halving: the sum of the weights grows with sigma. */
function findSigma(beyond: readonly number[]): number {
  const wanted = Math.log2(beyond.length);
  let [low, high] = [1e-6, 16];
  for (let round = 0; round < SEARCH_ROUNDS; round++) {
    const middle = (low + high) / 2;
    const sum = beyond.reduce((total, distance) => total + Math.exp(-distance / middle), 0);
    if (sum < wanted) low = middle;
    else high = middle;
  }
  return high;
}
