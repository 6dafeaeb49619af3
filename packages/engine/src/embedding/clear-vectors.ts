import { DbError } from '@terndb/core';
import type { BlockState } from '../replica/block-state.ts';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import { type EmbeddedField, sourceHashOf, sourceTextOf } from './source-text.ts';
import type { DerivedVector } from './types.ts';

interface Shown extends Pick<ReplicaReader, 'entities'> {
  readonly collection: { readonly name: string };
  readonly partition: string;
}

/** DIMENSION_MISMATCH when the vectors of another dimension are not this device's to take away: given by the application, or led by a server. */
export function checkClearable({ collection, partition, entities }: Shown, isOwn: boolean, field: EmbeddedField, dim: number): void {
  if (isOwn && !hasGivenVectors(entities.blocks, field, dim)) return;
  const expected = entities.dimOf(field.name) ?? null;
  const whose = isOwn ? 'the application gave' : 'its server leads';
  throw new DbError(
    'DIMENSION_MISMATCH',
    `${collection.name}.${field.name}: partition ${partition} has vectors of dim ${expected}, which ${whose}; got ${dim}`,
    {
      details: { collection: collection.name, field: field.name, partition, expected, got: dim },
    },
  );
}

/** What takes away derived vectors of another dimension than `dim`, of at most `maxRows` rows. */
export function clearedVectors(blocks: readonly BlockState[], field: EmbeddedField, dim: number, maxRows: number): DerivedVector[] {
  const cleared: DerivedVector[] = [];
  for (const { source, offset } of rowsOfOtherDim(blocks, field, dim)) {
    if (cleared.length === maxRows) break;
    const text = sourceTextOf(field, (name) => source.valueAt(name, offset));
    cleared.push({ key: source.keyAt(offset), sourceHash: sourceHashOf(text), vector: null });
  }
  return cleared;
}

function hasGivenVectors(blocks: readonly BlockState[], field: EmbeddedField, dim: number): boolean {
  for (const { source, offset } of rowsOfOtherDim(blocks, field, dim)) {
    if ((source.origins(field.name)?.originAt(offset) ?? null) === null) return true;
  }
  return false;
}

function* rowsOfOtherDim(
  blocks: readonly BlockState[],
  field: EmbeddedField,
  dim: number,
): Generator<{ readonly source: BlockState['source']; readonly offset: number }> {
  for (const { source, live } of blocks) {
    const vectors = source.vectors(field.name);
    if (vectors === undefined || vectors.dim === dim) continue;
    for (let offset = 0; offset < source.rows; offset++) {
      if (live.has(offset) && source.valueAt(field.name, offset) !== null) yield { source, offset };
    }
  }
}
