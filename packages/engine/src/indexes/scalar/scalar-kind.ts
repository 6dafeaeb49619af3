import type { FieldDefinition } from '@terndb/core';
import type { Segment } from '../../segment/types.ts';
import { loadScalar, mustGetScalar } from '../load-scalar.ts';
import type { BuildContext, IndexKind } from '../types.ts';
import { chosenIndex, structureFor } from './structure.ts';
import type { ScalarIndex } from './types.ts';

/**
 * From so many rows on every field whose values are in order has an index. Looking at a column of as many numbers takes 45 to 200 µs
 * (docs/benchmarks/filter.md): below, a search has nothing to win.
 */
const SCALAR_MIN_ROWS = 32_768;
/**
 * From so many rows on a field that asks for an index has it. Measured there (a hundredth of the rows found, one core): a look takes 5 to 11 µs at numbers
 * and keywords, 75 to 90 µs at texts and lists, an index 1.1 to 1.4 µs. Below, a file and its open costs more than it saves.
 */
export const CHOSEN_MIN_ROWS = 4_096;
/** Longer texts are read, not compared: nobody asks for them by their value. Bytes, on average. */
const MAX_MEAN_TEXT_BYTES = 64;

/** Scalar indexes (`docs/formats/scalar-index.md`). */
export const SCALAR_INDEX: IndexKind<ScalarIndex> = scalarKind(SCALAR_MIN_ROWS);

/** `minRows`: for tests, which want indexes over few rows. */
export function scalarKind(minRows: number): IndexKind<ScalarIndex> {
  return {
    type: 'scalar',
    wants: (segment, field) => wants(segment, field, minRows),
    isRefused: (field) => chosenIndex(field) === 'none',
    suits,
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
  const chosen = chosenIndex(field);
  if (chosen === 'none' || segment.rows < (chosen === undefined ? minRows : Math.min(minRows, CHOSEN_MIN_ROWS))) return false;
  if (field.type === 'text') {
    const column = segment.column(field.name);
    if (column?.kind !== 'string') return false;
    // What is searched by its words has an index of those.
    return chosen !== undefined || (!field.params.search && column.bytes.length <= segment.rows * MAX_MEAN_TEXT_BYTES);
  }
  // Counted of scalars, and of the items of lists, only. Of one value statistics say enough.
  return field.type !== 'primaryKey' && (segment.stats(field.name)?.distinct ?? 0) > 1;
}

function suits({ structure }: ScalarIndex, segment: Segment, field: FieldDefinition): boolean {
  const column = segment.column(field.name);
  return column === undefined || structure === structureFor(field, column, segment.stats(field.name));
}
