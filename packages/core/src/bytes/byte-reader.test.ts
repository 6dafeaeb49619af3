import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DbError } from '../errors/db-error.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';

const reads: readonly ((reader: ByteReader) => unknown)[] = [
  (reader) => reader.u8(),
  (reader) => reader.u16(),
  (reader) => reader.u32(),
  (reader) => reader.f64(),
  (reader) => reader.i64(),
  (reader) => reader.varUint(),
  (reader) => reader.varInt(),
  (reader) => reader.string(),
  (reader) => reader.count('things', 3),
  (reader) => reader.borrowBytes(5),
  (reader) => reader.copyBytes(5),
  (reader) => reader.float32Array(2),
  (reader) => reader.uint32Array(2),
];

describe('ByteReader', () => {
  it('reads what ByteWriter wrote, at any alignment', () => {
    const writer = new ByteWriter();
    writer.u8(255);
    writer.u16(0xfffe);
    writer.u32(0xfffffffd);
    writer.f64(-0.1);
    writer.i64(-(2n ** 63n));
    writer.varUint(Number.MAX_SAFE_INTEGER);
    writer.varInt(Number.MIN_SAFE_INTEGER);
    writer.varInt(-0);
    writer.string('é🐦\u0000\ufeff');
    writer.bytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(writer.length).toBe(writer.toBytes().length);
    const padded = Uint8Array.of(9, ...writer.toBytes());
    const reader = new ByteReader(padded.subarray(1), 'test');
    expect([reader.u8(), reader.u16(), reader.u32(), reader.f64(), reader.i64()]).toEqual([255, 0xfffe, 0xfffffffd, -0.1, -(2n ** 63n)]);
    expect([reader.varUint(), reader.varInt(), reader.varInt()]).toEqual([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -0]);
    expect(reader.string()).toBe('é🐦\u0000\ufeff');
    expect(reader.uint32Array(1)).toEqual(Uint32Array.of(0x04030201));
    expect(reader.borrowBytes(2)).toEqual(Uint8Array.of(5, 6));
    expect([reader.remaining, reader.position]).toEqual([2, writer.length - 2]);
    expect(() => reader.end()).toThrow('test: 2 bytes too many');
    reader.copyBytes(2);
    reader.end();
  });

  it('answers any bytes with a value or FORMAT_INVALID, and never goes beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.array(fc.nat(reads.length - 1), { maxLength: 8 }), (bytes, steps) => {
        const reader = new ByteReader(Uint8Array.of(7, ...bytes, 7).subarray(1, bytes.length + 1), 'noise');
        for (const step of steps) {
          try {
            reads[step]!(reader);
          } catch (error) {
            expect(error).toBeInstanceOf(DbError);
            expect(error).toMatchObject({ code: 'FORMAT_INVALID', details: { what: 'noise' } });
          }
          expect(reader.remaining).toBeGreaterThanOrEqual(0);
        }
      }),
      propertyOptions(500),
    );
  });

  it('refuses counts and lengths that the rest cannot hold', () => {
    const writer = new ByteWriter();
    writer.varUint(3);
    writer.u32(0);
    const bytes = writer.toBytes();
    expect(new ByteReader(bytes, 't').count('rows', 1)).toBe(3);
    expect(() => new ByteReader(bytes, 't').count('rows', 2)).toThrow('t: 3 rows expected, 4 bytes left (byte 1)');
    expect(() => new ByteReader(bytes, 't').float32Array(2 ** 51)).toThrow(DbError);
    expect(() => new ByteReader(bytes, 't').copyBytes(-1)).toThrow(DbError);
    expect(() => new ByteReader(bytes, 't').borrowBytes(Number.NaN)).toThrow(DbError);
  });

  it('refuses text that is not UTF-8', () => {
    expect(() => new ByteReader(Uint8Array.of(2, 0xc3, 0x28), 't').string()).toThrow('t: a text of 2 bytes is not UTF-8');
    expect(() => utf8Decode(Uint8Array.of(0xed, 0xa0, 0x80))).toThrow(DbError);
    expect(utf8Decode(utf8Encode('Küste 🐦'))).toBe('Küste 🐦');
  });
});
