import { type FieldDefinition, type ScalarValue, type SparseValue, type StoredValue, utf8Encode } from '@terndb/core';
import { createBitmap, setBit } from '../../bitmap/bitmap.ts';
import type { Column, ListColumn, Validity } from '../../columns/column.ts';

/** The values of one field in the layout a sealed segment gives them. */
export function typedColumn(field: FieldDefinition, values: readonly StoredValue[]): Column {
  const validity = validityOf(values);
  switch (field.type) {
    case 'number':
    case 'date':
      return { kind: 'number', values: Float64Array.from(values, (value) => Number(value ?? 0)), validity };
    case 'int64':
      return { kind: 'int64', values: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number | bigint)), validity };
    case 'boolean':
      return { kind: 'boolean', values: Uint8Array.from(values, (value) => (value === true ? 1 : 0)), validity };
    case 'keyword':
      return { kind: 'keyword', ...coded(values), validity };
    case 'array':
      return listColumn(field.params.of, values as readonly (readonly ScalarValue[] | null)[], validity);
    case 'vector':
      return { kind: 'vector', elements: 'float32', dim: field.params.dim ?? 0, validity };
    case 'sparseVector':
      return sparseColumn(values as readonly (SparseValue | null)[], validity);
    case 'binaryVector':
    case 'collab':
      return bytesColumn(
        'bytes',
        values.map((value) => (value ?? new Uint8Array(0)) as Uint8Array),
        validity,
      );
    default:
      return stringColumn(values, validity);
  }
}

/** A keyword field with too many distinct values to be worth a dictionary. */
export function stringColumn(values: readonly StoredValue[], validity: Validity = validityOf(values)): Column {
  return bytesColumn(
    'string',
    values.map((value) => utf8Encode((value ?? '') as string)),
    validity,
  );
}

function validityOf(values: readonly StoredValue[]): Validity {
  if (!values.includes(null)) return null;
  const words = createBitmap(values.length);
  values.forEach((value, row) => {
    if (value !== null) setBit(words, row);
  });
  return words;
}

function coded(values: readonly StoredValue[]): { codes: Uint32Array; dictionary: string[] } {
  const dictionary = [...new Set(values.filter((value): value is string => typeof value === 'string'))].sort();
  return { dictionary, codes: Uint32Array.from(values, (value) => Math.max(0, dictionary.indexOf(value as string))) };
}

function offsetsOf(lengths: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, row) => {
    offsets[row + 1] = offsets[row]! + length;
  });
  return offsets;
}

function bytesColumn(kind: 'string' | 'bytes', values: readonly Uint8Array[], validity: Validity): Column {
  const offsets = offsetsOf(values.map((value) => value.length));
  const bytes = new Uint8Array(offsets.at(-1)!);
  values.forEach((value, row) => {
    bytes.set(value, offsets[row]);
  });
  return { kind, offsets, bytes, validity };
}

function listColumn(of: FieldDefinition, values: readonly (readonly ScalarValue[] | null)[], validity: Validity): Column {
  const items = typedColumn(
    { ...of, nullable: false } as FieldDefinition,
    values.flatMap((value) => value ?? []),
  );
  return { kind: 'list', offsets: offsetsOf(values.map((value) => value?.length ?? 0)), items: items as ListColumn['items'], validity };
}

function sparseColumn(values: readonly (SparseValue | null)[], validity: Validity): Column {
  return {
    kind: 'sparse',
    offsets: offsetsOf(values.map((value) => value?.indices.length ?? 0)),
    indices: Uint32Array.from(values.flatMap((value) => [...(value?.indices ?? [])])),
    values: Float32Array.from(values.flatMap((value) => [...(value?.values ?? [])])),
    validity,
  };
}
