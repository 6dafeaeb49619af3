import { ByteReader, ByteWriter } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damageCode } from '../bytes/testing/damage-bytes.ts';
import {
  andInto,
  andNotInto,
  bitmapWords,
  clearBit,
  countBits,
  createBitmap,
  createFullBitmap,
  forEachSet,
  isWithinRows,
  orInto,
  setBit,
  setOffsets,
  testBit,
} from './bitmap.ts';
import { readBitmap, writeBitmap } from './bitmap-codec.ts';

const rowCounts = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 2000 }));
interface TestBitmap {
  readonly rows: number;
  /** Ascending. */
  readonly offsets: readonly number[];
}
const bitmaps: fc.Arbitrary<TestBitmap> = rowCounts.chain((rows) => {
  const offsets = fc.uniqueArray(fc.nat(Math.max(0, rows - 1)), { maxLength: Math.min(rows, 200) });
  return offsets.map((drawn) => ({ rows, offsets: drawn.sort((a, b) => a - b) }));
});
const bitmapOf = ({ rows, offsets }: TestBitmap): Uint32Array => {
  const words = createBitmap(rows);
  for (const offset of offsets) setBit(words, offset);
  return words;
};

describe('a bitmap', () => {
  it('holds exactly the offsets that were set and not cleared', () => {
    fc.assert(
      fc.property(bitmaps, fc.nat(2000), ({ rows, offsets }, cleared) => {
        const words = bitmapOf({ rows, offsets });
        expect([...setOffsets(words)]).toEqual(offsets);
        expect(countBits(words)).toBe(offsets.length);
        expect(isWithinRows(words, rows)).toBe(true);
        if (cleared < rows) clearBit(words, cleared);
        const seen: number[] = [];
        forEachSet(words, (offset) => seen.push(offset));
        expect(seen).toEqual(offsets.filter((offset) => offset !== cleared));
        expect(testBit(words, rows + 64)).toBe(false);
      }),
      propertyOptions(200),
    );
  });

  it('full has every row and nothing beyond, so counting needs no row count', () => {
    fc.assert(
      fc.property(rowCounts, (rows) => {
        const words = createFullBitmap(rows);
        expect(words.length).toBe(bitmapWords(rows));
        expect(countBits(words)).toBe(rows);
        expect(isWithinRows(words, rows)).toBe(true);
        if (rows > 0) expect(isWithinRows(words, rows - 1)).toBe(false);
      }),
      propertyOptions(100),
    );
  });

  it('combines like sets, whatever the lengths', () => {
    fc.assert(
      fc.property(bitmaps, bitmaps, (a, b) => {
        const rows = Math.max(a.rows, b.rows);
        const left = new Set(a.offsets);
        const right = new Set(b.offsets);
        const all = Array.from({ length: rows }, (_, offset) => offset);
        const both = bitmapOf(a);
        andInto(both, bitmapOf(b));
        expect([...setOffsets(both)]).toEqual(all.filter((offset) => left.has(offset) && right.has(offset)));
        const rest = bitmapOf(a);
        andNotInto(rest, bitmapOf(b));
        expect([...setOffsets(rest)]).toEqual(all.filter((offset) => left.has(offset) && !right.has(offset)));
        const either = bitmapOf({ rows, offsets: a.offsets });
        orInto(either, bitmapOf(b));
        expect([...setOffsets(either)]).toEqual(all.filter((offset) => left.has(offset) || right.has(offset)));
      }),
      propertyOptions(200),
    );
  });
});

describe('the bitmap codec', () => {
  const encode = (words: Uint32Array | null, rows: number): Uint8Array => {
    const writer = new ByteWriter();
    writeBitmap(writer, words, rows);
    return writer.toBytes();
  };

  it('gives back every bitmap, none as null, and never takes more than the words and a byte', () => {
    fc.assert(
      fc.property(bitmaps, (bitmap) => {
        const words = bitmapOf(bitmap);
        const bytes = encode(words, bitmap.rows);
        expect(bytes.length).toBeLessThanOrEqual(words.length * 4 + 1);
        expect(readBitmap(new ByteReader(bytes, 'b'), bitmap.rows)).toEqual(bitmap.offsets.length === 0 ? null : words);
      }),
      propertyOptions(200),
    );
  });

  it('writes few dead rows of many as their offsets', () => {
    const words = createBitmap(1_000_000);
    for (const offset of [0, 31, 99, 999_999]) setBit(words, offset);
    expect(encode(words, 1_000_000).length).toBe(8);
    expect(encode(null, 1_000_000).length).toBe(1);
  });

  it('refuses bits beyond the rows, offsets that do not ascend, and unknown forms', async () => {
    const read = (bytes: number[], rows: number): Promise<string | undefined> =>
      damageCode(() => readBitmap(new ByteReader(Uint8Array.from(bytes), 'b'), rows));
    expect(await read([1, 1, 5], 5)).toBe('FORMAT_INVALID');
    expect(await read([1, 2, 5, 0], 10)).toBe('FORMAT_INVALID');
    expect(await read([1, 200, 1], 10)).toBe('FORMAT_INVALID');
    expect(await read([2, 0, 4, 0, 0], 10)).toBe('FORMAT_INVALID');
    expect(await read([2, 0, 4, 0], 10)).toBe('FORMAT_INVALID');
    expect(await read([3], 10)).toBe('FORMAT_INVALID');
    expect(await read([2, 0, 2, 0, 0], 10)).toBeUndefined();
  });
});
