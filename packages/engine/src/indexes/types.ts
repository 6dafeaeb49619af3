import type { FieldDefinition } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import type { Segment } from '../segment/types.ts';

/** Shared by all builds: a build is cut into slices so that it never blocks a query. */
export interface BuildContext {
  readonly kernel: Kernel;
  /** To be awaited often (every few ms of work): gives way to reads and writes, and throws ABORTED when the build is no longer wanted. */
  readonly pause: () => Promise<void>;
  /** 0 to 1. */
  readonly onProgress: (done: number) => void;
}

/**
 * A kind of index file: one file per (segment, field, kind), written beside the segment, named in the manifest with its checksum, downloaded
 * with it, never needed for correctness. While it is missing, damaged or of another version, reads do without, and it is rebuilt.
 */
export interface IndexKind<T> {
  /** In the manifest and in names: `hnsw`, `text`. A version that older readers cannot read is a new type name. */
  readonly type: string;
  /**
   * `seal`: small and soon built; made with the segment, loaded with it, before the first read. `background` (default): built and loaded after,
   * while reads do without.
   */
  readonly stage?: 'seal' | 'background';
  /** Whether this field of this segment should have one. Cheap; from statistics and definitions only. */
  wants(segment: Segment, field: FieldDefinition): boolean;
  /** Left out: false. The field is to have none: files that are there stay beside their segments, and are not opened. */
  isRefused?(field: FieldDefinition): boolean;
  /**
   * Left out: true. Whether the field asks for one like this, which is open: else another is built and takes its place. A kind that says no, or refuses
   * fields, has indexes that no read holds on to: they are closed between reads.
   */
  suits?(index: T, segment: Segment, field: FieldDefinition): boolean;
  /** @returns the file in order, for `ObjectStore.put`, which takes the parts over. Deterministic: equal rows give equal bytes. */
  build(segment: Segment, field: FieldDefinition, context: BuildContext): Promise<readonly Uint8Array[]>;
  /** Loads the code that `open` needs, where it is not part of this one. To be awaited before it. */
  prepare?(): Promise<unknown>;
  /** Opens by mapping or one copy. Throws INDEX_CORRUPT, FORMAT_VERSION_UNSUPPORTED, MEMORY_LIMIT. */
  open(bytes: Uint8Array<ArrayBuffer>, segment: Segment, field: FieldDefinition, kernel: Kernel): T;
  close(index: T): void;
}
