import { decodeUtf8 as decodeNative } from 'lib0/string';

/**
 * UTF-8 without globals. Long texts go to the platform's decoder through lib0; short ones are cheaper in plain code.
 * A lone surrogate is written as U+FFFD, as the platform's encoder does.
 */

/** At or below this many bytes, plain code. It meets the platform's decoder near 10 bytes in Node 24, later where the call into the platform costs more. */
const SHORT_BYTES = 16;

/** Upper bound of the UTF-8 length. */
export function utf8Bound(text: string): number {
  return text.length * 3;
}

/** Writes at `at` and returns the number of bytes. The caller has made room for `utf8Bound(text)`. */
export function encodeUtf8Into(text: string, target: Uint8Array, at: number): number {
  let to = at;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      target[to++] = code;
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 && index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        index++;
      } else code = 0xfffd;
    }
    to = encodeCodePoint(code, target, to);
  }
  return to - at;
}

/** `code` is at least 0x80. */
function encodeCodePoint(code: number, target: Uint8Array, at: number): number {
  let to = at;
  if (code < 0x800) target[to++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) target[to++] = 0xe0 | (code >> 12);
    else {
      target[to++] = 0xf0 | (code >> 18);
      target[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[to++] = 0x80 | ((code >> 6) & 0x3f);
  }
  target[to++] = 0x80 | (code & 0x3f);
  return to;
}

/** The string in `bytes[from .. to)`. Throws TypeError on malformed UTF-8: callers turn it into FORMAT_INVALID. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > SHORT_BYTES) return decodeNative(bytes.subarray(from, to));
  let text = '';
  for (let index = from; index < to; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return decodeNative(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * Orders `a[aFrom .. aTo)` and `b[bFrom .. bTo)`, both well-formed UTF-8, as their strings compare: by UTF-16 code units. UTF-8 bytes order by code
 * points, which differs only where a character beyond the BMP (lead bytes F0 to F4, surrogates D800 to DFFF in UTF-16) meets one from U+E000 to
 * U+FFFF (lead bytes EE and EF): there the lead byte of the latter counts as the larger one.
 */
export function compareUtf8(a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number): number {
  const shared = Math.min(aTo - aFrom, bTo - bFrom);
  for (let index = 0; index < shared; index++) {
    const x = a[aFrom + index]!;
    const y = b[bFrom + index]!;
    if (x !== y) return utf16Rank(x) - utf16Rank(y);
  }
  return aTo - aFrom - (bTo - bFrom);
}

function utf16Rank(byte: number): number {
  return byte === 0xee || byte === 0xef ? byte + 0x10 : byte;
}
