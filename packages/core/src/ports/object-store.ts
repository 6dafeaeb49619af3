import { assert } from '../errors/assert.ts';
import { DbError } from '../errors/db-error.ts';

/** Immutable objects by name: segments, index files, manifests' bodies. Names match `[A-Za-z0-9._/-]{1,200}` without `..`. */
export interface ObjectInfo {
  readonly name: string;
  readonly bytes: number;
}

export interface ObjectStore {
  /**
   * Stores an object; visible as a whole or not at all. Writing a name again is allowed only with the same length (contents are content-addressed)
   * and changes nothing. Takes the parts over: the object is their concatenation. Another length, or a bad name (`assertObjectName`), is a bug of
   * the caller: AssertionError.
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

/** Names are made by the engine, never by a user: a bad one is a bug. For adapters, before a name becomes a path or a key. */
export function assertObjectName(name: string): void {
  const good = /^[A-Za-z0-9._/-]{1,200}$/.test(name) && !name.includes('..');
  assert(good, () => `object name: 1 to 200 of A-Z a-z 0-9 . _ / - without '..' expected, got ${JSON.stringify(name)}`);
}

/** For adapters. @throws FORMAT_INVALID when the range is not inside the object. */
export function checkObjectRange(info: ObjectInfo, offset: number, length: number): void {
  const inside =
    Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= info.bytes;
  if (inside) return;
  const message = `object ${info.name}: range within ${info.bytes} bytes expected, got ${length} bytes from ${offset}`;
  throw new DbError('FORMAT_INVALID', message, { details: { name: info.name, bytes: info.bytes, offset, length } });
}
