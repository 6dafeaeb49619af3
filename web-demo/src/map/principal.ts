import { seededRandom } from './random.ts';

const ROUNDS = 30;

/**
 * The two directions in which the rows differ most, by power iteration, as a place for each row: `rows * 2`, the wider side `spread` to each side
 * of 0. A layout that starts here keeps far topics far (Kobak and Linderman 2021); one that starts at random need not. Cost: 2 · ROUNDS passes.
 */
export function principalPlaces(vectors: Float32Array, dim: number, spread: number): Float32Array {
  const total = vectors.length / dim;
  const mean = meanOf(vectors, dim);
  const places = new Float32Array(total * 2);
  const found: Float64Array[] = [];
  for (let axis = 0; axis < 2; axis++) {
    const direction = strongest(vectors, mean, found);
    found.push(direction);
    for (let row = 0; row < total; row++) places[2 * row + axis] = along(vectors, row * dim, mean, direction);
  }
  let widest = 0;
  for (const value of places) widest = Math.max(widest, Math.abs(value));
  return widest === 0 ? places : places.map((value) => (value * spread) / widest);
}

function meanOf(vectors: Float32Array, dim: number): Float64Array {
  const mean = new Float64Array(dim);
  for (let at = 0; at < vectors.length; at += dim) for (let d = 0; d < dim; d++) mean[d]! += vectors[at + d]!;
  const total = Math.max(1, vectors.length / dim);
  return mean.map((sum) => sum / total);
}

function along(vectors: Float32Array, base: number, mean: Float64Array, direction: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < direction.length; d++) sum += (vectors[base + d]! - mean[d]!) * direction[d]!;
  return sum;
}

function strongest(vectors: Float32Array, mean: Float64Array, before: readonly Float64Array[]): Float64Array {
  const dim = mean.length;
  const random = seededRandom(before.length + 1);
  let direction = unit(Float64Array.from({ length: dim }, () => random() - 0.5));
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(dim);
    for (let at = 0; at < vectors.length; at += dim) {
      const weight = along(vectors, at, mean, direction);
      for (let d = 0; d < dim; d++) next[d]! += weight * (vectors[at + d]! - mean[d]!);
    }
    for (const other of before) removeFrom(next, other);
    direction = unit(next);
  }
  return direction;
}

/** What is left of the vector at a right angle to `other`. */
function removeFrom(vector: Float64Array, other: Float64Array): void {
  let shared = 0;
  for (let d = 0; d < vector.length; d++) shared += vector[d]! * other[d]!;
  for (let d = 0; d < vector.length; d++) vector[d]! -= shared * other[d]!;
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
