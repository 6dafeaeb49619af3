import {
  type Frame,
  type LogRecord,
  type OpRecord,
  type SingleOp,
  type StoredFields,
  type StoredValue,
  type Timestamp,
  ZERO_HASH,
} from '@terndb/core';
import fc from 'fast-check';

/** Few keys, stamps and clients, so that everything collides. The fields are those of `testDefinition`. */
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const CLIENTS = ['one', 'two', 'zwei'];

const vector = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }).map((values) => new Float32Array(values));

const fieldValues: Record<string, fc.Arbitrary<StoredValue>> = {
  rank: fc.integer({ min: 0, max: 9 }),
  tag: fc.constantFrom('x', 'y', null),
  title: fc.constantFrom('red', 'red fox', 'grey goose', ''),
  embedding: fc.option(vector, { nil: null }),
};

/** Any of the fields, perhaps none: a put fills the rest with defaults. */
const anyFields: fc.Arbitrary<StoredFields> = fc.record(fieldValues, { requiredKeys: [] }) as fc.Arbitrary<StoredFields>;

const anyOp: fc.Arbitrary<SingleOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('put' as const), pk: fc.constantFrom(...KEYS), fields: anyFields, create: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('patch' as const), pk: fc.constantFrom(...KEYS), fields: anyFields }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), pk: fc.constantFrom(...KEYS) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('vector' as const),
      pk: fc.constantFrom(...KEYS),
      field: fc.constant('embedding'),
      model: fc.constantFrom('m1', 'm2'),
      sourceHash: fc.integer({ min: 0, max: 255 }).map((byte) => new Uint8Array(16).fill(byte)),
      vector,
    }),
  },
);

const anyOpRecord: fc.Arbitrary<Omit<OpRecord, 'seq'>> = fc.record({
  type: fc.constant('op' as const),
  op: fc.oneof(
    { weight: 3, arbitrary: anyOp },
    fc.array(anyOp, { minLength: 1, maxLength: 6 }).map((ops) => ({ type: 'batch' as const, ops })),
  ),
  hlc: fc.integer({ min: 1, max: 30 }) as unknown as fc.Arbitrary<Timestamp>,
  clientId: fc.constantFrom(...CLIENTS),
  author: fc.constant(''),
  schemaVersion: fc.constant(1),
});

/** A log: sequence numbers are counted per client, as a leader lets them in. */
export const anyLog: fc.Arbitrary<readonly LogRecord[]> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: anyOpRecord },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('gc' as const),
          floor: fc.integer({ min: 1, max: 30 }) as unknown as fc.Arbitrary<Timestamp>,
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('gc' as const),
          floor: fc.integer({ min: 1, max: 30 }) as unknown as fc.Arbitrary<Timestamp>,
          expiredBefore: fc.integer({ min: 1, max: 30 }) as unknown as fc.Arbitrary<Timestamp>,
        }),
      },
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((records) => {
    const seqs = new Map<string, number>();
    return records.map((record): LogRecord => {
      if (record.type !== 'op') return record;
      const seq = (seqs.get(record.clientId) ?? 0) + 1;
      seqs.set(record.clientId, seq);
      return { ...record, seq };
    });
  });

/** Cuts a log into frames after the given counts of records (each at least 1); `hashBefore` is left zero. */
export function cutFrames(records: readonly LogRecord[], counts: readonly number[], names: Pick<Frame, 'channel' | 'logEpoch'>): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0, index = 0; at < records.length; index++) {
    const count = Math.max(1, counts[index % Math.max(1, counts.length)] ?? 1);
    frames.push({ ...names, leaderEpoch: 1, base: at + 1, hashBefore: ZERO_HASH, records: records.slice(at, at + count) });
    at += count;
  }
  return frames;
}
