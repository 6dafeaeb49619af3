import type { Timestamp } from '@terndb/core';
import type { SegmentInput } from '../types.ts';
import { definitionOf, FIELDS, inputOf, type TestRow } from './segment-arbitraries.ts';

/** What the stored fixtures hold: one row of every kind of value, one of nulls, one between. Not to be changed while version 1 or 2 is read. */
const stamp = (hlc: number, clientId: string) => ({ hlc: hlc as Timestamp, clientId });

export const FIXTURE_DEFINITION: SegmentInput['definition'] = definitionOf('varchar', FIELDS);
export const FIXTURE_ROWS: readonly TestRow[] = [
  {
    pk: 'arctic tern',
    putSeq: 7,
    origins: { wide: { model: 'mini@1', sourceHash: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) } },
    put: stamp(3_700_000_000_000_000, 'client-b'),
    exceptions: [
      { field: 'body', stamp: stamp(3_700_000_000_000_001, 'client-a') },
      { field: 'price', stamp: stamp(3_700_000_000_000_002, 'client-b') },
    ],
    values: {
      aBooleans: [true, false],
      aInts: [1, -2, 2n ** 63n - 1n],
      aKeywords: ['sea', 'ice', 'sea'],
      aNumbers: [0.5, -1e300],
      at: 1_795_000_000_000,
      binary: Uint8Array.of(0xa5, 0x01),
      body: 'Sterna paradisaea flies from pole to pole. \u{1f426}',
      count: -(2n ** 63n),
      doc: Uint8Array.of(1, 2, 3),
      done: true,
      essay: 'é',
      extra: '{"a":[1,null]}',
      kind: 'bird',
      price: 12.25,
      terms: { indices: Uint32Array.of(3, 70_000), values: Float32Array.of(0.5, 2) },
      vector: Float32Array.of(1, -2, 0.5, 0, 3),
      wide: Float32Array.of(0.25, 8),
    },
  },
  {
    pk: 'common tern',
    put: stamp(3_700_000_000_000_003, 'client-a'),
    exceptions: [],
    values: Object.fromEntries(FIELDS.map(({ name }) => [name, null])),
  },
  {
    pk: '\u{10000}',
    put: stamp(3_700_000_000_000_004, 'client-a'),
    exceptions: [],
    values: {
      ...Object.fromEntries(FIELDS.map(({ name }) => [name, null])),
      body: '',
      count: 42,
      kind: 'auk',
      vector: new Float32Array(5),
    },
  },
];

export const fixtureInput = (): SegmentInput => inputOf(FIXTURE_DEFINITION, FIXTURE_ROWS);
