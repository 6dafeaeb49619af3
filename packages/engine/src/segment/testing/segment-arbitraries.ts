import {
  type CollectionDefinition,
  comparePrimaryKeys,
  type FieldDefinition,
  keyFieldOf,
  type PrimaryKey,
  type Stamp,
  type StoredValue,
  type Timestamp,
  valueFieldsOf,
} from '@terndb/core';
import fc from 'fast-check';
import type { VectorOrigin } from '../../embedding/origin.ts';
import type { FieldStamp, SegmentInput, SegmentRows } from '../types.ts';

/** One full row, as a test writes it down. */
export interface TestRow {
  readonly pk: PrimaryKey;
  readonly put: Stamp;
  readonly exceptions: readonly FieldStamp[];
  readonly values: Readonly<Record<string, StoredValue>>;
  /** Of derived vectors, by field. */
  readonly origins?: Readonly<Record<string, VectorOrigin | null>>;
  readonly putSeq?: number;
}

export function rowsOf(rows: readonly TestRow[]): SegmentRows {
  return {
    count: rows.length,
    keyAt: (index) => rows[index]!.pk,
    putAt: (index) => rows[index]!.put,
    exceptionsAt: (index) => rows[index]!.exceptions,
    valueAt: (field, index) => rows[index]!.values[field] ?? null,
    originAt: (field, index) => rows[index]!.origins?.[field] ?? null,
    putSeqAt: (index) => rows[index]!.putSeq ?? 0,
  };
}

export function inputOf(definition: CollectionDefinition, rows: readonly TestRow[]): SegmentInput {
  return {
    channel: 'c1/p1/0',
    definition,
    schemaHash: 'hash',
    schemaVersion: 3,
    minPosition: 4,
    maxPosition: 90,
    upTo: 100,
    maxHlc: 12345 as Timestamp,
    rows: rowsOf(rows),
  };
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', '\u{10000}', '\uffff', '\ue000', 'a\u0000b'),
);
const int64 = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n, -(2n ** 53n), 0));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const sparse = fc.uniqueArray(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 5 }).map((indices) => {
  const sorted = Uint32Array.from(indices).sort();
  return { indices: sorted, values: Float32Array.from(sorted, (index) => Math.fround(index / 3)) };
});

/** Any value of the field, null not among them. */
function valuesOf(field: FieldDefinition): fc.Arbitrary<StoredValue> {
  switch (field.type) {
    case 'text':
    case 'collabText':
      return text;
    case 'keyword':
      return fc.oneof(fc.constantFrom('red', 'green', 'blue'), text);
    case 'collab':
      return fc.uint8Array({ maxLength: 20 });
    case 'binaryVector':
      return fc.uint8Array({ minLength: field.params.dim / 8, maxLength: field.params.dim / 8 });
    case 'int64':
      return int64;
    case 'boolean':
      return fc.boolean();
    case 'date':
      return fc.integer({ min: -8.64e15, max: 8.64e15 });
    case 'json':
      return fc.json();
    case 'array':
      return fc.array(valuesOf(field.params.of) as fc.Arbitrary<string>, { maxLength: 4 });
    case 'vector':
      return fc
        .array(float, { minLength: field.params.dim ?? 3, maxLength: field.params.dim ?? 3 })
        .map((values) => Float32Array.from(values));
    case 'sparseVector':
      return sparse;
    default:
      return number;
  }
}

const index = { type: 'AUTOINDEX', m: 16, efConstruction: 200, quantization: 'none' } as const;
const scalar = (name: string, type: 'keyword' | 'int64' | 'number' | 'boolean'): FieldDefinition =>
  ({ name, type, nullable: false, params: type === 'keyword' ? { values: null } : {} }) as FieldDefinition;
const arrayOf = (name: string, type: 'keyword' | 'int64' | 'number' | 'boolean'): FieldDefinition =>
  ({ name, type: 'array', nullable: true, params: { of: scalar('item', type), maxCapacity: 10 } }) as FieldDefinition;

