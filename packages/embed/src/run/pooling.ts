import type { Pooling } from '../model/settings.ts';

/** One batch's token vectors, row-major `texts * tokens * dim`, and its attention mask, `texts * tokens`. */
export interface TokenVectors {
  readonly data: Float32Array;
  readonly mask: BigInt64Array;
  readonly texts: number;
  readonly tokens: number;
  readonly dim: number;
}

/** @returns one vector per text, in order, each owned by the caller. */
export function poolTokens(batch: TokenVectors, pooling: Pooling): Float32Array[] {
  return Array.from({ length: batch.texts }, (_, text) => (pooling === 'mean' ? meanOf(batch, text) : tokenOf(batch, text, pooling)));
}

function meanOf({ data, mask, tokens, dim }: TokenVectors, text: number): Float32Array {
  const out = new Float32Array(dim);
  let count = 0;
  for (let token = 0; token < tokens; token++) {
    if (mask[text * tokens + token] === 0n) continue;
    count++;
    const from = (text * tokens + token) * dim;
    for (let d = 0; d < dim; d++) out[d]! += data[from + d]!;
  }
  if (count > 1) for (let d = 0; d < dim; d++) out[d]! /= count;
  return out;
}

/** The first or last token that is not padding: with padding on the left too. */
function tokenOf({ data, mask, tokens, dim }: TokenVectors, text: number, pooling: 'cls' | 'last'): Float32Array {
  const row = mask.subarray(text * tokens, (text + 1) * tokens);
  const found = pooling === 'cls' ? row.indexOf(1n) : row.lastIndexOf(1n);
  const from = (text * tokens + Math.max(0, found)) * dim;
  return data.slice(from, from + dim);
}

/** In place, to length 1; the zero vector stays. */
export function normalize(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum > 0) {
    const scale = 1 / Math.sqrt(sum);
    for (let d = 0; d < vector.length; d++) vector[d]! *= scale;
  }
  return vector;
}

/**
 * The vector of a text from those of its windows: their mean, weighted by their tokens; then cut to the first `dim` components (Matryoshka), and scaled
 * to length 1 after the cut if the model is meant to be.
 */
export function finishVector(
  windows: readonly Float32Array[],
  weights: readonly number[],
  options: { dim: number; normalize: boolean },
): Float32Array {
  const whole = windows.length === 1 ? windows[0]! : weightedMean(windows, weights);
  const cut = whole.length === options.dim ? whole : whole.slice(0, options.dim);
  return options.normalize ? normalize(cut) : cut;
}

function weightedMean(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const out = new Float32Array(vectors[0]?.length ?? 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  vectors.forEach((vector, i) => {
    const share = total > 0 ? weights[i]! / total : 1 / vectors.length;
    for (let d = 0; d < out.length; d++) out[d]! += share * vector[d]!;
  });
  return out;
}
