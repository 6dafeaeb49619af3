import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { crc32c } from '../bytes/crc32c.ts';
import { AssertionError } from '../errors/assert.ts';
import { DbError } from '../errors/db-error.ts';
import { frames, ops } from '../testing/arbitraries.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { asTimestamp } from '../time/hlc.ts';
import type { StoredFields, StoredValue } from '../value/value.ts';
import { FRAME_V1, FRAME_V1_HEX } from './fixtures/frame-v1.ts';
import { FRAME_V2, FRAME_V2_HEX } from './fixtures/frame-v2.ts';
import { decodeFrame, decodeSlotFrame, encodeFrame, encodeSlotFrame, frameKind } from './frame-codec.ts';
import type { Frame, Op, SlotFrame } from './op.ts';
import { encodedOpBytes } from './record-codec.ts';

const DATA_CODES = ['FORMAT_INVALID', 'CHECKSUM_MISMATCH', 'FORMAT_VERSION_UNSUPPORTED'];

function frameOf(op: Op): Frame {
  const record = { type: 'op' as const, op, hlc: asTimestamp(2048), clientId: 'a', seq: 1, author: '', schemaVersion: 1 };
  return { logEpoch: 'e', leaderEpoch: 1, channel: 'c/p/0', base: 1, hashBefore: { lo: 0, hi: 0 }, records: [record] };
}
const frameWith = (fields: StoredFields): Frame => frameOf({ type: 'put', pk: 'k', create: false, fields });

