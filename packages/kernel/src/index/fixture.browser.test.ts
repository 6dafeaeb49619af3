import { expect, test } from 'vitest';
import { loadKernel } from '../load.ts';
import { FIXTURE_SHA256, fixtureIndex } from '../testing/fixture.ts';
import { openHnsw } from './open.ts';

test('an index built in a browser has the bytes of one built in Node', async () => {
  const kernel = await loadKernel();
  const bytes = fixtureIndex(kernel);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  expect([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(FIXTURE_SHA256);
  expect(openHnsw(kernel, bytes).rows).toBe(60);
});
