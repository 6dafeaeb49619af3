import { assert, type CollectionDefinition, type ObjectStore, type ScratchFiles } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import type { IndexBuilder } from '../indexes/index-builder.ts';
import { IndexFiles } from '../indexes/index-files.ts';
import type { IndexKind } from '../indexes/types.ts';
import { openSegment } from '../segment/open-segment.ts';
import type { Segment, SegmentExpectation } from '../segment/types.ts';

interface Pooled {
  readonly segment: Promise<Segment>;
  users: number;
}

/**
 * Open segments by object name, each in memory once: while channels are opened again, old and new replicas share theirs. Freed with the
 * last user.
 */
export class SegmentPool {
  readonly indexFiles: IndexFiles;
  readonly #objects: ObjectStore;
  readonly #kernel: Kernel;
  readonly #pooled = new Map<string, Pooled>();

  readonly #scratch: ScratchFiles | undefined;

  /**
   * `kinds` of index files that are built and read; default: all of this version. `builder`: takes over the builds of larger segments. `scratch`: for
   * vectors that need not be in memory; left out: all are.
   */
  constructor(objects: ObjectStore, kernel: Kernel, kinds?: readonly IndexKind<unknown>[], builder?: IndexBuilder, scratch?: ScratchFiles) {
    this.#scratch = scratch;
    this.indexFiles = new IndexFiles(objects, kernel, kinds, builder);
    this.#objects = objects;
    this.#kernel = kernel;
  }

  /** To be released once per call. Throws what `openSegment` throws. */
  async open(name: string, definition: CollectionDefinition, expected: SegmentExpectation, pause?: () => Promise<void>): Promise<Segment> {
    let pooled = this.#pooled.get(name);
    if (pooled === undefined) {
      pooled = {
        segment: openSegment({ objects: this.#objects, name, kernel: this.#kernel, definition, expected, pause, scratch: this.#scratch }),
        users: 0,
      };
      this.#pooled.set(name, pooled);
    }
    pooled.users += 1;
    try {
      return await pooled.segment;
    } catch (error) {
      this.#forget(name, pooled);
      throw error;
    }
  }

  release(segment: Segment): void {
    const pooled = this.#pooled.get(segment.name);
    assert(pooled !== undefined, () => `segment ${segment.name}: released more often than opened`);
    if (this.#forget(segment.name, pooled)) segment.free();
  }

  /** True when that was the last user. */
  #forget(name: string, pooled: Pooled): boolean {
    pooled.users -= 1;
    if (pooled.users > 0) return false;
    if (this.#pooled.get(name) === pooled) this.#pooled.delete(name);
    return true;
  }
}
