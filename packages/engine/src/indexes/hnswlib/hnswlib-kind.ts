import { DbError, type FieldDefinition } from '@terndb/core';
import type { Segment } from '../../segment/types.ts';
import type { BuildContext, IndexKind } from '../types.ts';
import { GRAPH_MIN_ROWS, wantsIndex } from '../vector-kinds.ts';
import { readHnswlib } from './read-hnswlib.ts';
import type { HnswlibGraph, HnswlibLibrary } from './types.ts';
import { unitVector } from './unit-vector.ts';

/** Linking one row takes hnswlib about 0.8 ms at 384 dimensions: so few rows between two pauses. */
const ROWS_PER_STEP = 4;
const SEED = 1;

/** What every kind of this type opens to, for looking it up. */
export const HNSWLIB_KIND: IndexKind<HnswlibGraph> = hnswlibKind(undefined);

/**
 * A graph of hnswlib, for fields with `index: { engine: 'hnswlib' }`. The file is what hnswlib-wasm saves; labels are offsets; rows without a vector
 * are left out. COSINE fields are kept as unit vectors in space 'ip'. Without the library (Node) no field wants one, and Tern's own graph is built.
 */
export function hnswlibKind(library: HnswlibLibrary | undefined, minRows: number = GRAPH_MIN_ROWS): IndexKind<HnswlibGraph> {
  return {
    type: 'hnswlib',
    wants: (segment, field) => library !== undefined && usesHnswlib(field) && wantsIndex(segment, field, minRows),
    build: (segment, field, context) => build(mustGet(library), segment, field, context),
    open: (bytes, segment, field) => open(mustGet(library), bytes, segment, field),
    close: (graph) => graph.free(),
  };
}

export function usesHnswlib(field: FieldDefinition): boolean {
  return field.type === 'vector' && field.params.index.engine === 'hnswlib' && field.params.index.type !== 'IVF';
}

async function build(library: HnswlibLibrary, segment: Segment, field: FieldDefinition, context: BuildContext): Promise<Uint8Array[]> {
  const { metric, index } = mustBeVector(field);
  const block = segment.vectors(field.name)!;
  const { dim, rows } = block;
  const column = segment.column(field.name);
  const validity = column !== undefined && column.kind !== 'values' ? column.validity : null;
  const { m, efConstruction } = index;
  const graph = library.create({ space: spaceOf(metric), dim, m, efConstruction, seed: SEED, capacity: rows });
  try {
    for (let row = 0; row < rows; row++) {
      const isPresent = validity === null || ((validity[row >> 5]! >>> (row & 31)) & 1) === 1;
      if (isPresent) graph.add(metric === 'COSINE' ? unitVector(block.row(row)) : block.row(row), row);
      if (row % ROWS_PER_STEP !== 0) continue;
      context.onProgress(row / rows);
      await context.pause();
    }
    return [graph.save()];
  } finally {
    graph.free();
  }
}

/** hnswlib trusts what it opens: what can be checked is checked before, the rest by the manifest's checksum. INDEX_CORRUPT. */
function open(library: HnswlibLibrary, bytes: Uint8Array, segment: Segment, field: FieldDefinition): HnswlibGraph {
  const { metric } = mustBeVector(field);
  const block = segment.vectors(field.name);
  const file = readHnswlib(bytes);
  if (block === undefined || file.layout !== 'wasm' || file.dim !== block.dim || file.count > block.rows) {
    const got = { layout: file.layout, dim: file.dim, rows: file.count };
    const expected = { layout: 'wasm', dim: block?.dim ?? 0, rows: block?.rows ?? 0 };
    throw new DbError(
      'INDEX_CORRUPT',
      `hnswlib graph of ${segment.id}.${field.name}: ${JSON.stringify(expected)} expected, got ${JSON.stringify(got)}`,
      { details: { segment: segment.id, field: field.name, expected, got } },
    );
  }
  return library.open(bytes, { space: spaceOf(metric), dim: file.dim });
}

function spaceOf(metric: 'COSINE' | 'IP' | 'L2'): 'l2' | 'ip' {
  return metric === 'L2' ? 'l2' : 'ip';
}

function mustBeVector(field: FieldDefinition): Extract<FieldDefinition, { type: 'vector' }>['params'] {
  if (field.type !== 'vector')
    throw new DbError('INTERNAL', `hnswlib graph: a vector field expected, got ${field.name} of type ${field.type}`);
  return field.params;
}

function mustGet(library: HnswlibLibrary | undefined): HnswlibLibrary {
  if (library === undefined) throw new DbError('INTERNAL', 'hnswlib graph: a host with hnswlib expected, got one without');
  return library;
}
