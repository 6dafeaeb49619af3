import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { drawAgain, type Row, writeReport } from './write-report.ts';

const settings = { k: 10, m: 16, efConstruction: 200, seed: 1 };
const row = (data: string, name: string, qps: number): Row => ({
  data,
  rows: 1_000,
  name,
  buildSeconds: 1,
  search: [
    { level: 0.95, ef: 32, recall: 0.96, qps, p50: 1, p99: 2 },
    { level: 0.99, ef: 64, recall: 0.995, qps: qps / 2, p50: 1, p99: 2 },
  ],
  filtered: [],
  bytesPerVector: 100,
  rerankBytesPerVector: 0,
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tern-report-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

it('replaces what was measured anew and keeps the rest, each group with the run it is of', () => {
  writeReport(folder, [row('clustered', 'ours', 900), row('clustered in Chromium', 'ours', 500)], settings);
  writeReport(
    folder,
    [row('clustered in Chromium', 'ours', 700), { data: 'clustered in Chromium', rows: 1_000, name: 'x', missing: 'no x' }],
    settings,
  );
  const { rows, runs } = JSON.parse(read('kernel.json')) as { rows: Row[]; runs: Record<string, { date: string }> };
  expect(rows.map(({ data, name }) => `${data}: ${name}`)).toEqual([
    'clustered: ours',
    'clustered in Chromium: ours',
    'clustered in Chromium: x',
  ]);
  expect(Object.keys(runs)).toEqual(['clustered, 1,000 rows', 'clustered in Chromium, 1,000 rows']);
  const page = read('kernel.md');
  expect(page).toContain('700 (ef 32)');
  expect(page).toContain('900 (ef 32)');
  expect(page).not.toContain('500 (ef 32)');
  expect(page).toContain('not measured: no x');
});

it('draws a mark for each point and a name for each contender that has any', () => {
  writeReport(
    folder,
    [row('clustered', 'ours', 900), row('clustered', 'theirs', 300), { data: 'clustered', rows: 1_000, name: 'gone', missing: 'x' }],
    settings,
  );
  const drawn = read('kernel.svg');
  expect(drawn).toContain('clustered, 1,000 rows');
  expect(drawn).toContain('>ours</text>');
  // Two points and one in the legend.
  expect(drawn.match(/<circle/g)).toHaveLength(3);
  expect(drawn).not.toContain('gone');
  expect(drawn).not.toMatch(/NaN|Infinity/);
  drawAgain(folder);
  expect(read('kernel.svg')).toBe(drawn);
});