/** The same bytes with a checksum that is right, so that what is behind the checksum is reached. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  if (copy.length >= 4) new DataView(copy.buffer).setUint32(copy.length - 4, crc32c(copy.subarray(0, copy.length - 4)), true);
  return copy;
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

function codeOf(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown = decodeFrame): string {
  try {
    decode(bytes);
    return 'ok';
  } catch (error) {
    if (error instanceof DbError) return error.code;
    throw error;
  }
}

describe('frame codec', () => {
  it('gives back every frame it was given', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const decoded = decodeFrame(encodeFrame(frame));
        expect(decoded).toStrictEqual(frame);
      }),
      propertyOptions(300),
    );
  });

  it('still reads the stored bytes of every version, and still writes those of the newest', () => {
    expect(decodeFrame(fromHex(FRAME_V1_HEX))).toStrictEqual(FRAME_V1);
    expect(decodeFrame(fromHex(FRAME_V2_HEX))).toStrictEqual(FRAME_V2);
    expect(encodeFrame(FRAME_V2)).toStrictEqual(fromHex(FRAME_V2_HEX));
  });

  it('finds no origin in a frame of version 1', () => {
    const bytes = fromHex(FRAME_V2_HEX);
    bytes[0] = 1;
    expect(codeOf(resealed(bytes))).toBe('FORMAT_INVALID');
  });

  it('keeps negative zero and the edges of the number kinds', () => {
    const values: StoredValue[] = [
      -0,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      2 ** 53,
      5e-324,
      -1.7e308,
      2n ** 53n,
      -(2n ** 63n),
      2n ** 63n - 1n,
    ];
    const fields = Object.fromEntries(values.map((value, index) => [`f${index}`, value]));
    const [record] = decodeFrame(encodeFrame(frameWith(fields))).records;
    expect(record).toStrictEqual(frameWith(fields).records[0]);
  });

  it('writes a repeated name as one byte', () => {
    const name = 'a'.repeat(200);
    const put: Op = { type: 'put', pk: 1, create: false, fields: { [name]: true } };
    const once = encodedOpBytes({ type: 'batch', ops: [put] });
    const twice = encodedOpBytes({ type: 'batch', ops: [put, put] });
    expect(once).toBeGreaterThan(200);
    // Op type, key tag, key, flag, field count, name, value.
    expect(twice - once).toBe(7);
  });

  it('shares no memory with the bytes it was read from', () => {
    const bytes = encodeFrame(frameWith({ b: Uint8Array.of(1, 2, 3), v: Float32Array.of(1, 2) }));
    const decoded = decodeFrame(bytes);
    bytes.fill(0);
    expect(decoded).toStrictEqual(frameWith({ b: Uint8Array.of(1, 2, 3), v: Float32Array.of(1, 2) }));
  });

  it('reads bytes at any alignment', () => {
    const bytes = encodeFrame(FRAME_V1);
    for (let shift = 1; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      expect(decodeFrame(shifted.subarray(shift))).toStrictEqual(FRAME_V1);
    }
  });

  it('measures an op as what it adds to a frame', () => {
    fc.assert(
      fc.property(ops, (op) => {
        const measured = encodedOpBytes(op);
        const frame = encodeFrame(frameOf(op)).length;
        expect(measured).toBeLessThanOrEqual(frame);
        expect(frame - measured).toBeLessThan(60);
      }),
      propertyOptions(200),
    );
  });

  it('asserts what only a bug could write', () => {
    expect(() => encodeFrame({ ...FRAME_V1, records: [] })).toThrow(AssertionError);
    expect(() => encodeFrame({ ...FRAME_V1, base: 0 })).toThrow(AssertionError);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, 2n ** 63n])
      expect(() => encodeFrame(frameWith({ value }))).toThrow(AssertionError);
    expect(() => encodeFrame(frameOf({ type: 'delete', pk: 0.5 }))).toThrow(AssertionError);
    const unsorted = { indices: Uint32Array.of(2, 1), values: Float32Array.of(1, 1) };
    expect(() => encodeFrame(frameWith({ unsorted }))).toThrow(AssertionError);
  });
});

describe('slot frames', () => {
  const lead: SlotFrame = { logEpoch: 'e', leaderEpoch: 9, record: { type: 'lead', leaderEpoch: 9 } };
  const tick: SlotFrame = { logEpoch: 'e', leaderEpoch: 9, record: { type: 'tick', time: asTimestamp(77) } };

  it('come back as they were, and are told from channel frames', () => {
    for (const frame of [lead, tick]) {
      expect(decodeSlotFrame(encodeSlotFrame(frame))).toStrictEqual(frame);
      expect(frameKind(encodeSlotFrame(frame))).toBe('slot');
      expect(codeOf(encodeSlotFrame(frame))).toBe('FORMAT_INVALID');
    }
    expect(frameKind(encodeFrame(FRAME_V1))).toBe('channel');
    expect(codeOf(encodeFrame(FRAME_V1), decodeSlotFrame)).toBe('FORMAT_INVALID');
  });

  it('are refused when cut or flipped', () => {
    const bytes = encodeSlotFrame(tick);
    for (let length = 0; length < bytes.length; length++) {
      expect(DATA_CODES).toContain(codeOf(bytes.subarray(0, length), decodeSlotFrame));
      expect(DATA_CODES).toContain(codeOf(resealed(bytes.subarray(0, length)), decodeSlotFrame));
    }
  });
});

describe('frame decoder on damaged bytes', () => {
  const stored = encodeFrame(FRAME_V1);

  it('refuses every cut, with and without a right checksum', () => {
    for (let length = 0; length < stored.length; length++) {
      expect(DATA_CODES).toContain(codeOf(stored.subarray(0, length)));
      expect(DATA_CODES).toContain(codeOf(resealed(stored.subarray(0, length))));
    }
  });

  it('refuses every flipped bit', () => {
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const flipped = stored.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(flipped)).toBe(bit < 8 ? 'FORMAT_VERSION_UNSUPPORTED' : 'CHECKSUM_MISMATCH');
    }
  });

  it('refuses bytes behind the end', () => {
    const longer = new Uint8Array(stored.length + 1);
    longer.set(stored);
    expect(codeOf(longer)).toBe('CHECKSUM_MISMATCH');
    expect(codeOf(resealed(longer))).toBe('FORMAT_INVALID');
  });

  it('answers an unknown version before anything else', () => {
    for (const version of [0, 3, 255]) {
      const other = stored.slice();
      other[0] = version;
      expect(codeOf(other)).toBe('FORMAT_VERSION_UNSUPPORTED');
      expect(codeOf(other, frameKind)).toBe('FORMAT_VERSION_UNSUPPORTED');
    }
  });

  it('gives a value or a typed error for every byte changed behind a right checksum', () => {
    let refused = 0;
    for (let at = 1; at < stored.length - 4; at++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff, stored[at]! ^ 0x55]) {
        const changed = stored.slice();
        changed[at] = byte;
        const code = codeOf(resealed(changed));
        expect(['ok', 'FORMAT_INVALID']).toContain(code);
        if (code !== 'ok') refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(stored.length);
  });

  it('gives a value or a typed error for spliced frames and for noise', () => {
    const edits = fc.record({ cut: fc.nat(400), from: fc.nat(400), length: fc.nat(80), noise: fc.uint8Array({ maxLength: 30 }) });
    fc.assert(
      fc.property(frames, frames, edits, (a, b, { cut, from, length, noise }) => {
        const first = encodeFrame(a);
        const second = encodeFrame(b);
        const middle = second.subarray(from, from + length);
        const spliced = Uint8Array.from([...first.subarray(0, cut), ...middle, ...noise, ...first.subarray(cut)]);
        spliced[0] = 1;
        expect(['ok', 'FORMAT_INVALID']).toContain(codeOf(resealed(spliced)));
      }),
      propertyOptions(500),
    );
  });

  it('does not allocate what a length promises but the bytes do not hold', () => {
    // Header, one record, then a put whose only field is a vector, a list, bytes, a text or a sparse vector of 2^40 elements.
    for (const tag of [6, 7, 8, 9, 10]) {
      const writer = new ByteWriter();
      for (const byte of [1, 1]) writer.u8(byte);
      writer.string('e');
      writer.varUint(1);
      writer.string('c');
      writer.varUint(1);
      writer.u32(0);
      writer.u32(0);
      writer.varUint(1);
      // Op record: new name 'a', seq 1, hlc 1, new name '', schema version 1; put of key 1, no create; one field, new name 'f'.
      for (const byte of [1, 0, 1, 97, 1, 1, 1, 0, 1, 1, 3, 1, 0, 1, 2, 1, 102, tag]) writer.u8(byte);
      writer.varUint(2 ** 40);
      writer.u32(0);
      expect(codeOf(resealed(writer.toBytes()))).toBe('FORMAT_INVALID');
    }
  });

  it('says what it met and where', () => {
    expect(() => decodeFrame(new Uint8Array(3))).toThrow('frame: at least 6 bytes expected, got 3');
    const other = stored.slice();
    other[0] = 9;
    expect(() => decodeFrame(other)).toThrow('frame: version 1 to 2 expected, got 9');
    const kind = stored.slice();
    kind[1] = 9;
    expect(() => decodeFrame(resealed(kind))).toThrow('frame: unknown kind 9 (byte 2)');
  });
});
