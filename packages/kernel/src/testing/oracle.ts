import type { Metric, ScanOptions } from '../types.ts';

/** Naive float64 scores, and the sum of magnitudes that a float32 sum's error is relative to. */
export function oracleScore(metric: Metric, query: Float32Array, row: Float32Array): { score: number; magnitude: number } {
  let dot = 0;
  let magnitude = 0;
  let distance = 0;
  for (let index = 0; index < query.length; index++) {
    const [q, v] = [query[index]!, row[index]!];
    dot += q * v;
    magnitude += Math.abs(q * v);
    distance += (q - v) ** 2;
  }
  if (metric === 'L2') return { score: -distance, magnitude: distance };
  if (metric === 'IP') return { score: dot, magnitude };
  const norms = norm(query) * norm(row);
  return norms === 0 ? { score: 0, magnitude: 0 } : { score: dot / norms, magnitude: magnitude / norms };
}

function norm(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

/** What `scan` must return, given the kernel's own score of every row: order, ties, bitmap, high-water mark and bounds are exact. */
export function oracleHits(scores: Float32Array, options: ScanOptions): { offsets: number[]; scores: number[] } {
  const { k, bitmap, minScore = -Infinity, maxScore } = options;
  const rows = Math.min(scores.length, options.rows ?? scores.length);
  const offsets = Array.from({ length: rows }, (_, offset) => offset)
    .filter((offset) => !bitmap || ((bitmap[offset >> 5] ?? 0) >>> (offset & 31)) & 1)
    .filter((offset) => scores[offset]! >= minScore && (maxScore === undefined || scores[offset]! < maxScore))
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, k);
  return { offsets, scores: offsets.map((offset) => scores[offset]!) };
}
