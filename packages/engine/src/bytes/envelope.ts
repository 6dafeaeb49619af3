import { ByteReader, crc32c } from '@terndb/core';
import { checksumMismatch, formatInvalid, versionUnsupported } from './damage.ts';

/**
 * The first 16 bytes of a small file that is read as a whole. Little-endian.
 *   0  u32 magic   4  u8 version, u8 zero, u16 zero   8  u32 length of the file   12  u32 crc32c of all other bytes
 */
export const ENVELOPE_BYTES = 16;
const CHECKSUM_AT = 12;

export interface FileKind {
  readonly magic: number;
  readonly version: number;
}

/** `body` in a fresh buffer with its envelope. */
export function sealEnvelope(kind: FileKind, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(ENVELOPE_BYTES + body.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, kind.magic, true);
  view.setUint8(4, kind.version);
  view.setUint32(8, file.length, true);
  file.set(body, ENVELOPE_BYTES);
  view.setUint32(CHECKSUM_AT, checksumOf(file), true);
  return file;
}

/** The body, checked. `what` names the file. FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, CHECKSUM_MISMATCH. */
export function openEnvelope(kind: FileKind, file: Uint8Array, what: string): ByteReader {
  if (file.length < ENVELOPE_BYTES) throw formatInvalid(what, `at least ${ENVELOPE_BYTES} bytes expected, got ${file.length}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0, true);
  if (magic !== kind.magic) throw formatInvalid(what, `magic ${kind.magic.toString(16)} expected, got ${magic.toString(16)}`);
  const version = view.getUint8(4);
  if (version !== kind.version) throw versionUnsupported(what, version, kind.version);
  const length = view.getUint32(8, true);
  if (length !== file.length) throw formatInvalid(what, `${length} bytes expected, got ${file.length}`);
  if (checksumOf(file) !== view.getUint32(CHECKSUM_AT, true)) throw checksumMismatch(what, 'the file');
  if (view.getUint8(5) !== 0 || view.getUint16(6, true) !== 0) throw formatInvalid(what, 'reserved bytes are not zero');
  return new ByteReader(file.subarray(ENVELOPE_BYTES), what);
}

function checksumOf(file: Uint8Array): number {
  return crc32c(file.subarray(CHECKSUM_AT + 4), crc32c(file.subarray(0, CHECKSUM_AT)));
}
