import { assert, crc32c, type FieldDefinition } from '@terndb/core';
import { bitmapWords, testBit } from '../../bitmap/bitmap.ts';
import { alignUp, bytesOf } from '../../bytes/typed-views.ts';
import type { Column } from '../../columns/column.ts';
import type { Steps } from '../../segment/steps.ts';
import type { Segment } from '../../segment/types.ts';
import type { BuildContext } from '../types.ts';
import { CHECKSUM_AT, HEADER_BYTES, MAGIC, SECTIONS_AT, STRUCTURES, VALUES, VERSION } from './format.ts';
import { type Sortable, sortItems } from './sort-items.ts';
import { structureFor } from './structure.ts';
import type { ScalarStructure } from './types.ts';

/** Rows between two yields. */
const ROWS_PER_STEP = 32_768;

/** The file, in one part. Deterministic: equal columns give equal bytes. Memory while it runs: some 20 bytes per entry. */
export async function writeScalarIndex(
  segment: Segment,
  field: FieldDefinition,
  { pause, onProgress }: Pick<BuildContext, 'pause' | 'onProgress'>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const column = segment.column(field.name);
  assert(column !== undefined, () => `scalar index: field ${field.name} has no column`);
  const structure = structureFor(field, column, segment.stats(field.name));
  const steps = encodeScalarIndex({ column, rows: segment.rows, structure });
  for (;;) {
    const step = steps.next();
    await pause();
    if (step.done !== true) continue;
    onProgress(1);
    return [step.value];
  }
}

export interface ScalarIndexInput {
  readonly column: Column;
  readonly rows: number;
  readonly structure: ScalarStructure;
}

export function* encodeScalarIndex({ column, rows, structure }: ScalarIndexInput): Steps<Uint8Array<ArrayBuffer>> {
  const { values, items, rowOf } = yield* entriesOf(column, rows);
  const sorted = yield* sortItems(values, items);
  const isNumber = values.kind === 'number';
  const head = { structure, rows, hasNaN: isNumber && sorted.some((item) => Number.isNaN(values.values[item])) };
  if (structure === 'sorted') {
    assert(rowOf === undefined, 'scalar index: lists are not in order by their rows');
    const none = new Uint8Array(0);
    return fileOf({ ...head, kind: VALUES.column, terms: 0, entries: sorted.length, sections: [none, none, bytesOf(sorted)] });
  }
  const grouped = yield* groupItems(values, sorted, rowOf);
  const starts = grouped.starts;
  const postings = structure === 'inverted' ? grouped.rows : yield* bitmapsOf(grouped, rows);
  return fileOf({
    ...head,
    kind: grouped.kind,
    terms: starts.length - 1,
    entries: grouped.rows.length,
    sections: [bytesOf(grouped.values), bytesOf(starts), bytesOf(postings)],
  });
}

interface Entries {
  readonly values: Sortable;
  /** Of rows that have a value, ascending. */
  readonly items: Uint32Array<ArrayBuffer>;
  /** Of lists: the row of each item. Left out: items are rows. */
  readonly rowOf: Uint32Array | undefined;
}

function* entriesOf(column: Column, rows: number): Steps<Entries> {
  assert(isIndexable(column), () => `scalar index: a column of scalars, strings or lists expected, got ${column.kind}`);
  const { validity } = column;
  const offsets = column.kind === 'list' ? column.offsets : undefined;
  const most = offsets === undefined ? rows : offsets[rows]!;
  const items = new Uint32Array(most);
  const rowOf = offsets === undefined ? undefined : new Uint32Array(most);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if (row % ROWS_PER_STEP === 0) yield;
    if (validity !== null && !testBit(validity, row)) continue;
    if (offsets === undefined || rowOf === undefined) items[count++] = row;
    else
      for (let item = offsets[row]!; item < offsets[row + 1]!; item++) {
        rowOf[item] = row;
        items[count++] = item;
      }
  }
  return { values: column.kind === 'list' ? column.items : column, items: items.slice(0, count), rowOf };
}

function isIndexable(column: Column): column is Extract<Column, { kind: Sortable['kind'] | 'list' }> & { kind: string } {
  return ['number', 'int64', 'boolean', 'keyword', 'string', 'list'].includes(column.kind);
}

interface Grouped {
  readonly kind: number;
  readonly values: Float64Array | BigInt64Array | Uint8Array;
  readonly starts: Uint32Array;
  /** Of one term after the other. */
  readonly rows: Uint32Array;
}

