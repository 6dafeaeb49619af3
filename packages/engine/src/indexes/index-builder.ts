import { assert, type CollectionDefinition, crc32c, type FieldDefinition, fieldOf, loadAnalyzers, type ObjectStore } from '@terndb/core';
import { openSegment } from '../segment/open-segment.ts';
import type { Segment, SegmentExpectation } from '../segment/types.ts';
import { INDEX_KINDS } from './registry.ts';
import type { BuildContext, IndexKind } from './types.ts';

/** Checksums are computed in pieces of this: 2 to 4 ms each. */
const PIECE_BYTES = 4 << 20;

/** An index file before it is stored. */
export interface IndexFile {
  /** In order, for `ObjectStore.put`, which takes them over. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly checksum: number;
}

/** What is to be built, in words that another thread understands: a plain object. */
export interface IndexJob {
  /** Name of the segment's object. */
  readonly object: string;
  readonly expected: SegmentExpectation;
  readonly definition: CollectionDefinition;
  readonly field: string;
  /** Of the kind. */
  readonly type: string;
}

/** Builds index files on another thread, from the segment's object alone. The same bytes as here. */
export interface IndexBuilder {
  /** Awaits `pause` now and then, and ends the build when that throws. @throws what the kind and `openSegment` throw, STORAGE_UNAVAILABLE. */
  build(job: IndexJob, context: Pick<BuildContext, 'pause' | 'onProgress'>): Promise<IndexFile>;
}

/** Whether another thread finds this kind by its type, and builds as it does. */
export function isKnownKind(kind: IndexKind<unknown>): boolean {
  return INDEX_KINDS.some(({ type, build }) => type === kind.type && build === kind.build);
}

/** On the other thread: opens the segment, builds, and frees it. */
export async function runIndexJob(
  job: IndexJob,
  { objects, ...context }: BuildContext & { readonly objects: ObjectStore },
): Promise<IndexFile> {
  const { object: name, definition, expected } = job;
  const field = fieldOf(definition, job.field);
  const kind = INDEX_KINDS.find(({ type }) => type === job.type);
  assert(field !== undefined && kind !== undefined, () => `index job: a known field and kind expected, got ${job.field}, ${job.type}`);
  await loadAnalyzers([definition]);
  const segment = await openSegment({ objects, name, definition, expected, kernel: context.kernel });
  try {
    return await makeIndexFile({ segment, field, kind }, context);
  } finally {
    segment.free();
  }
}

export async function makeIndexFile(
  { segment, field, kind }: { readonly segment: Segment; readonly field: FieldDefinition; readonly kind: IndexKind<unknown> },
  context: BuildContext,
): Promise<IndexFile> {
  const parts = await kind.build(segment, field, context);
  let checksum = 0;
  let bytes = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; from += PIECE_BYTES) {
      checksum = crc32c(part.subarray(from, from + PIECE_BYTES), checksum);
      await context.pause();
    }
    bytes += part.length;
  }
  return { parts, bytes, checksum };
}
