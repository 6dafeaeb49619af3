import type { Metric, ScanHits, ScanOptions, VectorBlock } from '@terndb/kernel';

/** A vector block in plain JavaScript, for tests without the kernel: the same contract, scores rounded to float32. */
export class FlatVectors implements VectorBlock {
  readonly dim: number;
  readonly #rows: Float32Array<ArrayBuffer>[] = [];

  constructor(dim: number) {
    this.dim = dim;
  }

  get rows(): number {
    return this.#rows.length;
  }

  get bytes(): number {
    return this.#rows.length * this.dim * 4;
  }

  reserve(): void {}

  append(vectors: Float32Array): void {
    for (let at = 0; at < vectors.length; at += this.dim) this.#rows.push(vectors.slice(at, at + this.dim));
  }

  appendBytes(chunk: Uint8Array): void {
    this.append(new Float32Array(chunk.slice().buffer));
  }

  row(offset: number): Float32Array<ArrayBuffer> {
    return this.#rows[offset]!.slice();
  }

  scan({ query, metric, k, rows = this.rows, bitmap, minScore = -Infinity, maxScore = Infinity }: ScanOptions): ScanHits {
    const hits: { offset: number; score: number }[] = [];
    for (let offset = 0; offset < Math.min(rows, this.rows); offset++) {
      if (bitmap !== undefined && ((bitmap[offset >> 5]! >>> (offset & 31)) & 1) === 0) continue;
      const score = vectorScore(metric, query, this.#rows[offset]!);
      if (score >= minScore && score < maxScore) hits.push({ offset, score });
    }
    hits.sort((a, b) => b.score - a.score || a.offset - b.offset);
    const best = hits.slice(0, k);
    return { offsets: Uint32Array.from(best, (hit) => hit.offset), scores: Float32Array.from(best, (hit) => hit.score) };
  }

  scores({ query, metric, offsets }: { query: Float32Array; metric: Metric; offsets: Uint32Array }): Float32Array<ArrayBuffer> {
    return Float32Array.from(offsets, (offset) => vectorScore(metric, query, this.#rows[offset]!));
  }

  free(): void {
    this.#rows.length = 0;
  }
}

/** Float32; higher is better. */
export function vectorScore(metric: Metric, a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  let squared = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
    squared += (a[i]! - b[i]!) ** 2;
  }
  if (metric === 'L2') return Math.fround(0 - squared);
  if (metric === 'IP') return Math.fround(dot);
  return aa === 0 || bb === 0 ? 0 : Math.fround(dot / Math.sqrt(aa * bb));
}
