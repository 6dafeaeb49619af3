import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { diskCheck } from './disk-check.ts';

const DISK_BYTES = 24 * 2 ** 20;

let folder: string;
let isMounted = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'terndb-disk-'));
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]).status === 0;
});
afterEach(() => {
  if (isMounted) spawnSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

it('says how much room is left, before there is none', async ({ skip }) => {
  if (!isMounted) skip('a small disk cannot be mounted here (it takes root)');
  const check = diskCheck(folder);
  expect(await check()).toEqual({ status: 'ok' });
  writeFileSync(join(folder, 'most'), Buffer.alloc(22 * 2 ** 20));
  expect(await check()).toEqual({ status: 'degraded', reason: `${2 * 2 ** 20} of ${DISK_BYTES} bytes are free` });
  writeFileSync(join(folder, 'rest'), Buffer.alloc(1.5 * 2 ** 20));
  expect((await check()).status).toBe('failing');
  rmSync(join(folder, 'most'));
  expect(await check()).toEqual({ status: 'ok' });
});

it('says that a disk is read-only, as it becomes after an error', async ({ skip }) => {
  if (!isMounted) skip('a disk cannot be mounted here (it takes root)');
  const check = diskCheck(folder);
  spawnSync('mount', ['-o', 'remount,ro', folder]);
  expect(await check()).toEqual({ status: 'failing', reason: 'EROFS: the data folder cannot be written' });
  spawnSync('mount', ['-o', 'remount,rw', folder]);
  expect(await check()).toEqual({ status: 'ok' });
});

it('says that the folder is gone', async () => {
  expect(await diskCheck(join(folder, 'none'))()).toEqual({ status: 'failing', reason: 'ENOENT: the data folder cannot be written' });
});
