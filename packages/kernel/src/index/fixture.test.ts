import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { FIXTURE_SHA256, fixtureIndex } from '../testing/fixture.ts';
import { openHnsw } from './open.ts';

const file = new URL('./fixtures/hnsw-1.bin', import.meta.url);

test.each(BUILDS)('writes version 1 as it was stored, and opens it (%s)', async (build) => {
  const [kernel, stored] = [await freshKernel(build), await readFile(file)];
  expect(stored.equals(fixtureIndex(kernel))).toBe(true);
  const digest = await crypto.subtle.digest('SHA-256', stored);
  expect(Buffer.from(digest).toString('hex')).toBe(FIXTURE_SHA256);
  const index = openHnsw(kernel, stored);
  expect([index.rows, index.linked, index.dim, index.metric]).toEqual([60, 50, 17, 'L2']);
});
