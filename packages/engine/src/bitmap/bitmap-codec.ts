import type { ByteReader, ByteWriter } from '@terndb/core';
import { bitmapWords, countBits, createBitmap, isWithinRows, setBit, setOffsets } from './bitmap.ts';

/**
 * A bitmap of a known number of rows inside another format.
 *   u8 0: no bit is set
 *   u8 1: varuint count, then the offsets ascending: the first, then each one's distance to the one before (varuint, > 0)
 *   u8 2: ceil(rows / 32) words (u32)
 * The writer takes the shortest form, offsets before words when equal. Reading gives null for no bit; the caller bounds `rows`.
 */
const EMPTY = 0;
const OFFSETS = 1;
const WORDS = 2;

export function writeBitmap(writer: ByteWriter, words: Uint32Array | null, rows: number): void {
  const offsets = words === null ? [] : countBits(words) > rows / 8 ? undefined : setOffsets(words);
  if (offsets !== undefined && offsets.length === 0) writer.u8(EMPTY);
  else if (offsets !== undefined && offsetBytes(offsets) <= bitmapWords(rows) * 4) writeOffsets(writer, offsets);
  else {
    writer.u8(WORDS);
    for (let index = 0; index < bitmapWords(rows); index++) writer.u32(words?.[index] ?? 0);
  }
}

export function readBitmap(reader: ByteReader, rows: number): Uint32Array<ArrayBuffer> | null {
  const form = reader.u8();
  if (form === EMPTY) return null;
  if (form === OFFSETS) return readOffsets(reader, rows);
  if (form !== WORDS) throw reader.invalid(`bitmap: form 0, 1 or 2 expected, got ${form}`);
  const words = reader.uint32Array(bitmapWords(rows));
  if (!isWithinRows(words, rows)) throw reader.invalid(`bitmap: a bit is set beyond its ${rows} rows`);
  return words;
}

function writeOffsets(writer: ByteWriter, offsets: ArrayLike<number>): void {
  writer.u8(OFFSETS);
  writer.varUint(offsets.length);
  for (let index = 0; index < offsets.length; index++) writer.varUint(offsets[index]! - (index === 0 ? 0 : offsets[index - 1]!));
}

function readOffsets(reader: ByteReader, rows: number): Uint32Array<ArrayBuffer> {
  const count = reader.count('offsets', 1);
  const words = createBitmap(rows);
  let offset = 0;
  for (let index = 0; index < count; index++) {
    const distance = reader.varUint();
    offset += distance;
    if ((index > 0 && distance === 0) || offset >= rows)
      throw reader.invalid(`bitmap: ascending offsets below ${rows} expected, got ${offset}`);
    setBit(words, offset);
  }
  return words;
}

function offsetBytes(offsets: ArrayLike<number>): number {
  let bytes = varUintBytes(offsets.length);
  for (let index = 0; index < offsets.length; index++) bytes += varUintBytes(offsets[index]! - (index === 0 ? 0 : offsets[index - 1]!));
  return bytes;
}

/** Of an offset: below 2^32. */
function varUintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}
