import { DbError } from '../errors/db-error.ts';
import type { AnyVectorField } from '../schema/lookup.ts';
import { toStored, WrongDim } from './convert.ts';
import type { SparseValue } from './value.ts';
import { Misfit } from './vectors.ts';

/**
 * The vector of a search, by the rules that hold for storing one; a copy. Where the schema leaves the dim to the model any length passes.
 * @throws DIMENSION_MISMATCH, QUERY_INVALID
 */
export function normalizeQueryVector(field: AnyVectorField, collection: string, value: unknown): Float32Array | SparseValue | Uint8Array {
  const stored = toStored(field, value);
  if (!(stored instanceof Misfit)) return stored as Float32Array | SparseValue | Uint8Array;
  const { expected, got } = stored;
  throw new DbError(
    stored instanceof WrongDim ? 'DIMENSION_MISMATCH' : 'QUERY_INVALID',
    `${collection}.${field.name}: vector: ${expected} expected, got ${got}`,
    {
      details: { collection, field: field.name, option: 'vector', expected, got },
    },
  );
}
