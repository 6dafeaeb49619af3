import {
  defineSchema,
  f,
  MAX_DIM,
  MAX_SPARSE_TERMS,
  normalizePatch,
  normalizePut,
  type Op,
  type StoredFields,
  type StoredValue,
} from '@terndb/core';
import { emptyReplica, loadCollab } from '@terndb/engine/parts';
import { testKernel } from '@terndb/engine/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { NodeChannel } from '../channels/node-channel.ts';
import { checkOp } from './check-op.ts';

const { definition: schema } = defineSchema({
  all: {
    id: f.primaryKey('varchar', { maxLength: 10 }),
    text: f.text({ maxLength: 8 }),
    body: f.collabText(),
    doc: f.collab(),
    tag: f.keyword(['a', 'b']),
    big: f.int64().nullable(),
    number: f.number(),
    flag: f.boolean().default(true),
    day: f.date(),
    data: f.json(),
    list: f.array(f.int64(), { maxCapacity: 2 }),
    dense: f.vector(3, { metric: 'L2' }),
    derived: f.vector({ embed: ['text'] }),
    sparse: f.sparseVector(),
    bits: f.binaryVector(16),
  },
  numbered: { id: f.primaryKey('int64') },
});
const definition = schema.collections.all;
const good = {
  id: 'k',
  text: 'märz',
  body: 'body',
  tag: 'a',
  big: 2n ** 60n,
  number: -0,
  day: new Date(0),
  data: { a: [1, null] },
  list: [1, 2n ** 60n],
  dense: [1, 2, 3],
  sparse: { 3: 0.5, 9: 1 },
  bits: new Uint8Array(2),
};

let channel: NodeChannel;
async function channelOf(of: (typeof schema.collections)[keyof typeof schema.collections]): Promise<NodeChannel> {
  const collection = { name: 'all', collectionId: 'c', definition: of, schemaVersion: 1, schemaHash: '' };
  const replica = emptyReplica({ channel: 'c/p/0', logEpoch: 'e', definition: of, kernel: await testKernel() });
  return new NodeChannel({ name: 'c/p/0', collection, partition: 'p', replica, published: undefined, damage: undefined }, 0);
}
beforeEach(async () => {
  await loadCollab();
  channel = await channelOf(definition);
});

function putOf(change: Record<string, unknown> = {}): Op {
  const { pk, fields } = normalizePut(definition, 'all', { ...good, ...change }, { newKey: () => 'new' });
  return { type: 'put', pk, fields, create: true };
}
const withFields = (fields: Record<string, StoredValue | undefined>): Op => {
  const op = putOf() as Extract<Op, { type: 'put' }>;
  const merged = Object.entries({ ...op.fields, ...fields }).filter(([, value]) => value !== undefined);
  return { ...op, fields: Object.fromEntries(merged) as StoredFields };
};
const patch = (fields: StoredFields): Op => ({ type: 'patch', pk: 'k', fields });

