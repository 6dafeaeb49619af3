import { asTimestamp, ByteWriter, DbError, type Frame, hash64, hashToHex, type OpRecord, utf8Encode } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Message, negotiate, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../protocol.ts';
import { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from './message-codec.ts';
import { type Fields, type FieldType, MESSAGES } from './message-schema.ts';

const opRecord = (seq: number): OpRecord => ({
  type: 'op',
  op: { type: 'patch', pk: `p${seq}`, fields: { a: seq } },
  hlc: asTimestamp(seq * 2048),
  clientId: 'client-a',
  seq,
  author: 'user',
  schemaVersion: 1,
});
const frame: Frame = {
  logEpoch: 'epoch',
  leaderEpoch: 3,
  channel: 'c/p/0',
  base: 7,
  hashBefore: { lo: 1, hi: 2 },
  records: [opRecord(1), { type: 'reject', clientId: 'client-b', seq: 4, code: 'STALE_WRITE', author: 'subject' }],
};

/** A value of every field, drawn from the same table that the codec reads. */
function arbitraryOf(type: FieldType): fc.Arbitrary<unknown> {
  if (typeof type === 'string') {
    const uint32 = fc.nat(0xffffffff);
    const plain = {
      u: fc.maxSafeNat(),
      s: fc.string({ unit: 'grapheme', maxLength: 12 }),
      h: fc.record({ lo: uint32, hi: uint32 }, { noNullPrototype: true }),
      b: fc.uint8Array({ maxLength: 20 }),
      ops: fc.integer({ min: 1, max: 4 }).map((count) => Array.from({ length: count }, (_, index) => opRecord(index + 5))),
      frame: fc.constant(frame),
    };
    return plain[type];
  }
  if ('optional' in type) return fc.option(arbitraryOf(type.optional), { nil: undefined });
  if ('choice' in type) return fc.constantFrom(...type.choice);
  if ('texts' in type) return fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 });
  if ('group' in type) return groupOf(type.group);
  return fc.array(groupOf(type.list), { maxLength: 4 });
}

function groupOf(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  return fc.tuple(...fields.map(([, type]) => arbitraryOf(type))).map((values) => {
    const present = fields.map(([name], index) => [name, values[index]] as const).filter(([, value]) => value !== undefined);
    return Object.fromEntries(present);
  });
}

const messages: fc.Arbitrary<Message> = fc.oneof(
  ...Object.entries(MESSAGES).map(([type, { fields }]) => groupOf(fields).map((values) => ({ type, ...values }) as unknown as Message)),
);

function codeOf(bytes: Uint8Array): string {
  try {
    decodeMessage(bytes);
    return 'ok';
  } catch (error) {
    if (error instanceof DbError) return error.code;
    throw error;
  }
}

describe('message codec', () => {
  it('gives back every message it was given', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeMessage(encodeMessage(message))).toStrictEqual(message);
      }),
      propertyOptions(500),
    );
  });

  it('refuses cut, flipped and spliced bytes with a typed error', () => {
    const codes = ['ok', 'FORMAT_INVALID', 'CHECKSUM_MISMATCH', 'FORMAT_VERSION_UNSUPPORTED', 'PROTOCOL_INCOMPATIBLE'];
    fc.assert(
      fc.property(messages, fc.nat(), fc.nat(255), fc.boolean(), (message, at, value, cuts) => {
        const bytes = encodeMessage(message);
        const damaged = cuts ? bytes.slice(0, at % bytes.length) : bytes.with(at % bytes.length, value);
        expect(codes).toContain(codeOf(damaged));
      }),
      propertyOptions(1000),
    );
  });

  it('skips an unknown message that says it may be skipped, and closes on one that does not', () => {
    expect(decodeMessage(Uint8Array.of(200, 1, 9, 9, 9))).toBeUndefined();
    expect(codeOf(Uint8Array.of(200, 0, 9, 9, 9))).toBe('PROTOCOL_INCOMPATIBLE');
    expect(codeOf(Uint8Array.of(200, 2))).toBe('FORMAT_INVALID');
  });

  it('refuses a message above its bound before reading it', () => {
    expect(codeOf(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toBe('FORMAT_INVALID');
  });

  it('refuses a count that its bytes cannot hold without allocating for it', () => {
    const writer = new ByteWriter();
    writer.u8(MESSAGES.subscribe.code);
    writer.u8(0);
    writer.string('c/p/0');
    for (const value of [1, 0, 0, 1000, 2 ** 40]) writer.varUint(value);
    expect(codeOf(writer.toBytes())).toBe('FORMAT_INVALID');
  });

  it('refuses pushed ops that skip a seq or change the client id', () => {
    const push = (records: readonly OpRecord[]): Uint8Array => encodeMessage({ type: 'push', channel: 'c', subscription: 1, records });
    expect(codeOf(push([opRecord(5), opRecord(6)]))).toBe('ok');
    expect(codeOf(push([opRecord(5), opRecord(7)]))).toBe('FORMAT_INVALID');
    expect(codeOf(push([opRecord(5), { ...opRecord(6), clientId: 'client-b' }]))).toBe('FORMAT_INVALID');
  });
});

describe('protocol version', () => {
  it('changes when the messages do: a new hash here needs a new PROTOCOL_VERSION and a line of history', () => {
    const text = JSON.stringify(MESSAGES);
    expect([PROTOCOL_VERSION, hashToHex(hash64(utf8Encode(text)))]).toStrictEqual([6, 'f0339f3b1ad5c891']);
  });

  it('has one code per message', () => {
    const codes = Object.values(MESSAGES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('is the highest that both sides speak, or says who has to upgrade', () => {
    expect(negotiate({ oldest: OLDEST_PROTOCOL_VERSION, newest: PROTOCOL_VERSION })).toBe(PROTOCOL_VERSION);
    expect(negotiate({ oldest: 1, newest: 3 }, { oldest: 2, newest: 5 })).toBe(3);
    expect(negotiate({ oldest: 1, newest: 1 }, { oldest: 2, newest: 5 })).toBe('incompatible-client');
    expect(negotiate({ oldest: 6, newest: 7 }, { oldest: 2, newest: 5 })).toBe('incompatible-server');
  });
});
