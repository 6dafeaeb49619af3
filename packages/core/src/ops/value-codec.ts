import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { assert } from '../errors/assert.ts';
import type { PrimaryKey, ScalarValue, SparseValue, StoredValue, StoredVector } from '../value/value.ts';

/**
 * Stored values inside frames, version 1 (the version is the frame's). Tags 11 and 12 came with schemas that name `elements`, which older readers refuse
 * before they see a value. One tag byte, then:
 *    0 null      1 false      2 true
 *    3 integer   varint with sign (lib0): a number that is a safe integer
 *    4 number    f64, finite, not a safe integer
 *    5 bigint    i64, beyond the safe integers
 *    6 string    varint length in bytes, UTF-8
 *    7 bytes     varint length, bytes
 *    8 vector    varint dim, dim * f32
 *    9 sparse    varint count, count * u32 indices ascending and distinct, count * f32
 *   11 halves   varint dim, dim * u16 (float16 or bfloat16, as the schema says)
 *   12 int8s    varint dim, dim * i8
 *   10 list      varint count, count * scalar value (tags 1 to 6)
 * A primary key is a value with tag 3, 5 or 6. Everything little-endian. Read values are copies.
 */
const TAG = {
  null: 0,
  false: 1,
  true: 2,
  integer: 3,
  number: 4,
  bigint: 5,
  string: 6,
  bytes: 7,
  vector: 8,
  sparse: 9,
  list: 10,
  halves: 11,
  int8s: 12,
} as const;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Neither a safe integer (that would be a number) nor beyond 64 bits. */
function isWideInt64(value: bigint): boolean {
  if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return false;
  return value >= MIN_INT64 && value <= MAX_INT64;
}

export function writeValue(writer: ByteWriter, value: StoredValue): void {
  if (value === null) writer.u8(TAG.null);
  else if (typeof value !== 'object') writeScalar(writer, value);
  else if (value instanceof Uint8Array) writeBytes(writer, value);
  else if (value instanceof Float32Array) writeVector(writer, TAG.vector, value);
  else if (value instanceof Uint16Array) writeVector(writer, TAG.halves, value);
  else if (value instanceof Int8Array) writeVector(writer, TAG.int8s, value);
  else if ('indices' in value) writeSparse(writer, value);
  else writeList(writer, value);
}

export function readValue(reader: ByteReader): StoredValue {
  const tag = reader.u8();
  switch (tag) {
    case TAG.null:
      return null;
    case TAG.bytes:
      return reader.copyBytes(reader.varUint());
    case TAG.vector:
      return reader.float32Array(reader.varUint());
    case TAG.halves:
      return reader.uint16Array(reader.varUint());
    case TAG.int8s:
      return new Int8Array(reader.copyBytes(reader.varUint()).buffer);
    case TAG.sparse:
      return readSparse(reader);
    case TAG.list:
      return readList(reader);
    default:
      return readScalar(reader, tag);
  }
}

export function writeKey(writer: ByteWriter, key: PrimaryKey): void {
  assert(typeof key !== 'number' || Number.isSafeInteger(key), () => `primary key: a safe integer expected, got ${String(key)}`);
  writeScalar(writer, key);
}

export function readKey(reader: ByteReader): PrimaryKey {
  const tag = reader.u8();
  if (tag !== TAG.integer && tag !== TAG.bigint && tag !== TAG.string) throw reader.invalid(`value tag ${tag} is no primary key`);
  return readScalar(reader, tag) as PrimaryKey;
}

function writeScalar(writer: ByteWriter, value: ScalarValue): void {
  if (typeof value === 'string') {
    writer.u8(TAG.string);
    writer.string(value);
  } else if (typeof value === 'boolean') {
    writer.u8(value ? TAG.true : TAG.false);
  } else if (typeof value === 'bigint') {
    assert(isWideInt64(value), () => `bigint value: 64 bits beyond the safe integers expected, got ${value}`);
    writer.u8(TAG.bigint);
    writer.i64(value);
  } else if (Number.isSafeInteger(value)) {
    writer.u8(TAG.integer);
    writer.varInt(value);
  } else {
    assert(Number.isFinite(value), () => `number value: a finite number expected, got ${String(value)}`);
    writer.u8(TAG.number);
    writer.f64(value);
  }
}

function readScalar(reader: ByteReader, tag: number): ScalarValue {
  switch (tag) {
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.integer:
      return reader.varInt();
    case TAG.number:
      return readNumber(reader);
    case TAG.bigint:
      return readBigint(reader);
    case TAG.string:
      return reader.string();
    default:
      throw reader.invalid(`unknown value tag ${tag}`);
  }
}

function readNumber(reader: ByteReader): number {
  const value = reader.f64();
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) throw reader.invalid(`${value} is not stored as a double`);
  return value;
}

function readBigint(reader: ByteReader): bigint {
  const value = reader.i64();
  if (!isWideInt64(value)) throw reader.invalid(`${value} is not stored as a bigint`);
  return value;
}

function writeBytes(writer: ByteWriter, value: Uint8Array): void {
  writer.u8(TAG.bytes);
  writer.varUint(value.length);
  writer.bytes(value);
}

function writeVector(writer: ByteWriter, tag: number, value: StoredVector): void {
  writer.u8(tag);
  writer.varUint(value.length);
  writer.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function writeSparse(writer: ByteWriter, { indices, values }: SparseValue): void {
  assert(indices.length === values.length, () => `sparse value: ${indices.length} weights expected, got ${values.length}`);
  assert(isAscending(indices), 'sparse value: indices are not ascending and distinct');
  writer.u8(TAG.sparse);
  writer.varUint(indices.length);
  writer.bytes(new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength));
  writer.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function readSparse(reader: ByteReader): SparseValue {
  const count = reader.count('weights', 8);
  const indices = reader.uint32Array(count);
  if (!isAscending(indices)) throw reader.invalid('indices of a sparse vector are not ascending and distinct');
  return { indices, values: reader.float32Array(count) };
}

function isAscending(indices: Uint32Array): boolean {
  for (let index = 1; index < indices.length; index++) if (indices[index]! <= indices[index - 1]!) return false;
  return true;
}

function writeList(writer: ByteWriter, values: readonly ScalarValue[]): void {
  writer.u8(TAG.list);
  writer.varUint(values.length);
  for (const value of values) writeScalar(writer, value);
}

function readList(reader: ByteReader): readonly ScalarValue[] {
  const count = reader.count('list elements', 1);
  const values: ScalarValue[] = [];
  for (let index = 0; index < count; index++) values.push(readScalar(reader, reader.u8()));
  return values;
}
