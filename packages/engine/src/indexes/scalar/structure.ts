import type { FieldDefinition } from '@terndb/core';
import type { Column } from '../../columns/column.ts';
import type { ColumnStats } from '../../segment/types.ts';
import { askedStructure } from './asked.ts';
import type { ScalarStructure } from './types.ts';

/** A bitmap of a term takes a bit per row, a sorted or inverted index 32 bits per entry: up to so many terms bitmaps are smaller, and faster. */
const FEW_TERMS = 32;
/** Where a field asks for them, up to so many: eight times the bytes. */
const MOST_BITMAPS = 256;

/** By the number of distinct values; a field may name another, where its values allow that. */
export function chooseStructure(field: FieldDefinition, column: Column, stats: ColumnStats | undefined): ScalarStructure {
  const asked = askedStructure(field);
  // Texts have no dictionary, and are not worth one: their rows in order serve ranges, prefixes and equality.
  if (column.kind === 'string') return 'sorted';
  const terms = column.kind === 'keyword' ? column.dictionary.length : column.kind === 'boolean' ? 2 : (stats?.distinct ?? Infinity);
  if (asked === 'bitmap' && terms <= MOST_BITMAPS) return asked;
  if (asked === 'inverted' || (asked === 'sorted' && column.kind !== 'list')) return asked;
  if (terms <= FEW_TERMS) return 'bitmap';
  return column.kind === 'list' || column.kind === 'keyword' ? 'inverted' : 'sorted';
}
