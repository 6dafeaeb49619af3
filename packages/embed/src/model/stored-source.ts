import { CHUNK_BYTES, type ChunkStore, type StoredFile } from './chunk-store.ts';
import { addressOf, joinBytes, type ModelAddress, nameOf, openHttp } from './http-source.ts';
import type { ModelSource, ReadOptions } from './source.ts';

const NOTHING: StoredFile = { bytes: 0, chunks: 0, isComplete: false };
const MANIFEST = 'manifest.json';

/**
 * A model behind an address, kept on this device once it was downloaded: usable offline, and a download that was cut goes on where it ended.
 * Files are found by what they contain (their hash in the manifest). The manifest itself is asked for each time, unless its own hash is known, and
 * taken from the device when nobody answers. Without a manifest a file is known by its address and never asked for again.
 */
export function createStoredSource(model: ModelAddress, store: ChunkStore): ModelSource {
  const keyOf = (path: string, expected: ReadOptions['expected']): string | undefined => {
    if (typeof expected === 'string') return expected;
    return expected === undefined ? addressOf(model, path)?.href : `sha256-${expected.sha256}`;
  };
  return {
    name: nameOf(model),
    async read(path, options = {}) {
      const url = addressOf(model, path);
      const key = keyOf(path, options.expected);
      if (url === undefined || key === undefined) return undefined;
      const stored = (await store.find(key).catch(() => undefined)) ?? NOTHING;
      const isManifest = path === MANIFEST && options.expected === undefined;
      if (isManifest) return await readManifestFile(store, { url, key, stored }, options);
      if (stored.isComplete) return joinChunks(await store.read(key, stored), stored, options);
      return await download(store, { url, key, stored }, options);
    },
    async forget(path, { expected }) {
      const key = keyOf(path, expected);
      if (key !== undefined) await store.delete(key).catch(() => {});
    },
  };
}

interface Wanted {
  readonly url: URL;
  readonly key: string;
  readonly stored: StoredFile;
}

/** The newest there is: the server's, else the one of last time. */
async function readManifestFile(store: ChunkStore, wanted: Wanted, options: ReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const bytes = await download(store, { ...wanted, stored: NOTHING }, options);
    return bytes;
  } catch (error) {
    if (!wanted.stored.isComplete || options.signal?.aborted) throw error;
    return joinChunks(await store.read(wanted.key, wanted.stored), wanted.stored, options);
  }
}

/** Downloads what is missing, storing chunk by chunk. */
async function download(store: ChunkStore, wanted: Wanted, options: ReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { url, key } = wanted;
  const { signal, onProgress } = options;
  const body = await openHttp(url, wanted.stored.bytes, signal);
  if (body === undefined) return undefined;
  const isResumed = body.from > 0 && body.from === wanted.stored.bytes;
  // Chunks of an earlier try that this one does not go on from would lie behind its own.
  if (!isResumed && wanted.stored.bytes > 0) await store.delete(key).catch(() => {});
  const parts = isResumed ? await store.read(key, wanted.stored) : [];
  let file = isResumed ? wanted.stored : NOTHING;
  let loaded = file.bytes;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const keep = async (isComplete: boolean): Promise<void> => {
    const chunk = pendingBytes === 0 ? undefined : joinBytes(pending, pendingBytes);
    if (chunk !== undefined) parts.push(chunk);
    file = { bytes: file.bytes + pendingBytes, chunks: parts.length, isComplete };
    pending = [];
    pendingBytes = 0;
    // A disk that is full keeps nothing: the model works, and is downloaded again next time.
    await store.append(key, chunk, file).catch(() => {});
  };
  for await (const chunk of body.chunks) {
    pending.push(chunk);
    pendingBytes += chunk.length;
    loaded += chunk.length;
    onProgress?.(loaded, body.totalBytes);
    if (pendingBytes >= CHUNK_BYTES) await keep(false);
  }
  await keep(true);
  return joinBytes(parts, loaded);
}

function joinChunks(chunks: readonly Uint8Array[], { bytes }: StoredFile, { onProgress }: ReadOptions): Uint8Array<ArrayBuffer> {
  onProgress?.(bytes, bytes);
  return joinBytes(
    chunks,
    Math.min(
      bytes,
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    ),
  );
}
