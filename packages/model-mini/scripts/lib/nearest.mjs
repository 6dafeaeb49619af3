/** Exact nearest passages by inner product, block by block through the training kernel. */
const BLOCK = 512;
/** `multiply` takes four rows at a time. */
const ROWS = 4;

/** @returns (queries, count) → for each query its best passages, best first, as `{ index, score }`. */
export function nearest(kernel, vectors, dim) {
  const block = kernel.floats(BLOCK * dim);
  const turned = kernel.floats(BLOCK * dim);
  return (queries, count) => {
    const rows = Math.ceil(queries.length / ROWS) * ROWS;
    const input = kernel.floats(rows * dim);
    const output = kernel.floats(rows * BLOCK);
    for (const [i, query] of queries.entries()) input.view().set(query, i * dim);
    const lists = queries.map(() => []);
    for (let start = 0; start < vectors.length; start += BLOCK) {
      const end = Math.min(vectors.length, start + BLOCK);
      block.view().fill(0);
      for (let i = start; i < end; i++) block.view().set(vectors[i], (i - start) * dim);
      kernel.transpose(block.at, turned.at, BLOCK, dim);
      kernel.multiply(input.at, turned.at, output.at, rows, BLOCK, dim, dim, 1);
      const scores = output.view();
      for (const [q, list] of lists.entries()) keepBest(list, scores.subarray(q * BLOCK, q * BLOCK + end - start), start, count);
    }
    return lists.map((list) => list.sort(byScore).slice(0, count));
  };
}

const byScore = (a, b) => b.score - a.score || a.index - b.index;

/** Keeps at most twice `count` between the cuts. */
function keepBest(list, scores, start, count) {
  let floor = list.floor ?? Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] <= floor) continue;
    list.push({ score: scores[i], index: start + i });
    if (list.length < 2 * count) continue;
    list.sort(byScore);
    list.length = count;
    floor = list[count - 1].score;
  }
  list.floor = floor;
}
