import type { FieldDefinition } from '@terndb/core';
import type { Segment } from '../../segment/types.ts';
import { loadScalar, mustGetScalar } from '../load-scalar.ts';
import type { BuildContext, IndexKind } from '../types.ts';
import type { ScalarIndex } from './types.ts';

/**
 * From so many rows on every field whose values are in order has an index. Looking at a column of as many numbers takes 45 to 200 µs
 * (docs/benchmarks/filter.md): below, a search has nothing to win.
 */
const SCALAR_MIN_ROWS = 32_768;
/** Longer texts are read, not compared: nobody asks for them by their value. Bytes, on average. */
const MAX_MEAN_TEXT_BYTES = 64;

/** Scalar indexes (`docs/formats/scalar-index.md`). */
export const SCALAR_INDEX: IndexKind<ScalarIndex> = scalarKind(SCALAR_MIN_ROWS);

/** `minRows`: for tests, which want indexes over few rows. */
export function scalarKind(minRows: number): IndexKind<ScalarIndex> {
  return {
    type: 'scalar',
    wants: (segment, field) => wants(segment, field, minRows),
    build,
    prepare: loadScalar,
    open: (bytes, segment, field) => mustGetScalar().openOfSegment(bytes, segment, field),
    close: () => undefined,
  };
}

/** One of its own, so that another thread knows the kind by it. */
async function build(segment: Segment, field: FieldDefinition, context: BuildContext): Promise<readonly Uint8Array[]> {
  return (await loadScalar()).writeScalarIndex(segment, field, context);
}

function wants(segment: Segment, field: FieldDefinition, minRows: number): boolean {
  if (segment.rows < minRows) return false;
  if (field.type === 'text') {
    const column = segment.column(field.name);
    // What is searched by its words has an index of those.
    return column?.kind === 'string' && !field.params.search && column.bytes.length <= segment.rows * MAX_MEAN_TEXT_BYTES;
  }
  // Counted of scalars, and of the items of lists, only. Of one value statistics say enough.
  return field.type !== 'primaryKey' && (segment.stats(field.name)?.distinct ?? 0) > 1;
}
