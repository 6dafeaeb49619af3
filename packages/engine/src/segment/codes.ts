import { formatInvalid } from '../bytes/damage.ts';
import { asUint16, asUint32, bytesOf } from '../bytes/typed-views.ts';

/** Indexes into a small table. */
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** The narrowest form that can name each of `size` entries. */
export function encodeCodes(codes: Uint32Array, size: number): Uint8Array {
  if (size <= 0x100) return Uint8Array.from(codes);
  return bytesOf(size <= 0x10000 ? Uint16Array.from(codes) : codes);
}

/** The way back; FORMAT_INVALID when the length does not fit or a code names nothing. */
export function decodeCodes(bytes: Uint8Array, count: number, size: number, what: string): Codes {
  // Rows without a value have code 0 even when nothing can be named.
  const width = size <= 0x100 ? 1 : size <= 0x10000 ? 2 : 4;
  if (bytes.length !== count * width) throw formatInvalid(what, `${count} codes of ${width} bytes expected, got ${bytes.length} bytes`);
  const codes = width === 1 ? bytes : width === 2 ? asUint16(bytes) : asUint32(bytes);
  for (let index = 0; index < codes.length; index++) {
    if (codes[index]! >= Math.max(1, size)) throw formatInvalid(what, `codes below ${size} expected, got ${codes[index]} at ${index}`);
  }
  return codes;
}
