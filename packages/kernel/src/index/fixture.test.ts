import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { FIXTURE_SHA256, fixtureIndex, fixtureOneBit, ONE_BIT_FIXTURE_SHA256 } from '../testing/fixture.ts';
import { openHnsw } from './open.ts';

const VERSIONS = [
  { file: 'hnsw-1.bin', make: fixtureIndex, digest: FIXTURE_SHA256, metric: 'L2', codes: 'sq8' },
  { file: 'hnsw-2.bin', make: fixtureOneBit, digest: ONE_BIT_FIXTURE_SHA256, metric: 'COSINE', codes: 'b1' },
] as const;

describe.each(VERSIONS)('$file', ({ file, make, digest, metric, codes }) => {
  test.each(BUILDS)('is written as it was stored, and opens (%s)', async (build) => {
    const [kernel, stored] = [await freshKernel(build), await readFile(new URL(`./fixtures/${file}`, import.meta.url))];
    expect(stored.equals(make(kernel))).toBe(true);
    const sum = await crypto.subtle.digest('SHA-256', stored);
    expect(Buffer.from(sum).toString('hex')).toBe(digest);
    const index = openHnsw(kernel, stored);
    expect([index.rows, index.linked, index.dim, index.metric, index.codes]).toEqual([60, 50, 17, metric, codes]);
  });
});
