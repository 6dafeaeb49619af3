import { sha256 } from '@noble/hashes/sha2.js';
import {
  addHash,
  assert,
  comparePrimaryKeys,
  type FieldDefinition,
  type Hash64,
  keyFieldOf,
  type PrimaryKey,
  type Stamp,
  utf8Encode,
  ZERO_HASH,
} from '@terndb/core';
import { ChunkedBytes } from '../bytes/chunked-bytes.ts';
import { bytesOf } from '../bytes/typed-views.ts';
import { rowHash } from '../fold/row-hash.ts';
import { addToBloom, bloomWords } from './bloom.ts';
import { encodeCodes } from './codes.ts';
import { type EncodedField, encodeField } from './field-writer.ts';
import { writeFooter } from './footer.ts';
import { hasCollabFields, MAX_SEGMENT_ROWS, NO_FIELD, SECTION, type SegmentHeader, segmentFieldsOf, writeHead } from './format.ts';
import { type EncodedSection, SectionList } from './section-list.ts';
import { ROWS_PER_STEP, runAtOnce, type Steps } from './steps.ts';
import { encodeStrings } from './strings.ts';
import type { BuiltSegment, ColumnStats, SegmentInput, SegmentRows } from './types.ts';

/**
 * Builds a sealed segment (format.ts). Deterministic: equal rows give equal bytes and so an equal id. Memory: about the file, of which the parts
 * are the pieces; one column's intermediate arrays at a time. Cost: O(rows) per column, plus a sort of each scalar column for its statistics.
 */
export function buildSegment(input: SegmentInput): BuiltSegment {
  return runAtOnce(buildSegmentInSteps(input));
}

/** The same in steps, between which others may run: the rows must not change meanwhile. */
export function* buildSegmentInSteps(input: SegmentInput): Steps<BuiltSegment> {
  const { rows, definition } = input;
  assert(rows.count > 0 && rows.count <= MAX_SEGMENT_ROWS, () => `segment: 1 to ${MAX_SEGMENT_ROWS} rows expected, got ${rows.count}`);
  const key = keyFieldOf(definition);
  const keyType = key.params.keyType;
  const fields = segmentFieldsOf(definition);
  const list = new SectionList();
  for (const section of yield* encodeKeys(rows, keyType)) yield* list.add(NO_FIELD, section);
  const stamps = yield* encodeStamps(rows, fields);
  for (const section of stamps.sections) yield* list.add(NO_FIELD, section);
  if (hasCollabFields(fields)) yield* list.add(NO_FIELD, yield* encodePutSeqs(rows));
  const columns = yield* addColumns(list, fields, rows);
  const keyStats: ColumnStats = { min: rows.keyAt(0), max: rows.keyAt(rows.count - 1), nulls: 0, distinct: rows.count };
  const footer = writeFooter({ hash: stamps.hash, stats: [keyStats, ...columns.map((column) => column.stats)] });
  yield* list.add(NO_FIELD, { kind: SECTION.FOOTER, parts: [footer] });
  const header = headerOf(input, { keyType, keyField: key.name, fields, columns });
  const { head, fileBytes } = writeHead(header, list.entries);
  const stats = new Map([[key.name, keyStats], ...fields.map((field, index) => [field.name, columns[index]!.stats] as const)]);
  const { keyField: _keyField, fields: _fields, ...summary } = header;
  return { info: { ...summary, id: segmentId(head, footer), bytes: fileBytes, hash: stamps.hash, stats }, parts: [head, ...list.parts] };
}