/** One field of each kind; schemas are subsets of them. */
export const FIELDS: readonly FieldDefinition[] = [
  arrayOf('aBooleans', 'boolean'),
  arrayOf('aInts', 'int64'),
  arrayOf('aKeywords', 'keyword'),
  arrayOf('aNumbers', 'number'),
  { name: 'at', type: 'date', nullable: true, params: {} },
  { name: 'binary', type: 'binaryVector', nullable: true, params: { dim: 16, metric: 'HAMMING', index } },
  { name: 'body', type: 'text', nullable: true, params: { search: true, maxLength: 100, analyzer: 'standard' } },
  { name: 'count', type: 'int64', nullable: true, params: {} },
  { name: 'doc', type: 'collab', nullable: true, params: {} },
  { name: 'done', type: 'boolean', nullable: true, params: {} },
  { name: 'essay', type: 'collabText', nullable: true, params: { search: false, analyzer: 'standard' } },
  { name: 'extra', type: 'json', nullable: true, params: {} },
  { name: 'kind', type: 'keyword', nullable: true, params: { values: null } },
  { name: 'price', type: 'number', nullable: true, params: {} },
  { name: 'terms', type: 'sparseVector', nullable: true, params: { metric: 'IP' } },
  { name: 'vector', type: 'vector', nullable: true, params: { dim: 5, embed: null, model: null, metric: 'COSINE', index } },
  { name: 'wide', type: 'vector', nullable: true, params: { dim: null, embed: ['body'], model: null, metric: 'L2', index } },
];

export function definitionOf(keyType: 'int64' | 'varchar', fields: readonly FieldDefinition[]): CollectionDefinition {
  const key: FieldDefinition = { name: 'id', type: 'primaryKey', nullable: false, params: { keyType, autoId: false, maxLength: null } };
  return { fields: [key, ...fields] };
}

export const definitions: fc.Arbitrary<CollectionDefinition> = fc
  .record({ keyType: fc.constantFrom('int64' as const, 'varchar' as const), fields: fc.subarray([...FIELDS]) })
  .map(({ keyType, fields }) => definitionOf(keyType, fields));

const stamps: fc.Arbitrary<Stamp> = fc.record(
  { hlc: fc.maxSafeNat(), clientId: fc.constantFrom('ada', 'bob', 'c\u00e9') },
  { noNullPrototype: true },
) as never;

const origin: fc.Arbitrary<VectorOrigin> = fc.record(
  { model: fc.constantFrom('mini@1', 'mini@2', 'é'), sourceHash: fc.uint8Array({ minLength: 16, maxLength: 16 }) },
  { noNullPrototype: true },
);

/** Rows of a definition, ascending by key; stamps are arbitrary: the format keeps what it is given. */
export function rowsFor(
  definition: CollectionDefinition,
  size: { minLength?: number; maxLength: number } = { maxLength: 40 },
): fc.Arbitrary<TestRow[]> {
  const fields = valueFieldsOf(definition);
  const values = Object.fromEntries(fields.map((field) => [field.name, fc.option(valuesOf(field))]));
  const exceptions = fc
    .subarray(fields.map((field) => field.name))
    .chain((names) => fc.tuple(...names.map((field) => stamps.map((stamp) => ({ field, stamp })))));
  const row: fc.Arbitrary<TestRow> = fc.record(
    {
      pk: (keyFieldOf(definition).params.keyType === 'int64' ? int64 : text) as fc.Arbitrary<PrimaryKey>,
      put: stamps,
      exceptions: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: exceptions }),
      values: fc.record(values, { noNullPrototype: true }),
      origins: fc.record({ wide: fc.option(origin) }, { noNullPrototype: true }),
      putSeq: fc.maxSafeNat(),
    },
    { noNullPrototype: true },
  );
  return fc
    .uniqueArray(row, { minLength: 1, ...size, selector: ({ pk }) => pk })
    .map((rows) => rows.sort((a, b) => comparePrimaryKeys(a.pk, b.pk)));
}

/** What a segment test starts from. */
export const inputs: fc.Arbitrary<{ definition: CollectionDefinition; rows: TestRow[] }> = definitions.chain((definition) =>
  rowsFor(definition).map((rows) => ({ definition, rows })),
);
