import { assert } from '@terndb/core';
import { ChunkedBytes } from '../bytes/chunked-bytes.ts';
import { bytesOf } from '../bytes/typed-views.ts';
import { SECTION } from './format.ts';
import type { EncodedSection } from './section-list.ts';
import type { Sections } from './sections.ts';
import { ROWS_PER_STEP, type Steps } from './steps.ts';
import type { SegmentRows } from './types.ts';

/** The Yjs documents of one `collabText` field, row-aligned. The bytes are the segment's. */
export class CollabColumn {
  readonly #offsets: Uint32Array;
  readonly #bytes: Uint8Array;

  constructor(offsets: Uint32Array, bytes: Uint8Array) {
    this.#offsets = offsets;
    this.#bytes = bytes;
  }

  bytesAt(offset: number): Uint8Array | null {
    const start = this.#offsets[offset]!;
    const end = this.#offsets[offset + 1]!;
    return start === end ? null : this.#bytes.subarray(start, end);
  }
}

/** A field's COLLAB sections; none when no row was edited. */
export function* encodeCollab(field: string, rows: SegmentRows): Steps<EncodedSection[]> {
  const offsets = new Uint32Array(rows.count + 1);
  const bytes = new ChunkedBytes();
  for (let index = 0; index < rows.count; index++) {
    if (index % ROWS_PER_STEP === 0) yield;
    const document = rows.collabAt?.(field, index) ?? null;
    if (document !== null) bytes.appendBytes(document);
    assert(bytes.length <= 0xffffffff, () => `segment: documents of field ${field} have more than 4 GiB`);
    offsets[index + 1] = bytes.length;
  }
  if (bytes.length === 0) return [];
  return [
    { kind: SECTION.COLLAB_OFFSETS, parts: [bytesOf(offsets)] },
    { kind: SECTION.COLLAB_VALUES, parts: bytes.finish() },
  ];
}

/** The way back; undefined when there are none. What the bytes say is Yjs' to check. */
export function readCollab(sections: Sections, field: number, rows: number): CollabColumn | undefined {
  if (!sections.has(SECTION.COLLAB_OFFSETS, field)) return undefined;
  const offsets = sections.offsets(SECTION.COLLAB_OFFSETS, field, rows);
  return new CollabColumn(offsets, sections.bytes(SECTION.COLLAB_VALUES, field, offsets[rows]));
}