/** 32 hex digits; what it covers: format.ts. */
export function segmentId(head: Uint8Array, footer: Uint8Array): string {
  const digest = sha256.create().update(head).update(footer).digest();
  let hex = '';
  for (const byte of digest.subarray(0, 16)) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** Every column before the first dense vectors, so that all but those can be read in one range. */
function* addColumns(list: SectionList, fields: readonly FieldDefinition[], rows: SegmentRows): Steps<EncodedField[]> {
  const columns: EncodedField[] = [];
  for (const [index, field] of fields.entries()) {
    const column = yield* encodeField(field, rows);
    for (const section of column.sections) yield* list.add(index, section);
    columns.push(column);
  }
  for (const [index, column] of columns.entries()) if (column.bulk !== undefined) yield* list.add(index, column.bulk);
  return columns;
}

interface HeaderParts {
  readonly keyType: 'int64' | 'varchar';
  readonly keyField: string;
  readonly fields: readonly FieldDefinition[];
  readonly columns: readonly EncodedField[];
}

function headerOf(input: SegmentInput, parts: HeaderParts): SegmentHeader {
  return {
    channel: input.channel,
    schemaHash: input.schemaHash,
    schemaVersion: input.schemaVersion,
    keyType: parts.keyType,
    keyField: parts.keyField,
    rows: input.rows.count,
    minPosition: input.minPosition,
    maxPosition: input.maxPosition,
    upTo: input.upTo,
    maxHlc: input.maxHlc,
    fields: parts.fields.map((field, index) => ({
      name: field.name,
      type: field.type,
      detail: parts.columns[index]!.detail,
      ...(field.type === 'vector' && field.params.elements !== undefined ? { elements: field.params.elements } : {}),
    })),
  };
}

function* encodeKeys(rows: SegmentRows, keyType: 'int64' | 'varchar'): Steps<EncodedSection[]> {
  const bloom = new Uint32Array(bloomWords(rows.count));
  const sections = yield* keyType === 'int64' ? encodeInt64Keys(rows, bloom) : encodeTextKeys(rows, bloom);
  return [...sections, { kind: SECTION.KEY_BLOOM, parts: [bytesOf(bloom)] }];
}

function* encodeInt64Keys(rows: SegmentRows, bloom: Uint32Array): Steps<EncodedSection[]> {
  const values = new BigInt64Array(rows.count);
  const bytes = bytesOf(values);
  yield* forEachKey(rows, (key, index) => {
    values[index] = BigInt(key);
    addToBloom(bloom, bytes.subarray(index * 8, index * 8 + 8));
  });
  return [{ kind: SECTION.KEY_VALUES, parts: [bytes] }];
}

function* encodeTextKeys(rows: SegmentRows, bloom: Uint32Array): Steps<EncodedSection[]> {
  const bytes = new ChunkedBytes();
  const offsets = new Uint32Array(rows.count + 1);
  yield* forEachKey(rows, (key, index) => {
    const encoded = utf8Encode(key as string);
    addToBloom(bloom, encoded);
    bytes.appendBytes(encoded);
    offsets[index + 1] = bytes.length;
  });
  return [
    { kind: SECTION.KEY_OFFSETS, parts: [bytesOf(offsets)] },
    { kind: SECTION.KEY_VALUES, parts: bytes.finish() },
  ];
}

function* forEachKey(rows: SegmentRows, visit: (key: PrimaryKey, index: number) => void): Steps<void> {
  let previous: PrimaryKey | undefined;
  for (let index = 0; index < rows.count; index++) {
    if (index % ROWS_PER_STEP === 0) yield;
    const key = rows.keyAt(index);
    assert(
      previous === undefined || comparePrimaryKeys(previous, key) < 0,
      () => `segment: keys are not ascending at row ${index}: ${previous}, ${key}`,
    );
    visit(key, index);
    previous = key;
  }
}

/** Indexes of client ids by first appearance; `rank` gives their places once sorted. */
class ClientTable {
  readonly #indexes = new Map<string, number>();

  indexOf(clientId: string): number {
    const known = this.#indexes.get(clientId);
    if (known !== undefined) return known;
    this.#indexes.set(clientId, this.#indexes.size);
    return this.#indexes.size - 1;
  }

  sorted(): { readonly ids: string[]; readonly rank: Uint32Array } {
    const ids = [...this.#indexes.keys()].sort();
    const rank = new Uint32Array(ids.length);
    ids.forEach((id, index) => {
      rank[this.#indexes.get(id)!] = index;
    });
    return { ids, rank };
  }
}

interface FlatException {
  readonly field: number;
  readonly hlc: number;
  readonly client: number;
}

function* encodeStamps(
  rows: SegmentRows,
  fields: readonly FieldDefinition[],
): Steps<{ readonly sections: EncodedSection[]; readonly hash: Hash64 }> {
  const clients = new ClientTable();
  const timestamps = new Float64Array(rows.count);
  const putClients = new Uint32Array(rows.count);
  const exceptionOffsets = new Uint32Array(rows.count + 1);
  const exceptions: FlatException[] = [];
  const fieldIndexes = new Map(fields.map((field, index) => [field.name, index]));
  let hash = ZERO_HASH;
  for (let index = 0; index < rows.count; index++) {
    if (index % ROWS_PER_STEP === 0) yield;
    const put = rows.putAt(index);
    timestamps[index] = put.hlc;
    putClients[index] = clients.indexOf(put.clientId);
    const stamps = sortedExceptions(rows, index, fieldIndexes);
    for (const { index: field, stamp } of stamps) exceptions.push({ field, hlc: stamp.hlc, client: clients.indexOf(stamp.clientId) });
    exceptionOffsets[index + 1] = exceptions.length;
    const byField = stamps.length === 0 ? null : new Map(stamps.map(({ field, stamp }) => [field, stamp]));
    hash = addHash(hash, rowHash(rows.keyAt(index), { live: true, put, exceptions: byField }));
  }
  const { ids, rank } = clients.sorted();
  const sections: EncodedSection[] = [
    ...(yield* encodeStrings(ids, { offsets: SECTION.CLIENT_OFFSETS, values: SECTION.CLIENT_VALUES })),
    { kind: SECTION.PUT_TIMESTAMPS, parts: [bytesOf(timestamps)] },
    {
      kind: SECTION.PUT_CLIENTS,
      parts: [
        encodeCodes(
          putClients.map((client) => rank[client]!),
          ids.length,
        ),
      ],
    },
    ...(exceptions.length === 0 ? [] : encodeExceptions(exceptionOffsets, exceptions, rank)),
  ];
  return { sections, hash };
}

function* encodePutSeqs(rows: SegmentRows): Steps<EncodedSection> {
  const seqs = new Float64Array(rows.count);
  for (let index = 0; index < rows.count; index++) {
    if (index % ROWS_PER_STEP === 0) yield;
    seqs[index] = rows.putSeqAt?.(index) ?? 0;
  }
  return { kind: SECTION.PUT_SEQS, parts: [bytesOf(seqs)] };
}

/** By field index, which is by name as the canonical schema is. */
function sortedExceptions(
  rows: SegmentRows,
  index: number,
  fieldIndexes: ReadonlyMap<string, number>,
): { field: string; stamp: Stamp; index: number }[] {
  const exceptions = rows.exceptionsAt(index);
  if (exceptions.length === 0) return [];
  const indexed = exceptions.map(({ field, stamp }) => {
    const fieldIndex = fieldIndexes.get(field);
    assert(fieldIndex !== undefined, () => `segment: row ${index} has a stamp of field ${field}, which the schema does not have`);
    return { field, stamp, index: fieldIndex };
  });
  return indexed.sort((a, b) => a.index - b.index);
}

function encodeExceptions(offsets: Uint32Array, exceptions: readonly FlatException[], rank: Uint32Array): EncodedSection[] {
  return [
    { kind: SECTION.EXCEPTION_OFFSETS, parts: [bytesOf(offsets)] },
    { kind: SECTION.EXCEPTION_FIELDS, parts: [bytesOf(Uint16Array.from(exceptions, (exception) => exception.field))] },
    { kind: SECTION.EXCEPTION_TIMESTAMPS, parts: [bytesOf(Float64Array.from(exceptions, (exception) => exception.hlc))] },
    { kind: SECTION.EXCEPTION_CLIENTS, parts: [bytesOf(Uint32Array.from(exceptions, (exception) => rank[exception.client]!))] },
  ];
}
