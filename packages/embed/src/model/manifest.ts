import { DbError } from '@terndb/core';
import { isRecord, parseJson } from './json.ts';

/**
 * `manifest.json` of a model's folder, optional unless `integrity` is asked for:
 * `{ id, dim, files: { <path>: { bytes, sha256 } } }`. With it every file is checked by length and hash before use, and the id names the vectors.
 */
export interface ModelManifest {
  readonly id: string | undefined;
  readonly files: ReadonlyMap<string, ManifestFile>;
}
export interface ManifestFile {
  readonly bytes: number;
  /** Lowercase hex. */
  readonly sha256: string;
}

export function readManifest(bytes: Uint8Array, name: string): ModelManifest {
  const json = parseJson(bytes, name);
  const files = new Map<string, ManifestFile>();
  if (!isRecord(json) || !isRecord(json['files'])) throw invalid(name, 'an object with `files`', json);
  for (const [path, file] of Object.entries(json['files'])) {
    if (!isRecord(file) || !Number.isSafeInteger(file['bytes']) || !/^[0-9a-f]{64}$/.test(String(file['sha256'])))
      throw invalid(name, `\`bytes\` and a hexadecimal \`sha256\` for ${path}`, file);
    files.set(path, { bytes: Number(file['bytes']), sha256: String(file['sha256']) });
  }
  return { id: typeof json['id'] === 'string' ? json['id'] : undefined, files };
}

function invalid(name: string, expected: string, got: unknown): DbError {
  return new DbError('FORMAT_INVALID', `${name}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 80)}`, {
    details: { file: name },
  });
}
