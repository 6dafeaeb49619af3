import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { fixtureLists, LISTS_FIXTURE_SHA256 } from '../testing/fixture.ts';
import { openLists } from './open.ts';

const file = new URL('./fixtures/ivf-1.bin', import.meta.url);

test.each(BUILDS)('writes version 1 as it was stored, and opens it (%s)', async (build) => {
  const [kernel, stored] = [await freshKernel(build), await readFile(file)];
  expect(stored.equals(fixtureLists(kernel))).toBe(true);
  const digest = await crypto.subtle.digest('SHA-256', stored);
  expect(Buffer.from(digest).toString('hex')).toBe(LISTS_FIXTURE_SHA256);
  const index = openLists(kernel, stored);
  expect([index.rows, index.lists, index.dim, index.metric, index.codes]).toEqual([70, 4, 17, 'L2', 'b1']);
});
