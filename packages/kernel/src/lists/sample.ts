/** What of k-means is not worth a place in WebAssembly: which rows it learns from, and what becomes of empty lists. */

/** xorshift32: seeded, integers only, the same everywhere. */
function createRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** `count` different rows (or all) in an order of chance: Fisher–Yates, as far as needed. */
export function sampleRows(rows: number, count: number, seed: number): Uint32Array {
  const random = createRandom(seed);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  const wanted = Math.min(rows, count);
  for (let at = 0; at < wanted; at++) {
    const other = at + (random() % (rows - at));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order.slice(0, wanted);
}

/** How far the halves of a split list are moved apart. */
const APART = 1 / 1024;

/**
 * Gives each empty list half of the fullest one: its centroid, moved a little, and the other one moved the other way. Returns how many it gave.
 * `counts` is spent.
 */
export function mendEmptyLists(centroids: Float32Array, counts: Uint32Array, floats: number): number {
  let mended = 0;
  for (let list = 0; list < counts.length; list++) {
    if (counts[list]! > 0) continue;
    let fullest = 0;
    for (let other = 1; other < counts.length; other++) if (counts[other]! > counts[fullest]!) fullest = other;
    if (counts[fullest]! < 2) return mended;
    for (let at = 0; at < floats; at++) {
      const value = centroids[fullest * floats + at]!;
      const shift = at % 2 === 0 ? APART : -APART;
      centroids[list * floats + at] = value * (1 + shift);
      centroids[fullest * floats + at] = value * (1 - shift);
    }
    counts[list] = counts[fullest]! >>> 1;
    counts[fullest]! -= counts[list]!;
    mended++;
  }
  return mended;
}
