/**
 * Record file, version 1. All integers little-endian. Appended only; rewritten as a whole to forget.
 *   0  u32  magic "TRF1"
 *   4  u32  crc32 of bytes 8 to 16
 *   8  u64  base        a number that its user keeps with the file
 *  16  records, each { u32 length; u32 crc32 of the payload; payload: `length` bytes, at least 1 }
 * An append is one write and one fsync, so only the last record can be torn: one that reaches beyond the end of the file, fails its checksum
 * at the very end, or is all zeros to the end is cut off when the file is opened; it was never acknowledged. Any other mismatch is damage to
 * acknowledged data: CHECKSUM_MISMATCH.
 * History: 1 first version. Reads: 1. Unknown magic -> FORMAT_INVALID.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DbError } from '@terndb/core';
import { writeFileDurably } from './durable.ts';
import { isAbsent, storageError } from './storage-error.ts';

const MAGIC = 0x31465254;
const HEADER_BYTES = 16;
const FRAME_BYTES = 8;

/** Where a record's payload lies. */
export interface RecordPlace {
  readonly offset: number;
  readonly length: number;
}
export interface OpenedRecordFile {
  readonly file: RecordFile;
  readonly base: number;
  readonly records: readonly { readonly place: RecordPlace; readonly payload: Uint8Array }[];
}

export class RecordFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #length: number;
  /** After a write whose outcome is unknown the file is not written again until it is reopened. */
  #broken: DbError | undefined;

  private constructor(path: string, handle: FileHandle, length: number) {
    this.#path = path;
    this.#handle = handle;
    this.#length = length;
  }

  /** Opens the file, or creates an empty one, and reads every record. Cost: reading the file. */
  static async open(path: string): Promise<OpenedRecordFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r+');
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await writeFileDurably(path, [header(0)]);
      handle = await open(path, 'r+');
    }
    try {
      // Not a Buffer: its `slice` would share memory where a Uint8Array's copies.
      const bytes = Uint8Array.from(await handle.readFile());
      const { base, records, end } = parse(bytes, path);
      if (end < bytes.length) {
        await handle.truncate(end);
        await handle.sync();
      }
      return { file: new RecordFile(path, handle, end), base, records };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Replaces the file by one with these payloads; the instance that had it open must be closed. */
  static async rewrite(path: string, base: number, payloads: readonly Uint8Array[]): Promise<void> {
    await writeFileDurably(path, [header(base), ...payloads.map(frame)]);
  }

  /** Durable when it resolves. Not to be called again before that. */
  async append(payload: Uint8Array): Promise<RecordPlace> {
    if (this.#broken !== undefined) throw this.#broken;
    const bytes = frame(payload);
    try {
      await this.#writeAll(bytes);
      await this.#handle.datasync();
    } catch (error) {
      await this.#takeBack(error);
      throw error;
    }
    const place = { offset: this.#length + FRAME_BYTES, length: payload.length };
    this.#length += bytes.length;
    return place;
  }

  async read({ offset, length }: RecordPlace): Promise<Uint8Array> {
    const bytes = new Uint8Array(FRAME_BYTES + length);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, offset - FRAME_BYTES);
    const payload = bytes.subarray(FRAME_BYTES);
    if (bytesRead !== bytes.length || new DataView(bytes.buffer).getUint32(4, true) !== crc32(payload)) throw damaged(this.#path, offset);
    return payload;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const step = await this.#handle.write(bytes, written, bytes.length - written, this.#length + written);
      written += step.bytesWritten;
    }
  }

  /** A refused append must not come to light after a restart. */
  async #takeBack(error: unknown): Promise<void> {
    try {
      await this.#handle.truncate(this.#length);
      await this.#handle.datasync();
    } catch {
      this.#broken = storageError(error, `record file ${this.#path}: an append was neither finished nor taken back`);
    }
  }
}

function header(base: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setBigUint64(8, BigInt(base), true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, crc32(payload), true);
  bytes.set(payload, FRAME_BYTES);
  return bytes;
}

interface ParsedFile {
  readonly base: number;
  readonly records: { place: RecordPlace; payload: Uint8Array }[];
  /** Where the last whole record ends. */
  readonly end: number;
}

function parse(bytes: Uint8Array, path: string): ParsedFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC)
    throw new DbError('FORMAT_INVALID', `record file ${path}: unknown format`, { details: { path } });
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8, HEADER_BYTES))) throw damaged(path, 0);
  const base = Number(view.getBigUint64(8, true));
  const records: ParsedFile['records'] = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const offset = at + FRAME_BYTES;
    const length = offset <= bytes.length ? view.getUint32(at, true) : 0;
    const end = offset + length;
    const payload = bytes.subarray(offset, end);
    const whole = length > 0 && end <= bytes.length && view.getUint32(at + 4, true) === crc32(payload);
    if (!whole) {
      const torn = end >= bytes.length || bytes.subarray(at).every((byte) => byte === 0);
      if (!torn) throw damaged(path, at);
      break;
    }
    records.push({ place: { offset, length }, payload });
    at = end;
  }
  return { base, records, end: at };
}

function damaged(path: string, offset: number): DbError {
  return new DbError('CHECKSUM_MISMATCH', `record file ${path}: damaged at byte ${offset}`, { details: { path, offset } });
}
