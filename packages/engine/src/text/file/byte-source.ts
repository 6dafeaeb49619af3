import { DbError } from '@terndb/core';

/** Reads varints from mapped bytes. INDEX_CORRUPT at their end. */
export class ByteSource {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  varUint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte === undefined) throw endOfBytes();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      byte = bytes[this.at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw endOfBytes();
  }

  /** The next bytes into `target`, which has room for them. */
  copy(length: number, target: Uint8Array, to: number): void {
    if (this.at + length > this.bytes.length) throw endOfBytes();
    for (let i = 0; i < length; i++) target[to + i] = this.bytes[this.at + i]!;
    this.at += length;
  }
}

function endOfBytes(): DbError {
  return new DbError('INDEX_CORRUPT', 'text index: a number or a term that ends within its section expected', {
    details: { problem: 'a number or a term without an end' },
  });
}
