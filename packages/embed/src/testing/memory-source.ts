import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODEL_FOLDER } from '@terndb/model-mini';
import type { ModelSource } from '../model/source.ts';

export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The shipped model's files, to be damaged by a test. */
export function shippedFiles(): Files {
  const folder = fileURLToPath(MODEL_FOLDER);
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path)).isFile());
  return new Map(paths.map((path) => [path.replaceAll('\\', '/'), new Uint8Array(readFileSync(join(folder, path)))]));
}

export function memorySource(files: Files): ModelSource {
  return { name: 'memory', read: (path) => Promise.resolve(files.get(path)) };
}
