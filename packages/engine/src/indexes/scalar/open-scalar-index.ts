import { DbError, type FieldDefinition } from '@terndb/core';
import { bitmapWords, isWithinRows } from '../../bitmap/bitmap.ts';
import { versionUnsupported } from '../../bytes/damage.ts';
import { asBigInt64, asFloat64, asUint32 } from '../../bytes/typed-views.ts';
import type { Column } from '../../columns/column.ts';
import type { Segment } from '../../segment/types.ts';
import { NO_ANSWERS, OpenScalarIndex } from './find-rows.ts';
import { CHECKSUM_AT, HEADER_BYTES, MAGIC, SECTION_NAMES, SECTIONS_AT, type SectionName, STRUCTURES, VALUES, VERSION } from './format.ts';
import { booleanOrder, int64Order, keywordOrder, numberOrder, type Order, stringOrder } from './order.ts';
import type { ScalarIndex } from './types.ts';
import { checksumOf } from './write-scalar-index.ts';

export interface ScalarIndexExpectation {
  /** Names the file in errors. */
  readonly what: string;
  readonly rows: number;
  /** The segment's column of the field. */
  readonly column: Column | undefined;
}

/** See `openScalarIndex`. */
export function openOfSegment(file: Uint8Array<ArrayBuffer>, segment: Segment, field: FieldDefinition): ScalarIndex {
  const what = `scalar index ${segment.id}.${field.name}`;
  return openScalarIndex(file, { what, rows: segment.rows, column: segment.column(field.name) });
}

/**
 * Opens a file without parsing it; the bytes are kept. Every row, start and length is checked, so that finding cannot go wrong.
 * @throws INDEX_CORRUPT, FORMAT_VERSION_UNSUPPORTED. Cost: a checksum and a look at every entry.
 */
export function openScalarIndex(file: Uint8Array<ArrayBuffer>, { what, rows, column }: ScalarIndexExpectation): ScalarIndex {
  const corrupt = (problem: string): DbError => new DbError('INDEX_CORRUPT', `${what}: ${problem}`, { details: { what, problem } });
  if (file.length < HEADER_BYTES) throw corrupt(`at least ${HEADER_BYTES} bytes expected, got ${file.length}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw corrupt('not a scalar index');
  if (view.getUint8(4) !== VERSION) throw versionUnsupported(what, view.getUint8(4), VERSION);
  if (view.getUint32(CHECKSUM_AT, true) !== checksumOf(file)) throw corrupt('the checksum does not match the bytes');
  const sections = Object.fromEntries(
    SECTION_NAMES.map((name, i) => {
      const offset = view.getUint32(SECTIONS_AT + i * 8, true);
      const bytes = view.getUint32(SECTIONS_AT + i * 8 + 4, true);
      if (offset % 64 !== 0 || offset + bytes > file.length) throw corrupt(`section ${name} is outside the file`);
      return [name, file.subarray(offset, offset + bytes)];
    }),
  ) as Record<SectionName, Uint8Array>;
  const structure = STRUCTURES[view.getUint8(5) - 1];
  const [kind, terms, entries] = [view.getUint8(6), view.getUint32(12, true), view.getUint32(16, true)];
  if (structure === undefined) throw corrupt(`an unknown structure ${view.getUint8(5)}`);
  if (view.getUint32(8, true) !== rows) throw corrupt(`${rows} rows expected, got ${view.getUint32(8, true)}`);
  const rowsBytes = structure === 'bitmap' ? terms * bitmapWords(rows) * 4 : entries * 4;
  if (sections.rows.length !== rowsBytes) throw corrupt(`${rowsBytes} bytes of rows expected, got ${sections.rows.length}`);
  const postings = asUint32(sections.rows);
  if (!(structure === 'bitmap' ? areBitmapsWithin(postings, terms, rows) : areRowsWithin(postings, rows)))
    throw corrupt(`a row that is not one of ${rows}`);
  const starts = readStarts(sections.starts, { isSorted: structure === 'sorted', terms, entries });
  if (starts === undefined) throw corrupt(`starts of ${terms} terms and ${entries} entries expected`);
  if (view.getUint8(7) > 1 || view.getUint32(20, true) !== 0) throw corrupt('reserved bytes are not zero');
  const values = { kind, terms, bytes: sections.values };
  const order = column === undefined ? undefined : structure === 'sorted' ? entryOrder(column, kind, postings) : termOrder(column, values);
  if (column === undefined || order === undefined) throw corrupt(`an index of a ${column?.kind ?? 'missing'} column expected`);
  if (view.getUint8(7) === 1) return { structure, find: NO_ANSWERS };
  return new OpenScalarIndex({ structure, rows, column, order, starts, postings });
}

function areRowsWithin(list: Uint32Array, rows: number): boolean {
  let most = 0;
  for (let at = 0; at < list.length; at++) if (list[at]! > most) most = list[at]!;
  return list.length === 0 || most < rows;
}

function areBitmapsWithin(bitmaps: Uint32Array, terms: number, rows: number): boolean {
  const words = bitmapWords(rows);
  for (let term = 0; term < terms; term++) if (!isWithinRows(bitmaps.subarray(term * words, (term + 1) * words), rows)) return false;
  return true;
}

interface Counts {
  readonly isSorted: boolean;
  readonly terms: number;
  readonly entries: number;
}

/** Undefined: not as they should be. */
function readStarts(bytes: Uint8Array, { isSorted, terms, entries }: Counts): Uint32Array | undefined {
  if (isSorted) return bytes.length === 0 && terms === 0 ? new Uint32Array(0) : undefined;
  if (bytes.length !== (terms + 1) * 4) return undefined;
  const starts = asUint32(bytes);
  for (let term = 0; term < terms; term++) if (starts[term]! > starts[term + 1]!) return undefined;
  return starts[0] === 0 && starts[terms] === entries ? starts : undefined;
}

/** Undefined: not of such a column. */
function entryOrder(column: Column, kind: number, places: Uint32Array): Order | undefined {
  if (kind !== VALUES.column) return undefined;
  switch (column.kind) {
    case 'number':
      return numberOrder(column.values, places);
    case 'int64':
      return int64Order(column, places);
    case 'boolean':
      return booleanOrder(column.values, places, false);
    case 'keyword':
      return keywordOrder(column, places);
    case 'string':
      return stringOrder(column, places);
    default:
      return undefined;
  }
}

interface TermValues {
  readonly kind: number;
  readonly terms: number;
  readonly bytes: Uint8Array;
}

function termOrder(column: Column, { kind, terms, bytes }: TermValues): Order | undefined {
  const values = column.kind === 'list' ? column.items : column;
  const has = (expected: number, count: number, width: number): boolean =>
    kind === expected && terms === count && bytes.length === count * width;
  switch (values.kind) {
    case 'number':
      return has(VALUES.float64, terms, 8) ? numberOrder(asFloat64(bytes), undefined) : undefined;
    case 'int64':
      return has(VALUES.int64, terms, 8) ? int64Order({ values: asBigInt64(bytes) }, undefined) : undefined;
    case 'boolean':
      return has(VALUES.booleans, 2, 0) ? booleanOrder(undefined, undefined, column.kind === 'list') : undefined;
    case 'keyword':
      return has(VALUES.column, values.dictionary.length, 0) ? keywordOrder(values, undefined) : undefined;
    default:
      return undefined;
  }
}
