import type { Timestamp } from '@terndb/core';
import { propertyOptions } from '@terndb/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBitmap, setBit } from '../bitmap/bitmap.ts';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.ts';
import { sealEnvelope } from '../bytes/envelope.ts';
import { damageCode, withFlippedBit, withSplice } from '../bytes/testing/damage-bytes.ts';
import { FIXTURE_MANIFEST, MANIFEST_V1 } from './fixtures/manifest-v1.ts';
import { FIXTURE_MANIFEST_V2, MANIFEST_V2 } from './fixtures/manifest-v2.ts';
import { readManifest, writeManifest } from './manifest-file.ts';
import type { Manifest, ManifestSegment, ManifestTombstones } from './types.ts';

const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record(model, { noNullPrototype: true });
const name = fc.string({ unit: 'grapheme', maxLength: 10 });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const timestamps = fc.maxSafeNat() as unknown as fc.Arbitrary<Timestamp>;

const dead = (rows: number): fc.Arbitrary<Uint32Array | null> =>
  fc.uniqueArray(fc.nat(rows - 1), { maxLength: Math.min(rows, 60) }).map((offsets) => {
    const words = createBitmap(rows);
    for (const offset of offsets) setBit(words, offset);
    return offsets.length === 0 ? null : words;
  });
const indexes = fc.array(plain({ field: name, type: fc.constantFrom('hnsw', 'flat'), name, bytes: fc.maxSafeNat(), checksum: uint32 }), {
  maxLength: 2,
});
const segments: fc.Arbitrary<ManifestSegment> = fc
  .integer({ min: 1, max: 1000 })
  .chain((rows) => plain<ManifestSegment>({ id: name, name, rows: fc.constant(rows), bytes: fc.maxSafeNat(), dead: dead(rows), indexes }));
const tombstones: fc.Arbitrary<ManifestTombstones> = fc.oneof(
  plain({ type: fc.constant('none' as const) }),
  plain({ type: fc.constant('inline' as const), bytes: fc.uint8Array({ maxLength: 50 }) }),
  plain({ type: fc.constant('object' as const), name, bytes: fc.maxSafeNat() }),
);
const rejected = fc.array(plain({ seq: fc.maxSafeNat(), code: fc.constantFrom('STALE_WRITE', 'FORBIDDEN') }), { maxLength: 3 });
const lmids = fc
  .uniqueArray(plain({ clientId: name, lmid: fc.maxSafeNat(), position: fc.maxSafeNat(), lastHlc: timestamps, author: name, rejected }), {
    maxLength: 4,
    selector: ({ clientId }) => clientId,
  })
  .map((entries) => entries.sort((a, b) => (a.clientId < b.clientId ? -1 : 1)));
const manifests: fc.Arbitrary<Manifest> = plain({
  logEpoch: fc.uuid(),
  channel: name,
  version: fc.maxSafeNat(),
  upTo: fc.maxSafeNat(),
  brokerCursor: fc.maxSafeNat(),
  floor: timestamps,
  maxHlc: timestamps,
  hash: plain({ lo: uint32, hi: uint32 }),
  schemaVersion: fc.maxSafeNat(),
  segments: fc.array(segments, { maxLength: 4 }),
  tombstones,
  lmids,
});

const KIND = { magic: 0x31464d54, version: 2 };
const SAMPLE = writeManifest(
  fc.sample(
    manifests.filter((manifest) => manifest.segments.length > 1 && manifest.lmids.length > 1 && manifest.tombstones.type !== 'none'),
    { numRuns: 1, seed: 11 },
  )[0]!,
);
const read = (bytes: Uint8Array): Manifest => readManifest(bytes, 'manifest m');

describe('a manifest', () => {
  it('gives back everything that was written, and equal manifests give equal bytes', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = writeManifest(manifest);
        expect(read(bytes)).toEqual(manifest);
        expect(writeManifest(read(bytes))).toEqual(bytes);
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
      const damaged = withSplice(SAMPLE, { from, to: from * 7 + 3, length: 30 });
      if (damaged.some((byte, index) => byte !== SAMPLE[index])) expect(await damageCode(() => read(damaged))).toBeDefined();
    }
  });

  it('whose checksum was made right again gives a typed error or a manifest, never another error', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), async (edits) => {
        const body = SAMPLE.slice(16);
        for (const [at, value] of edits) body[at % body.length] = value;
        if ((await damageCode(() => read(sealEnvelope(KIND, body)))) !== undefined) refused++;
      }),
      propertyOptions(1000),
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('of an unknown version says so', async () => {
    expect(await damageCode(() => read(sealEnvelope({ ...KIND, version: 3 }, SAMPLE.slice(16))))).toBe('FORMAT_VERSION_UNSUPPORTED');
  });

  it('that claims more rows than a channel can hold is refused before a bitmap of them is made', async () => {
    const many = { id: 's', name: 's', rows: 2 ** 24, bytes: 1, dead: null, indexes: [] };
    const base = read(SAMPLE);
    const manifest = (segments: readonly ManifestSegment[]): Uint8Array => writeManifest({ ...base, segments });
    expect(await damageCode(() => read(manifest(Array.from({ length: 8 }, () => many))))).toBeUndefined();
    expect(await damageCode(() => read(manifest(Array.from({ length: 9 }, () => many))))).toBe('FORMAT_INVALID');
    expect(await damageCode(() => read(manifest([{ ...many, rows: 2 ** 24 + 1 }])))).toBe('FORMAT_INVALID');
  });
});

describe('a stored manifest', () => {
  it('of version 1 is read as it was written', () => {
    expect(read(fromBase64Url(MANIFEST_V1)!)).toEqual(FIXTURE_MANIFEST);
  });

  it('of version 2 is read as it was written, and is what the writer still writes', () => {
    expect(read(fromBase64Url(MANIFEST_V2)!)).toEqual(FIXTURE_MANIFEST_V2);
    expect(toBase64Url(writeManifest(FIXTURE_MANIFEST_V2))).toBe(MANIFEST_V2);
  });
});
