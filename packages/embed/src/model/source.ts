/** Where a model's files come from: a folder on disk, an address, a test's memory. Paths are relative to the model's folder, with `/`. */
export interface ModelSource {
  /** For messages: the folder's address. */
  readonly name: string;
  /**
   * The whole file, owned by the caller; undefined when there is none.
   * @throws EMBEDDER_UNAVAILABLE (`reason: 'unreachable'`) when it may exist but cannot be read now; ABORTED.
   */
  read(path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** `totalBytes` is undefined where the other side does not say. */
  readonly onProgress?: ((loadedBytes: number, totalBytes: number | undefined) => void) | undefined;
}
