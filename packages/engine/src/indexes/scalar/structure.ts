import type { FieldDefinition, ScalarIndexType } from '@terndb/core';
import type { Column } from '../../columns/column.ts';
import type { ColumnStats } from '../../segment/types.ts';
import type { ScalarStructure } from './types.ts';

/** A bitmap of a term takes a bit per row, a sorted or inverted index 32 bits per entry: up to so many terms bitmaps are smaller, and faster. */
const FEW_TERMS = 32;

/** A field that asks for bitmaps has them up to so many terms: 128 bytes per row. */
const MAX_BITMAP_TERMS = 1_024;

/** What the field asks for; undefined: what its values make best. */
export function chosenIndex({ params }: FieldDefinition): Exclude<ScalarIndexType, 'auto'> | undefined {
  return 'index' in params && typeof params.index === 'string' ? params.index : undefined;
}

/** As the field asks; else, and for bitmaps of too many values, by the kind of the column and the number of its distinct values. */
export function structureFor(field: FieldDefinition, column: Column, stats: ColumnStats | undefined): ScalarStructure {
  const chosen = chosenIndex(field);
  const distinct = stats?.distinct ?? Infinity;
  if (chosen === 'sorted' || chosen === 'inverted' || (chosen === 'bitmap' && distinct <= MAX_BITMAP_TERMS)) return chosen;
  // Texts have no dictionary, and are not worth one: their rows in order serve ranges, prefixes and equality.
  if (column.kind === 'string') return 'sorted';
  if (distinct <= FEW_TERMS) return 'bitmap';
  return column.kind === 'list' || column.kind === 'keyword' ? 'inverted' : 'sorted';
}
