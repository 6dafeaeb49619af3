import fc from 'fast-check';
import type { BatchOp, Frame, Hash64, LogRecord, Op, OpRecord, SingleOp } from '../ops/op.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { PrimaryKey, ScalarValue, SparseValue, StoredFields, StoredValue } from '../value/value.ts';

/** What fast-check draws frames from: every kind of value, op and record, with sizes that keep a run short. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record(model, { noNullPrototype: true });

const wholeText = fc.string({ unit: 'grapheme', maxLength: 12 });
const safeInteger = fc.maxSafeInteger();
const wideInt64 = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .filter((value) => value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

export const scalars: fc.Arbitrary<ScalarValue> = fc.oneof(wholeText, safeInteger, finite, wideInt64, fc.boolean());

export const sparseValues: fc.Arbitrary<SparseValue> = fc
  .uniqueArray(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 8 })
  .map((indices) => {
    const sorted = Uint32Array.from(indices).sort();
    return { indices: sorted, values: Float32Array.from(sorted, (index) => (index % 97) / 7) };
  });

const float32Arrays = fc.array(fc.float({ noNaN: true }), { maxLength: 16 }).map((values) => Float32Array.from(values));

export const storedValues: fc.Arbitrary<StoredValue> = fc.oneof(
  fc.constant(null),
  scalars,
  fc.uint8Array({ maxLength: 40 }),
  float32Arrays,
  sparseValues,
  fc.array(scalars, { maxLength: 8 }),
);

export const primaryKeys: fc.Arbitrary<PrimaryKey> = fc.oneof(wholeText, safeInteger, wideInt64);
const fieldNames = fc.constantFrom('title', 'body', 'year', 'tags', 'vector', '$meta', 'a', 'b2', '_c');
export const storedFields: fc.Arbitrary<StoredFields> = fc.dictionary(fieldNames, storedValues, { maxKeys: 6, noNullPrototype: true });

const seqs = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const clientIds = fc.constantFrom('client-a', 'client-b', '');

export const singleOps: fc.Arbitrary<SingleOp> = fc.oneof(
  plain({ type: fc.constant('put' as const), pk: primaryKeys, fields: storedFields, create: fc.boolean() }),
  plain({ type: fc.constant('patch' as const), pk: primaryKeys, fields: storedFields }),
  plain({ type: fc.constant('delete' as const), pk: primaryKeys }),
  plain({
    type: fc.constant('yjs' as const),
    pk: primaryKeys,
    field: fieldNames,
    base: plain({ clientId: clientIds, seq: seqs }),
    update: fc.uint8Array({ maxLength: 40 }),
  }),
  plain({
    type: fc.constant('vector' as const),
    pk: primaryKeys,
    field: fieldNames,
    model: wholeText,
    sourceHash: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    vector: float32Arrays,
  }),
);

const batches: fc.Arbitrary<BatchOp> = fc.array(singleOps, { maxLength: 5 }).map((ops) => ({ type: 'batch', ops }));
export const ops: fc.Arbitrary<Op> = fc.oneof({ weight: 4, arbitrary: singleOps }, { weight: 1, arbitrary: batches });

export const timestamps: fc.Arbitrary<Timestamp> = fc.maxSafeNat() as unknown as fc.Arbitrary<Timestamp>;
const opRecordParts = {
  type: fc.constant('op' as const),
  op: ops,
  hlc: timestamps,
  clientId: clientIds,
  seq: seqs,
  author: wholeText,
  schemaVersion: fc.nat(),
};
const opRecords: fc.Arbitrary<OpRecord> = fc.oneof(
  plain(opRecordParts),
  plain({ ...opRecordParts, origin: plain({ clientId: clientIds, seq: seqs }) }),
);

export const logRecords: fc.Arbitrary<LogRecord> = fc.oneof(
  { weight: 5, arbitrary: opRecords },
  plain({
    type: fc.constant('reject' as const),
    clientId: clientIds,
    seq: seqs,
    code: fc.constantFrom('STALE_WRITE', 'FORBIDDEN'),
    author: wholeText,
  }),
  plain({ type: fc.constant('gc' as const), floor: timestamps }),
  plain({ type: fc.constant('gc' as const), floor: timestamps, expiredBefore: timestamps }),
  plain({ type: fc.constant('expire' as const), clientId: clientIds }),
);

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const hashes: fc.Arbitrary<Hash64> = plain({ lo: uint32, hi: uint32 });

export const frames: fc.Arbitrary<Frame> = plain({
  logEpoch: fc.uuid(),
  leaderEpoch: fc.maxSafeNat(),
  channel: fc.constantFrom('c1/p1/0', 'c2/p1/3'),
  base: fc.integer({ min: 1, max: 2 ** 50 }),
  hashBefore: hashes,
  records: fc.array(logRecords, { minLength: 1, maxLength: 6 }),
});
