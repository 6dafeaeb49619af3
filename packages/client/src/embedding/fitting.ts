import { DbError, type FieldDefinitionOf } from '@terndb/core';
import { DEFAULT_DIM, unavailable } from '@terndb/embed';
import { type Engine, embeddedFieldsOf } from '@terndb/engine';
import type { EmbedderConfig } from './protocol.ts';

/** An embedded vector field. */
export interface EmbeddedPlace {
  readonly collection: string;
  readonly field: string;
  readonly params: FieldDefinitionOf<'vector'>['params'];
}

/** What is known of an embedder, perhaps before it is loaded. */
export interface KnownEmbedder {
  readonly id?: string | undefined;
  readonly dim?: number | undefined;
}

export function knownOf(config: EmbedderConfig): KnownEmbedder {
  if (config.type === 'page') return config;
  return config.type === 'default' ? { dim: DEFAULT_DIM } : {};
}

export function embeddedPlaces(engine: Engine): EmbeddedPlace[] {
  return Object.entries(engine.schema.collections).flatMap(([collection, definition]) =>
    embeddedFieldsOf(definition).map(({ name, params }) => ({ collection, field: name, params })),
  );
}

/** Why an embedder cannot fill a field, as far as it is known: DIMENSION_MISMATCH, EMBEDDER_UNAVAILABLE (`model-missing`). */
export function misfitOf({ collection, field, params }: EmbeddedPlace, { id, dim }: KnownEmbedder): DbError | undefined {
  if (params.model !== null && id !== undefined && params.model !== id)
    return unavailable('model-missing', `${collection}.${field}: model ${params.model} expected, the embedder is ${id}`);
  if (params.dim === null || dim === undefined || params.dim === dim) return undefined;
  return new DbError('DIMENSION_MISMATCH', `${collection}.${field}: dim ${params.dim} expected, the embedder gives ${dim}`, {
    details: { collection, field, expected: params.dim, got: dim },
  });
}