/** A row that has a value twice is named once: equal values are in the order of their rows. */
function* groupItems(values: Sortable, sorted: Uint32Array, rowOf: Uint32Array | undefined): Steps<Grouped> {
  assert(values.kind !== 'string', 'scalar index: texts are sorted');
  const starts: number[] = [];
  const terms: number[] = [];
  const rows = new Uint32Array(sorted.length);
  let count = 0;
  let term = -1;
  let last = -1;
  const isByCode = values.kind === 'keyword' || values.kind === 'boolean';
  const fixed = values.kind === 'keyword' ? values.dictionary.length : 2;
  for (let at = 0; at < sorted.length; at++) {
    if (at % ROWS_PER_STEP === 0) yield;
    const item = sorted[at]!;
    const row = rowOf === undefined ? item : rowOf[item]!;
    const before = at === 0 ? -1 : sorted[at - 1]!;
    const isNew = at === 0 || (isByCode ? codeOf(values, item) !== term : !isSame(values, before, item));
    if (isNew) {
      const next = isByCode ? codeOf(values, item) : term + 1;
      for (; term < next; term++) starts.push(count);
      terms.push(item);
      last = -1;
    }
    if (row !== last) rows[count++] = row;
    last = row;
  }
  if (isByCode) for (; term < fixed - 1; term++) starts.push(count);
  starts.push(count);
  const told = { starts: Uint32Array.from(starts), rows: rows.slice(0, count) };
  switch (values.kind) {
    case 'number':
      return { ...told, kind: VALUES.float64, values: Float64Array.from(terms, (item) => values.values[item]! + 0) };
    case 'int64':
      return { ...told, kind: VALUES.int64, values: BigInt64Array.from(terms, (item) => values.values[item]!) };
    case 'boolean':
      return { ...told, kind: VALUES.booleans, values: new Uint8Array(0) };
    default:
      return { ...told, kind: VALUES.column, values: new Uint8Array(0) };
  }
}

function codeOf(values: Sortable, item: number): number {
  return values.kind === 'keyword' ? values.codes[item]! : (values as { values: Uint8Array }).values[item] === 0 ? 0 : 1;
}

function isSame(values: Sortable, a: number, b: number): boolean {
  if (values.kind === 'number') return values.values[a] === values.values[b];
  return values.kind === 'int64' && values.values[a] === values.values[b];
}

function* bitmapsOf({ starts, rows: entries }: Grouped, rows: number): Steps<Uint32Array> {
  const words = bitmapWords(rows);
  const bitmaps = new Uint32Array((starts.length - 1) * words);
  for (let term = 0; term < starts.length - 1; term++) {
    yield;
    for (let at = starts[term]!; at < starts[term + 1]!; at++) bitmaps[term * words + (entries[at]! >>> 5)]! |= 1 << (entries[at]! & 31);
  }
  return bitmaps;
}

interface File {
  readonly structure: ScalarStructure;
  readonly kind: number;
  readonly hasNaN: boolean;
  readonly rows: number;
  readonly terms: number;
  readonly entries: number;
  /** In the order of SECTION_NAMES. */
  readonly sections: readonly Uint8Array[];
}

function fileOf({ structure, kind, hasNaN, rows, terms, entries, sections }: File): Uint8Array<ArrayBuffer> {
  let end = HEADER_BYTES;
  const offsets = sections.map((section) => {
    const at = end;
    end = alignUp(at + section.length);
    return at;
  });
  assert(end < 2 ** 32, () => `scalar index: less than 4 GiB expected, got ${end}`);
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, STRUCTURES.indexOf(structure) + 1);
  view.setUint8(6, kind);
  view.setUint8(7, hasNaN ? 1 : 0);
  view.setUint32(8, rows, true);
  view.setUint32(12, terms, true);
  view.setUint32(16, entries, true);
  sections.forEach((section, i) => {
    view.setUint32(SECTIONS_AT + i * 8, offsets[i]!, true);
    view.setUint32(SECTIONS_AT + i * 8 + 4, section.length, true);
    file.set(section, offsets[i]);
  });
  view.setUint32(CHECKSUM_AT, checksumOf(file), true);
  return file;
}

/** Of all bytes but the checksum's own. */
export function checksumOf(file: Uint8Array): number {
  return crc32c(file.subarray(CHECKSUM_AT + 4), crc32c(file.subarray(0, CHECKSUM_AT)));
}
