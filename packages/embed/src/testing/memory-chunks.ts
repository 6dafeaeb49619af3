import type { ChunkStore, StoredFile } from '../model/chunk-store.ts';

/** A chunk store in memory; `files` and `chunks` may be looked at and spoilt. */
export function memoryChunks(): ChunkStore & {
  readonly files: Map<string, StoredFile>;
  readonly chunks: Map<string, Uint8Array<ArrayBuffer>[]>;
} {
  const files = new Map<string, StoredFile>();
  const chunks = new Map<string, Uint8Array<ArrayBuffer>[]>();
  return {
    files,
    chunks,
    find: async (name) => files.get(name),
    read: async (name) => [...(chunks.get(name) ?? [])],
    async append(name, chunk, file) {
      const list = chunks.get(name) ?? [];
      if (chunk !== undefined) list[file.chunks - 1] = chunk;
      chunks.set(name, list);
      files.set(name, file);
    },
    async delete(name) {
      files.delete(name);
      chunks.delete(name);
    },
  };
}
