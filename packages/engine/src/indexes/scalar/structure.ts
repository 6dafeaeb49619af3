import type { Column } from '../../columns/column.ts';
import type { ColumnStats } from '../../segment/types.ts';
import type { ScalarStructure } from './types.ts';

/** A bitmap of a term takes a bit per row, a sorted or inverted index 32 bits per entry: up to so many terms bitmaps are smaller, and faster. */
const FEW_TERMS = 32;

/** By the kind of the column and the number of its distinct values. */
export function chooseStructure(column: Column, stats: ColumnStats | undefined): ScalarStructure {
  // Texts have no dictionary, and are not worth one: their rows in order serve ranges, prefixes and equality.
  if (column.kind === 'string') return 'sorted';
  if ((stats?.distinct ?? Infinity) <= FEW_TERMS) return 'bitmap';
  return column.kind === 'list' || column.kind === 'keyword' ? 'inverted' : 'sorted';
}
