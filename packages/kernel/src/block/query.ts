import { KernelError } from '../errors.ts';
import type { Metric } from '../types.ts';
import { METRIC_NUMBERS } from '../wasm/exports.ts';

/** Throws DIMENSION_MISMATCH or QUERY_INVALID; O(dim). */
export function checkQuery(query: Float32Array, metric: Metric, dim: number): void {
  if (query.length !== dim) {
    throw new KernelError('DIMENSION_MISMATCH', `query: dim ${dim} expected, got ${query.length}`, {
      details: { expected: dim, got: query.length },
    });
  }
  if (!Object.hasOwn(METRIC_NUMBERS, metric)) {
    throw new KernelError('QUERY_INVALID', `query: metric COSINE, IP or L2 expected, got ${String(metric)}`, { details: { metric } });
  }
  // A sum is finite in float64 exactly when all its float32 terms are: one test for the common case.
  let sum = 0;
  for (let index = 0; index < dim; index++) sum += query[index]!;
  if (Number.isFinite(sum)) return;
  const index = query.findIndex((value) => !Number.isFinite(value));
  throw new KernelError('QUERY_INVALID', `query: finite floats expected, got ${query[index]} at ${index}`, {
    details: { index, got: query[index] },
  });
}

/** Euclidean norm in float64, where the square of any float32 fits. */
export function normOf(vector: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index++) sum += vector[index]! * vector[index]!;
  return Math.sqrt(sum);
}

/** Writes the query as the kernel wants it: of length 1 for COSINE (a zero vector stays zero), zeros up to `target.length`. */
export function writeQuery(target: Float32Array, query: Float32Array, metric: Metric): void {
  target.fill(0, query.length);
  const norm = metric === 'COSINE' ? normOf(query) : 1;
  if (norm === 1 || norm === 0) target.set(query);
  else for (let index = 0; index < query.length; index++) target[index] = query[index]! / norm;
}
