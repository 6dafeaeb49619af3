import { crc32c, DbError, type ObjectStore } from '@terndb/core';
import { checksumMismatch, formatInvalid } from '../bytes/damage.ts';
import { alignUp } from '../bytes/typed-views.ts';
import type { SectionEntry } from './format.ts';

/** Read at once when a file is opened: the head of any but an odd schema, and the whole of a small segment. */
const PREFIX_BYTES = 64 << 10;
/** Neighbouring sections are read together up to this; larger requests would only hold more memory at a time. */
const MAX_RANGE_BYTES = 8 << 20;

/** One segment object, read by ranges that lie inside it. */
export class SegmentFile {
  readonly what: string;
  readonly bytes: number;
  readonly #objects: ObjectStore;
  readonly #name: string;
  readonly #prefix: Uint8Array;

  private constructor(source: { objects: ObjectStore; name: string }, what: string, bytes: number, prefix: Uint8Array) {
    this.#objects = source.objects;
    this.#name = source.name;
    this.what = what;
    this.bytes = bytes;
    this.#prefix = prefix;
  }

  /** STORAGE_LOST when there is no such object. */
  static async open(source: { objects: ObjectStore; name: string }): Promise<SegmentFile> {
    const what = `segment ${source.name}`;
    const info = await source.objects.head(source.name);
    if (info === undefined) throw lost(what);
    const prefix = await readExactly(source, what, { offset: 0, length: Math.min(info.bytes, PREFIX_BYTES) });
    return new SegmentFile(source, what, info.bytes, prefix);
  }

  /** The first 64 KiB, or all of a smaller file. */
  get prefix(): Uint8Array {
    return this.#prefix;
  }

  /** In a buffer of its own, or borrowed from the prefix. The caller keeps the range inside the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length <= this.#prefix.length) return this.#prefix.subarray(offset, offset + length);
    return readExactly({ objects: this.#objects, name: this.#name }, this.what, { offset, length });
  }

  /** Reads, checks and passes on each section without its padding, neighbours together, in their order. */
  async readSections(entries: readonly SectionEntry[], visit: (entry: SectionEntry, bytes: Uint8Array) => void): Promise<void> {
    for (let from = 0; from < entries.length; ) {
      const start = entries[from]!.offset;
      let to = from + 1;
      while (to < entries.length && entries[to]!.offset === endOf(entries[to - 1]!) && endOf(entries[to]!) - start <= MAX_RANGE_BYTES) to++;
      const range = await this.read(start, endOf(entries[to - 1]!) - start);
      for (const entry of entries.slice(from, to)) {
        const padded = range.subarray(entry.offset - start, endOf(entry) - start);
        this.check(entry, crc32c(padded));
        visit(entry, padded.subarray(0, entry.length));
      }
      from = to;
    }
  }

  /** CHECKSUM_MISMATCH when it is not the section's. */
  check(entry: SectionEntry, checksum: number): void {
    if (checksum !== entry.checksum) throw checksumMismatch(this.what, `section ${entry.kind} of field ${entry.field}`);
  }
}

/** Where a section's padding ends. */
export function endOf(entry: SectionEntry): number {
  return entry.offset + alignUp(entry.length);
}

async function readExactly(
  source: { objects: ObjectStore; name: string },
  what: string,
  range: { offset: number; length: number },
): Promise<Uint8Array> {
  const bytes = await source.objects.read(source.name, range.offset, range.length);
  if (bytes === undefined) throw lost(what);
  if (bytes.length !== range.length)
    throw formatInvalid(what, `${range.length} bytes at ${range.offset} expected, the store gave ${bytes.length}`);
  return bytes;
}

function lost(what: string): DbError {
  return new DbError('STORAGE_LOST', `${what}: the object does not exist`, { details: { what } });
}
