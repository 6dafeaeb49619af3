import {
  assert,
  ELEMENT_BYTES,
  elementsOf,
  type FieldDefinition,
  type Kind,
  type SparseValue,
  type StoredValue,
  type StoredVector,
} from '@terndb/core';
import { clearBit, createFullBitmap } from '../bitmap/bitmap.ts';
import { ChunkedBytes } from '../bytes/chunked-bytes.ts';
import { bytesOf } from '../bytes/typed-views.ts';
import { encodeCollab } from './collab-sections.ts';
import { detailOf, SECTION } from './format.ts';
import { encodeOrigins } from './origin-sections.ts';
import { createScalarSink } from './scalar-sinks.ts';
import type { EncodedSection } from './section-list.ts';
import { ROWS_PER_STEP, type Steps } from './steps.ts';
import type { ColumnStats, SegmentRows } from './types.ts';

/** One field's column as sections. */
export interface EncodedField {
  readonly detail: number;
  readonly sections: readonly EncodedSection[];
  /** The dense vectors, which lie apart; undefined when there are none. */
  readonly bulk: EncodedSection | undefined;
  readonly stats: ColumnStats;
}

/** Vectors are handed over in parts of this size: bounded memory for whoever copies them one by one. */
const VECTOR_PART_BYTES = 4 << 20;

/** Reads the field's values once or twice in order and encodes them. Memory: the encoded column. */
export function* encodeField(field: FieldDefinition, rows: SegmentRows): Steps<EncodedField> {
  const column = new FieldValues(field.name, rows);
  switch (field.type) {
    case 'collabText':
      return withMore({ ...(yield* encodeBytes(column)), detail: 0, bulk: undefined }, yield* encodeCollab(field.name, rows));
    case 'text':
    case 'json':
    case 'collab':
    case 'binaryVector':
      return { ...(yield* encodeBytes(column)), detail: detailOf(field) ?? 0, bulk: undefined };
    case 'array':
      return { ...(yield* encodeList(column, field.params.of.type)), detail: detailOf(field) ?? 0, bulk: undefined };
    case 'sparseVector':
      return { ...(yield* encodeSparse(column)), detail: 0, bulk: undefined };
    case 'vector':
      return withMore(
        yield* encodeVectors(column, { dim: detailOf(field), elementBytes: ELEMENT_BYTES[elementsOf(field)] }),
        yield* encodeOrigins(field.name, rows),
      );
    default:
      return { ...(yield* encodeScalars(column, field.type)), detail: 0, bulk: undefined };
  }
}

/** The field's values, and, after the first pass over them, which rows have one. */
class FieldValues {
  readonly name: string;
  readonly count: number;
  readonly #rows: SegmentRows;
  #validity: Uint32Array | undefined;
  nulls = 0;

  constructor(name: string, rows: SegmentRows) {
    this.name = name;
    this.count = rows.count;
    this.#rows = rows;
  }

