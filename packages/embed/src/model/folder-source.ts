import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf, throwIfAborted, unavailable } from '../errors.ts';
import type { ModelSource } from './source.ts';

/** A model's folder on disk. Node only. */
export function createFolderSource(folder: string): ModelSource {
  return {
    name: folder,
    async read(path, options = {}) {
      throwIfAborted(options.signal);
      try {
        const bytes = new Uint8Array(await readFile(join(folder, path)));
        options.onProgress?.(bytes.length, bytes.length);
        return bytes;
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return undefined;
        throw unavailable('unreachable', `model file ${join(folder, path)} could not be read: ${textOf(error)}`, error);
      }
    },
  };
}
