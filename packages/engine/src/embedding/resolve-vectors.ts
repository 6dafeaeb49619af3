import { type CollectionDefinition, DbError, fieldOf, normalizeKey, type SingleOp } from '@terndb/core';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import { type EmbeddedField, equalHashes, isEmbeddedField, sourceHashOf, sourceTextOf } from './source-text.ts';
import type { DerivedVector } from './types.ts';

export interface VectorsRequest {
  readonly type: 'vectors';
  readonly collection: string;
  readonly partition: string;
  readonly field: string;
  readonly model: string;
  readonly vectors: readonly DerivedVector[];
}

/**
 * Derived vectors as ops. A row that is gone, or whose text is another by now, is left out: it waits again, or not at all.
 * @throws FIELD_INVALID when the field is not embedded, DIMENSION_MISMATCH, KEY_INVALID.
 */
export function vectorOps(
  definition: CollectionDefinition,
  request: VectorsRequest,
  replica: ReplicaReader | undefined,
): readonly SingleOp[] {
  const field = mustGetEmbeddedField(definition, request.collection, request.field);
  if (replica === undefined) return [];
  const dim = field.params.dim ?? replica.entities.dimOf(field.name);
  return request.vectors.flatMap((derived): SingleOp[] => {
    const { vector, sourceHash } = derived;
    const pk = normalizeKey(definition, request.collection, derived.key);
    const place = replica.entities.find(pk);
    if (place === undefined) return [];
    const text = sourceTextOf(field, (name) => place.block.source.valueAt(name, place.offset));
    if (!equalHashes(sourceHash, sourceHashOf(text))) return [];
    if (vector === null) return [{ type: 'patch', pk, fields: { [field.name]: null } }];
    if (dim !== undefined && vector.length !== dim) throw wrongDim(request, dim, vector.length);
    return [{ type: 'vector', pk, field: field.name, model: request.model, sourceHash, vector }];
  });
}

/** A put that leaves an embedded vector out keeps the derived one that is there: stale if the text changed, but serving until the next arrives. */
export function keptVectors(
  definition: CollectionDefinition,
  put: Extract<SingleOp, { type: 'put' }>,
  replica: ReplicaReader | undefined,
): SingleOp[] {
  const fields = definition.fields.filter((field) => isEmbeddedField(field) && put.fields[field.name] === null);
  const place = fields.length === 0 ? undefined : replica?.entities.find(put.pk);
  if (place === undefined) return [];
  return fields.flatMap(({ name }): SingleOp[] => {
    const origin = place.block.source.origins(name)?.originAt(place.offset) ?? null;
    const vector = origin === null ? null : place.block.source.valueAt(name, place.offset);
    if (origin === null || !(vector instanceof Float32Array)) return [];
    return [{ type: 'vector', pk: put.pk, field: name, ...origin, vector }];
  });
}

export function mustGetEmbeddedField(definition: CollectionDefinition, collection: string, name: string): EmbeddedField {
  const field = fieldOf(definition, name);
  if (field !== undefined && isEmbeddedField(field)) return field;
  throw new DbError('FIELD_INVALID', `${collection}.${name}: a vector field with embed expected, got ${field?.type ?? 'no such field'}`, {
    details: { collection, field: name },
  });
}

function wrongDim({ collection, field, model }: VectorsRequest, expected: number, got: number): DbError {
  return new DbError('DIMENSION_MISMATCH', `${collection}.${field}: dim ${expected} expected, got ${got} from model ${model}`, {
    details: { collection, field, model, expected, got },
  });
}
