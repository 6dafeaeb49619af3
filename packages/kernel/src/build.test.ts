import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FILES } from './testing/builds.ts';

/** Most of what a page may load for it; it is a third of that. */
const MAX_GZIP_BYTES = 40_000;

test.each(['kernel.wasm', 'kernel.threads.wasm'])('%s weighs little', async (build) => {
  const bytes = await readFile(new URL(`../dist/${build}`, import.meta.url));
  expect(bytes.length).toBeGreaterThan(1000);
  expect(gzipSync(bytes).length).toBeLessThanOrEqual(MAX_GZIP_BYTES);
});

test('the same sources give the same bytes, and dist/ holds them', { timeout: 120_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), 'tern-kernel-'));
  try {
    await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../scripts/build.mjs', import.meta.url)), '--out', out]);
    for (const build of FILES) {
      const [again, built] = [await readFile(join(out, build)), await readFile(new URL(`../dist/${build}`, import.meta.url))];
      expect(again.length).toBeGreaterThan(1000);
      expect(again.equals(built), `${build}: run npm run build -w @terndb/kernel`).toBe(true);
    }
  } finally {
    await rm(out, { recursive: true });
  }
});