describe('a pushed op', () => {
  it('passes when it is what the engine makes of a valid entity', () => {
    expect(checkOp(channel, putOf())).toBeUndefined();
    expect(checkOp(channel, putOf({ big: null, flag: false, data: null, list: [], sparse: {}, derived: [1, 2] }))).toBeUndefined();
    expect(
      checkOp(channel, patch(normalizePatch(definition, 'all', { text: 'x', big: 7, data: 1, bits: new Uint8Array(2) }))),
    ).toBeUndefined();
    expect(checkOp(channel, withFields({ flag: undefined, big: undefined, doc: undefined, derived: undefined }))).toBeUndefined();
    expect(checkOp(channel, { type: 'delete', pk: 'gone' })).toBeUndefined();
  });

  const wrong: readonly (readonly [string, Record<string, StoredValue | undefined>, string])[] = [
    ['a field that the schema does not have', { nothing: 1 }, 'FIELD_UNKNOWN'],
    ['the key among its fields', { id: 'k' }, 'FIELD_INVALID'],
    ['no value where one is needed', { text: undefined }, 'FIELD_INVALID'],
    ['null where it may not be', { number: null }, 'FIELD_INVALID'],
    ['a text of another type', { text: 7 }, 'FIELD_INVALID'],
    ['a text that is too long in UTF-8', { text: 'äääää' }, 'FIELD_INVALID'],
    ['a text that has no UTF-8', { text: '\ud800' }, 'FIELD_INVALID'],
    ['a keyword that is not declared', { tag: 'c' }, 'FIELD_INVALID'],
    ['a bigint that is a safe integer', { big: 7n }, 'FIELD_INVALID'],
    ['an integer beyond 64 bits', { big: 2n ** 63n }, 'FIELD_INVALID'],
    ['a fraction as an integer', { big: 0.5 }, 'FIELD_INVALID'],
    ['a number that is not finite', { number: Number.POSITIVE_INFINITY }, 'FIELD_INVALID'],
    ['a word as a flag', { flag: 'true' }, 'FIELD_INVALID'],
    ['a moment that no Date can hold', { day: 9e15 }, 'FIELD_INVALID'],
    ['a moment between milliseconds', { day: 0.5 }, 'FIELD_INVALID'],
    ['JSON that does not parse', { data: '{' }, 'FIELD_INVALID'],
    ['a list that is too long', { list: [1, 2, 3] }, 'FIELD_INVALID'],
    ['a list of something else', { list: ['1'] }, 'FIELD_INVALID'],
    ['numbers where a vector is', { dense: [1, 2, 3] }, 'FIELD_INVALID'],
    ['a vector of another dimension', { dense: new Float32Array(4) }, 'DIMENSION_MISMATCH'],
    ['a vector with a NaN', { dense: Float32Array.of(1, Number.NaN, 3) }, 'FIELD_INVALID'],
    ['a derived vector without numbers', { derived: new Float32Array(0) }, 'FIELD_INVALID'],
    ['a derived vector of more dimensions than any', { derived: new Float32Array(MAX_DIM + 1) }, 'FIELD_INVALID'],
    ['sparse dimensions out of order', { sparse: { indices: Uint32Array.of(3, 3), values: Float32Array.of(1, 1) } }, 'FIELD_INVALID'],
    ['sparse parts of unequal length', { sparse: { indices: Uint32Array.of(3), values: new Float32Array(2) } }, 'FIELD_INVALID'],
    [
      'too many sparse dimensions',
      {
        sparse: {
          indices: Uint32Array.from({ length: MAX_SPARSE_TERMS + 1 }, (_, at) => at),
          values: new Float32Array(MAX_SPARSE_TERMS + 1),
        },
      },
      'FIELD_INVALID',
    ],
    ['bits of another length', { bits: new Uint8Array(3) }, 'DIMENSION_MISMATCH'],
    ['text as bits', { bits: 'ab' }, 'FIELD_INVALID'],
    ['more bytes than an entity may have', { doc: new Uint8Array(600_000) }, 'ENTITY_TOO_LARGE'],
  ];
  it.each(wrong)('with %s is refused', (_, fields, code) => {
    expect(checkOp(channel, withFields(fields))).toBe(code);
    // All of a batch or nothing.
    const batch = [putOf(), withFields(fields)] as Extract<Op, { type: 'batch' }>['ops'];
    expect(checkOp(channel, { type: 'batch', ops: batch })).toBe(code);
  });

  it('with a key of another kind is refused, whatever it does', async () => {
    const numbered = await channelOf(schema.collections.numbered);
    for (const pk of ['7', 7n, 0.5, 2n ** 63n]) expect(checkOp(numbered, { type: 'delete', pk })).toBe('KEY_INVALID');
    for (const pk of [7, -1, 2n ** 60n]) expect(checkOp(numbered, { type: 'delete', pk })).toBeUndefined();
    for (const pk of ['', 'more than ten', 7, '\udc00']) expect(checkOp(channel, { type: 'delete', pk })).toBe('KEY_INVALID');
  });

  it('may not patch what only collab updates may change, nor derive what is not derived', () => {
    expect(checkOp(channel, patch({ body: 'x' }))).toBe('FIELD_INVALID');
    const vector = { type: 'vector', pk: 'k', model: 'm', sourceHash: new Uint8Array(16), vector: Float32Array.of(1, 2) } as const;
    expect(checkOp(channel, { ...vector, field: 'derived' })).toBeUndefined();
    expect(checkOp(channel, { ...vector, field: 'dense' })).toBe('FIELD_INVALID');
    expect(checkOp(channel, { ...vector, field: 'nothing' })).toBe('FIELD_UNKNOWN');
    const yjs = { type: 'yjs', pk: 'k', base: { clientId: 'c', seq: 1 }, update: Uint8Array.of(0, 0) } as const;
    expect(checkOp(channel, { ...yjs, field: 'body' })).toBeUndefined();
    expect(checkOp(channel, { ...yjs, field: 'text' })).toBe('FIELD_INVALID');
    for (const update of [new Uint8Array(0), new Uint8Array(1), Uint8Array.of(1, 255, 255, 255, 255, 15, 1, 0, 4)])
      expect(checkOp(channel, { ...yjs, field: 'body', update })).toBe('FIELD_INVALID');
    expect(checkOp(channel, withFields({ doc: Uint8Array.of(9) }))).toBe('FIELD_INVALID');
  });

  it('has the dimension that the first vector of its field had, also before that one is folded', () => {
    expect(checkOp(channel, withFields({ derived: Float32Array.of(1, 2) }))).toBeUndefined();
    expect(checkOp(channel, withFields({ derived: Float32Array.of(1, 2, 3) }))).toBe('DIMENSION_MISMATCH');
  });
});
