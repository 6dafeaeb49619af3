import { comparePrimaryKeys, type PrimaryKey, type Stamp, type Timestamp } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';
import { sealEnvelope } from '../bytes/envelope.ts';
import { damageCode, withFlippedBit, withSplice } from '../bytes/testing/damage-bytes.ts';
import { FIXTURE_TOMBSTONES, TOMBSTONES_V1 } from './fixtures/tombstones-v1.ts';
import { readTombstones, writeTombstones } from './tombstone-file.ts';
import { type TombstoneEntry, TombstoneSet } from './tombstone-set.ts';

const stamps: fc.Arbitrary<Stamp> = fc.record(
  { hlc: fc.maxSafeNat(), clientId: fc.constantFrom('ada', 'bob', 'é') },
  { noNullPrototype: true },
) as never;
const keys = {
  varchar: fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', '\u{10000}', '\uffff')),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n)),
};
const entriesOf = (key: fc.Arbitrary<PrimaryKey>): fc.Arbitrary<TombstoneEntry[]> =>
  fc
    .uniqueArray(fc.record({ pk: key, put: fc.option(stamps, { nil: undefined }), delete: stamps }, { noNullPrototype: true }), {
      maxLength: 30,
      selector: ({ pk }) => pk,
    })
    .map((entries) => entries.sort((a, b) => comparePrimaryKeys(a.pk, b.pk)));
const entries = fc.oneof(entriesOf(keys.varchar), entriesOf(keys.int64));

const stamp = (hlc: number, clientId: string): Stamp => ({ hlc: hlc as Timestamp, clientId });
const SAMPLE = writeTombstones([
  { pk: 'a', put: undefined, delete: stamp(2048, 'ada') },
  { pk: 'b\u{10000}', put: stamp(4096, 'bob'), delete: stamp(2 ** 52, 'ada') },
  { pk: 'b\uffff', put: stamp(1, 'ada'), delete: stamp(3, 'bob') },
]);
const read = (bytes: Uint8Array): TombstoneEntry[] => readTombstones(bytes, 'tombstones t');

describe('a tombstone file', () => {
  it('gives back every tombstone, the set sorts them, and equal tombstones give equal bytes', () => {
    fc.assert(
      fc.property(entries, (drawn) => {
        const bytes = writeTombstones(drawn);
        expect(read(bytes)).toEqual(drawn);
        const set = new TombstoneSet([...read(bytes)].reverse());
        expect(set.size).toBe(drawn.length);
        expect(writeTombstones(set.sorted())).toEqual(bytes);
        for (const entry of drawn) expect(set.get(entry.pk)).toEqual(entry);
      }),
      propertyOptions(200),
    );
  });

  it('cut, flipped or spliced anywhere is refused', async () => {
    for (let length = 0; length < SAMPLE.length; length++) expect(await damageCode(() => read(SAMPLE.slice(0, length)))).toBeDefined();
    for (let bit = 0; bit < SAMPLE.length * 8; bit++) {
      const code = await damageCode(() => read(withFlippedBit(SAMPLE, bit)));
      if (bit >= 16 * 8) expect(code).toBe('CHECKSUM_MISMATCH');
      else expect(code).toBeDefined();
    }
    for (let from = 0; from < SAMPLE.length; from++) {
      const damaged = withSplice(SAMPLE, { from, to: from * 7 + 3, length: 9 });
      if (damaged.some((byte, index) => byte !== SAMPLE[index])) expect(await damageCode(() => read(damaged))).toBeDefined();
    }
  });

  it('whose checksum was made right again gives a typed error or tombstones, never another error', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (edits) => {
        const body = SAMPLE.slice(16);
        for (const [at, value] of edits) body[at % body.length] = value;
        if ((await damageCode(() => read(sealEnvelope({ magic: 0x31424d54, version: 1 }, body)))) !== undefined) refused++;
      }),
      propertyOptions(1000),
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('with absurd counts is refused without allocating them', async () => {
    const seal = (body: number[]): Uint8Array => sealEnvelope({ magic: 0x31424d54, version: 1 }, Uint8Array.from(body));
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(await damageCode(() => read(seal([1, ...huge])))).toBe('FORMAT_INVALID');
    expect(await damageCode(() => read(seal([1, 0, ...huge])))).toBe('FORMAT_INVALID');
    expect(await damageCode(() => read(seal([1, 1, ...huge])))).toBe('FORMAT_INVALID');
    expect(await damageCode(() => read(seal([1, 0, 0])))).toBeUndefined();
  });
});

describe('a stored tombstone file of version 1', () => {
  it('is read as it was written, and is what the writer still writes', () => {
    expect(read(fromBase64Url(TOMBSTONES_V1)!)).toEqual(FIXTURE_TOMBSTONES);
    expect(toBase64Url(writeTombstones(FIXTURE_TOMBSTONES))).toBe(TOMBSTONES_V1);
  });
});

describe('a set of tombstones', () => {
  it('keeps the last entry of a key and tells number from text', () => {
    const set = new TombstoneSet([{ pk: 1, put: undefined, delete: stamp(1, 'ada') }]);
    set.set({ pk: 1, put: undefined, delete: stamp(2, 'ada') });
    expect(set.get(1)?.delete.hlc).toBe(2);
    expect(set.get('1')).toBeUndefined();
    expect(set.delete(1)).toBe(true);
    expect(set.delete(1)).toBe(false);
    expect([...set]).toEqual([]);
  });
});
