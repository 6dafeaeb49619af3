import { ByteReader, ByteWriter, type Hash64, normalizeInt64, type ScalarValue } from '@terndb/core';
import type { SegmentHeader } from './format.ts';
import type { ColumnStats } from './types.ts';

/** The footer section; layout at the head of format.ts. */
export interface SegmentFooter {
  readonly hash: Hash64;
  /** The key's first, then by the header's fields. */
  readonly stats: readonly ColumnStats[];
}

export function writeFooter(footer: SegmentFooter): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(footer.hash.lo);
  writer.u32(footer.hash.hi);
  for (const column of footer.stats) {
    writer.varUint(column.nulls);
    writer.varUint(column.distinct === null ? 0 : column.distinct + 1);
    writeScalar(writer, column.min);
    writeScalar(writer, column.max);
  }
  return writer.toBytes();
}

export function readFooter(bytes: Uint8Array, header: SegmentHeader, what: string): SegmentFooter {
  const reader = new ByteReader(bytes, `${what} footer`);
  const hash = { lo: reader.u32(), hi: reader.u32() };
  const stats: ColumnStats[] = [];
  for (let index = 0; index <= header.fields.length; index++) {
    const nulls = reader.varUint();
    if (nulls > header.rows) throw reader.invalid(`at most ${header.rows} nulls expected, got ${nulls}`);
    const distinct = reader.varUint();
    stats.push({ nulls, distinct: distinct === 0 ? null : distinct - 1, min: readScalar(reader), max: readScalar(reader) });
  }
  reader.end();
  return { hash, stats };
}

const NONE = 0;
const FLOAT = 1;
const INTEGER = 2;
const STRING = 3;
const BOOLEAN = 4;

function writeScalar(writer: ByteWriter, value: ScalarValue | null): void {
  if (value === null) writer.u8(NONE);
  else if (typeof value === 'number') {
    writer.u8(FLOAT);
    writer.f64(value);
  } else if (typeof value === 'bigint') {
    writer.u8(INTEGER);
    writer.i64(value);
  } else if (typeof value === 'string') {
    writer.u8(STRING);
    writer.string(value);
  } else {
    writer.u8(BOOLEAN);
    writer.u8(value ? 1 : 0);
  }
}

function readScalar(reader: ByteReader): ScalarValue | null {
  const tag = reader.u8();
  if (tag === NONE) return null;
  if (tag === FLOAT) return reader.f64();
  if (tag === INTEGER) return normalizeInt64(reader.i64()) ?? 0;
  if (tag === STRING) return reader.string();
  if (tag !== BOOLEAN) throw reader.invalid(`scalar tag 0 to 4 expected, got ${tag}`);
  return reader.u8() === 1;
}