  /** Calls with each row that has a value, in order; `onNull` with the others. */
  *each(visit: (value: NonNullable<StoredValue>, index: number) => void, onNull?: (index: number) => void): Steps<void> {
    this.nulls = 0;
    for (let index = 0; index < this.count; index++) {
      if (index % ROWS_PER_STEP === 0) yield;
      const value = this.#rows.valueAt(this.name, index);
      if (value !== null) visit(value, index);
      else {
        this.nulls += 1;
        this.#validity ??= createFullBitmap(this.count);
        clearBit(this.#validity, index);
        onNull?.(index);
      }
    }
  }

  /** The validity section, if a row has no value. */
  validity(): EncodedSection[] {
    return this.#validity === undefined ? [] : [{ kind: SECTION.VALIDITY, parts: [bytesOf(this.#validity)] }];
  }

  stats(stats: Omit<ColumnStats, 'nulls'> = { min: null, max: null, distinct: null }): ColumnStats {
    return { ...stats, nulls: this.nulls };
  }
}

type Encoded = Pick<EncodedField, 'sections' | 'stats'>;

function* encodeScalars(column: FieldValues, type: Kind): Steps<Encoded> {
  const sink = createScalarSink(type, column.count);
  yield* column.each((value, index) => sink.set(index, value));
  const { sections, stats } = yield* sink.finish();
  return { sections: [...column.validity(), ...sections], stats: column.stats(stats) };
}

function* encodeBytes(column: FieldValues): Steps<Encoded> {
  const bytes = new ChunkedBytes();
  const offsets = new Uint32Array(column.count + 1);
  yield* column.each(
    (value, index) => {
      if (typeof value === 'string') bytes.appendText(value);
      else bytes.appendBytes(value as Uint8Array);
      assert(bytes.length <= 0xffffffff, () => `segment: field ${column.name} has more than 4 GiB`);
      offsets[index + 1] = bytes.length;
    },
    (index) => {
      offsets[index + 1] = bytes.length;
    },
  );
  const sections = [
    ...column.validity(),
    { kind: SECTION.OFFSETS, parts: [bytesOf(offsets)] },
    { kind: SECTION.VALUES, parts: bytes.finish() },
  ];
  return { sections, stats: column.stats() };
}

function* encodeList(column: FieldValues, type: Kind): Steps<Encoded> {
  const offsets = yield* lengthsToOffsets(column, (value) => (value as readonly unknown[]).length);
  const sink = createScalarSink(type, offsets[column.count]!);
  yield* column.each((value, index) => {
    (value as readonly StoredValue[]).forEach((item, at) => {
      sink.set(offsets[index]! + at, item);
    });
  });
  const { sections, stats } = yield* sink.finish();
  return {
    sections: [...column.validity(), { kind: SECTION.OFFSETS, parts: [bytesOf(offsets)] }, ...sections],
    stats: column.stats(stats),
  };
}

function* encodeSparse(column: FieldValues): Steps<Encoded> {
  const offsets = yield* lengthsToOffsets(column, (value) => (value as SparseValue).indices.length);
  const indices = new Uint32Array(offsets[column.count]!);
  const values = new Float32Array(offsets[column.count]!);
  yield* column.each((value, index) => {
    indices.set((value as SparseValue).indices, offsets[index]!);
    values.set((value as SparseValue).values, offsets[index]!);
  });
  const sections = [
    ...column.validity(),
    { kind: SECTION.OFFSETS, parts: [bytesOf(offsets)] },
    { kind: SECTION.SPARSE_INDICES, parts: [bytesOf(indices)] },
    { kind: SECTION.VALUES, parts: [bytesOf(values)] },
  ];
  return { sections, stats: column.stats() };
}

function* lengthsToOffsets(column: FieldValues, lengthOf: (value: NonNullable<StoredValue>) => number): Steps<Uint32Array> {
  const offsets = new Uint32Array(column.count + 1);
  yield* column.each((value, index) => {
    offsets[index + 1] = lengthOf(value);
  });
  let end = 0;
  for (let index = 1; index <= column.count; index++) {
    end += offsets[index]!;
    assert(end <= 0xffffffff, () => `segment: field ${column.name} has more than 2^32 items`);
    offsets[index] = end;
  }
  return offsets;
}

function withMore(column: EncodedField, sections: readonly EncodedSection[]): EncodedField {
  return { ...column, sections: [...column.sections, ...sections] };
}

/** `dim` undefined: what the first vector has. */
function* encodeVectors(
  column: FieldValues,
  { dim, elementBytes }: { readonly dim: number | undefined; readonly elementBytes: number },
): Steps<EncodedField> {
  let width = dim ?? 0;
  const parts: Uint8Array[] = [];
  let partRows = 0;
  const addParts = (count: number): void => {
    while (parts.length < count)
      parts.push(new Uint8Array(Math.min(partRows, column.count - parts.length * partRows) * width * elementBytes));
  };
  yield* column.each((value, index) => {
    const vector = value as StoredVector;
    if (parts.length === 0) {
      if (width === 0) width = vector.length;
      partRows = Math.max(1, Math.floor(VECTOR_PART_BYTES / (width * elementBytes)));
    }
    addParts(Math.floor(index / partRows) + 1);
    assert(vector.length === width, () => `segment: field ${column.name} row ${index}: ${width} dimensions expected, got ${vector.length}`);
    parts[Math.floor(index / partRows)]!.set(bytesOf(vector), (index % partRows) * width * elementBytes);
  });
  if (parts.length > 0) addParts(Math.ceil(column.count / partRows));
  const bulk = parts.length === 0 ? undefined : { kind: SECTION.VECTORS, parts };
  return { detail: width, sections: column.validity(), bulk, stats: column.stats() };
}
