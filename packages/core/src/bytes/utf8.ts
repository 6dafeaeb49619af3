import { decodeUtf8, encodeUtf8 } from 'lib0/string';
import { DbError } from '../errors/db-error.ts';

/** UTF-8 of a string, in a fresh buffer. A lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return encodeUtf8(text) as Uint8Array<ArrayBuffer>;
}

/** @throws FORMAT_INVALID when the bytes are not UTF-8. */
export function utf8Decode(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new DbError('FORMAT_INVALID', `text of ${bytes.length} bytes: not UTF-8`, { details: { bytes: bytes.length }, cause });
  }
}
