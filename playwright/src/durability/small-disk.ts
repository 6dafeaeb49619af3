import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  readonly folder: string;
  grow(options: { megabytes: number }): Promise<void>;
  unmount(): Promise<void>;
}

/** A file system of its own that is soon full; undefined where this process may not mount one. */
export async function mountSmallDisk(options: { megabytes: number }): Promise<SmallDisk | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'terndb-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${options.megabytes}m`, 'tmpfs', folder]);
  return {
    folder,
    grow: async ({ megabytes }) => void (await run('mount', ['-o', `remount,size=${megabytes}m`, folder])),
    unmount: async () => {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
