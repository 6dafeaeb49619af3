/** A small versioned key-value store: catalog, manifests' pointers, terms. Values are small (≤ 64 KiB); keys are `/`-separated. */
export interface MetaEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Changes with every write of the key; opaque, > 0. */
  readonly revision: number;
}

export interface MetaStore {
  get(key: string): Promise<MetaEntry | undefined>;
  /** All entries whose key starts with `prefix`, by key (code unit order). */
  list(prefix: string): Promise<readonly MetaEntry[]>;
  /**
   * Compare-and-set, durable when it resolves: writes only if the key's revision is `expectedRevision` (0: the key must not exist).
   * @returns the new revision, or undefined if the key had another revision and nothing was written.
   */
  compareAndSet(key: string, expectedRevision: number, value: Uint8Array): Promise<number | undefined>;
  /** Deletes if the revision still matches; false if it did not. */
  delete(key: string, expectedRevision: number): Promise<boolean>;
}
