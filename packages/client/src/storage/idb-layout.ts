/**
 * The tab's IndexedDB database `terndb:<name>`. Its IndexedDB version is 1 for ever and every store that will be needed exists from the start:
 * a version change would need all tabs closed. What is inside the values is versioned by the formats themselves and by records in `meta`.
 *
 * | store    | key                | value                                | written          |
 * |----------|--------------------|--------------------------------------|------------------|
 * | meta     | string             | MetaRow; key 0: the last revision    | strict           |
 * | log      | [stream, sequence] | LogRow; sequence 0: LogHead          | strict           |
 * | objects  | name               | ObjectRow, after all of its chunks   | strict           |
 * |          |                    | … or `unfinished`, before the first  | relaxed          |
 * | chunks   | [name, index]      | Uint8Array of CHUNK_BYTES or the rest| relaxed          |
 * | outbox, rejected, kept | [channel, id] | EntryRow (sync/store)  | strict           |
 */
import type { DBSchema } from 'idb';

export const IDB_VERSION = 1;
/** Few requests for a whole segment, and still no value that needs tens of MiB in one piece (design 8: 1 to 4 MiB). */
export const CHUNK_BYTES: number = 2 * 1024 * 1024;

export interface MetaRow {
  readonly value: Uint8Array;
  readonly revision: number;
}
export interface LogRow {
  readonly channel: string;
  readonly bytes: Uint8Array;
}
export interface LogHead {
  readonly first: number;
  readonly last: number;
}
export interface ObjectRow {
  readonly bytes: number;
  /** Of every chunk but the last; kept here so that CHUNK_BYTES may change. */
  readonly chunkBytes: number;
  /** It arrives in parts (object-parts.ts), and some of its chunks may be missing: no object yet. */
  readonly unfinished?: true;
}

export interface TernIdb extends DBSchema {
  meta: { key: string | number; value: MetaRow | number };
  log: { key: [string, number]; value: LogRow | LogHead };
  objects: { key: string; value: ObjectRow };
  chunks: { key: [string, number]; value: Uint8Array<ArrayBuffer> };
  outbox: { key: IDBValidKey; value: unknown };
  rejected: { key: IDBValidKey; value: unknown };
  kept: { key: IDBValidKey; value: unknown };
}

export const STORES = ['meta', 'log', 'objects', 'chunks', 'outbox', 'rejected', 'kept'] as const;
export type StoreName = (typeof STORES)[number];

export function idbName(database: string): string {
  return `terndb:${database}`;
}

/** Bytes that own their buffer: structured clone would write the whole buffer behind a view. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return whole ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}
