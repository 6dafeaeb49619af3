import { expect, test } from 'vitest';
import { loadKernel } from '../load.ts';
import { fixtureLists, LISTS_FIXTURE_SHA256 } from '../testing/fixture.ts';
import { openLists } from './open.ts';

test('a list index built in a browser has the bytes of one built in Node', async () => {
  const kernel = await loadKernel();
  const bytes = fixtureLists(kernel);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  expect([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe(LISTS_FIXTURE_SHA256);
  expect(openLists(kernel, bytes).rows).toBe(70);
});
