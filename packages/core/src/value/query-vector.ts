import { DbError } from '../errors/db-error.ts';
import type { AnyVectorField } from '../schema/lookup.ts';
import { toStored, WrongDim } from './convert.ts';
import { elementsOf, widenVector } from './elements.ts';
import { Misfit } from './misfit.ts';
import type { SparseValue, StoredVector } from './value.ts';

/**
 * The vector of a search, by the rules that hold for storing one; a copy, of dense ones as float32. Where the schema leaves the dim to the model any length passes.
 * @throws DIMENSION_MISMATCH, QUERY_INVALID
 */
export function normalizeQueryVector(field: AnyVectorField, collection: string, value: unknown): Float32Array | SparseValue | Uint8Array {
  const stored = toStored(field, value);
  if (!(stored instanceof Misfit)) {
    return field.type === 'vector' ? widenVector(elementsOf(field), stored as StoredVector) : (stored as SparseValue | Uint8Array);
  }
  const { expected, got } = stored;
  throw new DbError(
    stored instanceof WrongDim ? 'DIMENSION_MISMATCH' : 'QUERY_INVALID',
    `${collection}.${field.name}: vector: ${expected} expected, got ${got}`,
    {
      details: { collection, field: field.name, option: 'vector', expected, got },
    },
  );
}
