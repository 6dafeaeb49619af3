import {
  type AnyVectorField,
  assertNever,
  elementsOf,
  normalizeQueryVector,
  type SparseValue,
  type StoredValue,
  type StoredVector,
  widenVector,
} from '@terndb/core';
import { type BinaryQuery, binaryRanker } from './binary.ts';
import { type DenseQuery, denseRanker } from './dense.ts';
import { fusedRanker } from './fuse.ts';
import { type Accuracy, NO_BOUNDS, type Ranker, type ScoreBounds } from './ranking.ts';
import { type SparseQuery, sparseRanker } from './sparse.ts';

/** A text in several spaces: of several models, or fields. Each row is ranked among those of its own, and the lists are fused by rank. */
export interface SpacesQuery {
  readonly kind: 'spaces';
  /** The first one's field. */
  readonly field: string;
  readonly queries: readonly DenseQuery[];
}

export type VectorQuery = DenseQuery | SparseQuery | BinaryQuery | SpacesQuery;

/** DIMENSION_MISMATCH, QUERY_INVALID. */
export function readQueryVector(collection: string, field: AnyVectorField, value: unknown): VectorQuery {
  const query = normalizeQueryVector(field, collection, value);
  if (field.type !== 'vector') return storedQuery(field, query);
  return { kind: 'dense', field: field.name, metric: field.params.metric, query: query as Float32Array };
}

export function storedQuery(field: AnyVectorField, value: Exclude<StoredValue, null>): VectorQuery {
  switch (field.type) {
    case 'vector':
      return {
        kind: 'dense',
        field: field.name,
        metric: field.params.metric,
        query: widenVector(elementsOf(field), value as StoredVector),
      };
    case 'sparseVector':
      return { kind: 'sparse', field: field.name, query: value as SparseValue };
    case 'binaryVector':
      return { kind: 'binary', field: field.name, metric: field.params.metric, query: value as Uint8Array };
    default:
      return assertNever(field, 'vector field');
  }
}

export function vectorRanker(query: VectorQuery, bounds: ScoreBounds, accuracy: Accuracy): Ranker {
  switch (query.kind) {
    case 'dense':
      return denseRanker(query, bounds, accuracy);
    case 'sparse':
      return sparseRanker(query, bounds);
    case 'binary':
      return binaryRanker(query, bounds);
    case 'spaces':
      return fusedRanker(
        query.queries.map((one) => denseRanker(one, NO_BOUNDS, accuracy)),
        bounds,
      );
    default:
      return assertNever(query, 'vector query');
  }
}
