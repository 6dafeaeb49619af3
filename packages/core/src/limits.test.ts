import { expect, test } from 'vitest';
import page from '../../../docs/limits.md?raw';
import { ERROR_CODES } from './errors/table.ts';
import * as limits from './limits.ts';

const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,]+) \| (\w+) \|/gm)].map(([, name, value, code]) => ({
  name: name!,
  value: Number(value!.replaceAll(',', '')),
  code: code!,
}));

test('docs/limits.md lists every limit with its value, and nothing else', () => {
  const documented = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  const defined = Object.fromEntries(Object.entries(limits).filter(([name]) => name.startsWith('MAX_')));
  expect(rows.length).toBeGreaterThan(0);
  expect(documented).toEqual(defined);
});

test('docs/limits.md states the defaults as they are', () => {
  expect(page).toContain(`${limits.DEFAULT_QUERY_LIMIT} entities (\`DEFAULT_QUERY_LIMIT\`)`);
  expect(page).toContain(`${limits.DEFAULT_SEARCH_LIMIT} hits (\`DEFAULT_SEARCH_LIMIT\`)`);
});

test('every error that a limit gives is in the registry', () => {
  for (const { code } of rows) expect(Object.keys(ERROR_CODES)).toContain(code);
});

test('limits fit each other: an entity leaves room in an op, a text fits an entity, the largest vector does too', () => {
  expect(limits.MAX_OP_BYTES - limits.MAX_ENTITY_BYTES).toBeGreaterThanOrEqual(1024);
  expect(limits.MAX_TEXT_BYTES).toBeLessThanOrEqual(limits.MAX_ENTITY_BYTES);
  expect(limits.MAX_DIM * 4).toBeLessThan(limits.MAX_ENTITY_BYTES);
  expect(limits.MAX_SPARSE_TERMS * 8).toBeLessThan(limits.MAX_ENTITY_BYTES);
  expect(limits.MAX_COLLECTION_DEFINITION_BYTES).toBeLessThan(65_536);
});
