import { expect, test } from 'vitest';
import { loadKernel } from '../load.ts';
import { FIXTURE_SHA256, fixtureIndex, fixtureOneBit, ONE_BIT_FIXTURE_SHA256 } from '../testing/fixture.ts';
import { openHnsw } from './open.ts';

test.each([
  { what: 'int8 codes', make: fixtureIndex, wanted: FIXTURE_SHA256 },
  { what: 'one-bit codes', make: fixtureOneBit, wanted: ONE_BIT_FIXTURE_SHA256 },
])('an index with $what built in a browser has the bytes of one built in Node', async ({ make, wanted }) => {
  const kernel = await loadKernel();
  const bytes = make(kernel);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  expect([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(wanted);
  expect(openHnsw(kernel, bytes).rows).toBe(60);
});
