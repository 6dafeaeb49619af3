import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { FILES } from './testing/builds.ts';

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
