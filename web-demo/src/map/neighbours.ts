/** Of each row the `count` nearest others by cosine, nearest first. Row-major, `count` wide. */
export interface Neighbours {
  readonly count: number;
  readonly rows: Int32Array;
  /** 1 − similarity, from 0 to 2. */
  readonly distances: Float32Array;
}

/** Scales each row to length 1, in place; rows of zeros stay. */
export function normalise(vectors: Float32Array, dim: number): void {
  for (let at = 0; at < vectors.length; at += dim) {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += vectors[at + d]! ** 2;
    const scale = sum === 0 ? 0 : 1 / Math.sqrt(sum);
    for (let d = 0; d < dim; d++) vectors[at + d]! *= scale;
  }
}

/** Rows between two reports of progress. */
const REPORT_ROWS = 100;

/**
 * Exact. `vectors` is row-major, `dim` wide, of length 1 each; more rows than `count` expected. Cost: rows² · dim multiplications; each pair is
 * compared twice, for keeping the first answer would take 2 · rows² bytes.
 */
export function nearestNeighbours(
  vectors: Float32Array,
  options: { dim: number; count: number; onProgress?: (share: number) => void },
): Neighbours {
  const { dim, count, onProgress } = options;
  const total = vectors.length / dim;
  const rows = new Int32Array(total * count);
  const distances = new Float32Array(total * count);
  for (let row = 0; row < total; row++) {
    const base = row * count;
    let held = 0;
    for (let other = 0; other < total; other++) {
      if (other === row) continue;
      const distance = 1 - dot(vectors, row * dim, other * dim, dim);
      if (held === count && distance >= distances[base + count - 1]!) continue;
      let at = held < count ? held++ : count - 1;
      while (at > 0 && distances[base + at - 1]! > distance) {
        distances[base + at] = distances[base + at - 1]!;
        rows[base + at] = rows[base + at - 1]!;
        at--;
      }
      distances[base + at] = Math.max(0, distance);
      rows[base + at] = other;
    }
    if (row % REPORT_ROWS === 0) onProgress?.(row / total);
  }
  return { count, rows, distances };
}

function dot(vectors: Float32Array, a: number, b: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) sum += vectors[a + d]! * vectors[b + d]!;
  return sum;
}
