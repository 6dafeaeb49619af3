/** Immutable objects by name: segments, index files, manifests' bodies. Names match `[A-Za-z0-9._/-]{1,200}` without `..`. */
export interface ObjectInfo {
  readonly name: string;
  readonly bytes: number;
}

export interface ObjectStore {
  /**
   * Stores an object; visible as a whole or not at all. Writing a name again is allowed only with the same length (contents are content-addressed)
   * and changes nothing. Takes the parts over: the object is their concatenation.
   * @throws STORAGE_FULL, STORAGE_UNAVAILABLE.
   */
  put(name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Size, or undefined when absent. */
  head(name: string): Promise<ObjectInfo | undefined>;
  /**
   * Bytes `[offset, offset + length)`, in one fresh buffer that the caller owns, or undefined when the object is absent.
   * @throws FORMAT_INVALID when the range lies outside, CHECKSUM_MISMATCH when the store knows that bytes are lost.
   */
  read(name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** By name (code unit order). */
  list(prefix: string): Promise<readonly ObjectInfo[]>;
  /** Absent is no error. */
  delete(name: string): Promise<void>;
}
