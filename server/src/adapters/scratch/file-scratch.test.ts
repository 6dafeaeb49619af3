import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DbError } from '@terndb/core';
import { scratchFilesContract } from '@terndb/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileScratch } from './file-scratch.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-scratch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

scratchFilesContract(
  'a folder',
  async () => ({ store: FileScratch.open(folder), reopen: async () => FileScratch.open(folder), dispose: async () => {} }),
  { describe, it, expect },
);

describe('scratch files of a server', () => {
  it('leave nothing in the folder, even while they are open', async () => {
    const file = await FileScratch.open(folder).create(1_000);
    file.write(0, new Uint8Array(1_000).fill(1));
    expect(await readdir(folder)).toEqual([]);
    file.free();
  });

  it('are readable by nobody else', async () => {
    const inside = join(folder, 'scratch');
    FileScratch.open(inside);
    expect((await stat(inside)).mode & 0o077).toBe(0);
  });

  it('remove what an earlier process left, and nothing that is not theirs', async () => {
    await writeFile(join(folder, '77-1.scratch'), 'left');
    await writeFile(join(folder, 'notes.txt'), 'kept');
    FileScratch.open(folder);
    expect(await readdir(folder)).toEqual(['notes.txt']);
  });

  it('refuse a read beyond their end, and any after their end, by a code', async () => {
    const file = await FileScratch.open(folder).create(10);
    expect(() => file.read(5, new Uint8Array(6))).toThrowError(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
    file.free();
    expect(() => file.read(0, new Uint8Array(1))).toThrowError(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
  });

  it('say why one cannot be had, once', async () => {
    const told: DbError[] = [];
    const scratch = FileScratch.open(folder, (error) => told.push(error));
    await rm(folder, { recursive: true });
    await expect(scratch.create(10)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { code: 'ENOENT' } });
    expect(told.map(({ code }) => code)).toEqual(['STORAGE_UNAVAILABLE']);
  });

  it('are refused as full when the disk is, and give back what they had', async ({ skip }) => {
    const bytes = 2 ** 20;
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]).status !== 0)
      skip('a small disk cannot be mounted here: it takes root');
    try {
      const told: DbError[] = [];
      const scratch = FileScratch.open(folder, (error) => told.push(error));
      const file = await scratch.create(2 * bytes);
      expect(() => file.write(0, new Uint8Array(2 * bytes))).toThrowError(expect.objectContaining({ code: 'STORAGE_FULL' }));
      expect(told.map(({ code }) => code)).toEqual(['STORAGE_FULL']);
      file.free();
      const next = await scratch.create(bytes / 2);
      next.write(0, new Uint8Array(bytes / 2));
      next.free();
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  });
});
