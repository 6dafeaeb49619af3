import type { ManifestFile } from './manifest.ts';

/** Where a model's files come from: a folder on disk, an address, a test's memory. Paths are relative to the model's folder, with `/`. */
export interface ModelSource {
  /** For messages: the folder's address. */
  readonly name: string;
  /**
   * The whole file, owned by the caller; undefined when there is none.
   * @throws EMBEDDER_UNAVAILABLE (`reason: 'unreachable'`) when it may exist but cannot be read now; ABORTED.
   */
  read(path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** What `read` gave for this path was wrong: nothing of it is kept. */
  forget?(path: string, options: ReadOptions): Promise<void>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the manifest says of the file, or the manifest's own integrity: names the bytes, wherever they come from. */
  readonly expected?: ManifestFile | string | undefined;
  /** `totalBytes` is undefined where the other side does not say. */
  readonly onProgress?: ((loadedBytes: number, totalBytes: number | undefined) => void) | undefined;
}
