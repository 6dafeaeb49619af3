import * as encoding from 'lib0/encoding';
import { encodeUtf8 } from 'lib0/string';

/** Writes what `ByteReader` reads: little-endian integers, varints as in lib0. Grows as needed. */
export class ByteWriter {
  readonly #encoder: encoding.Encoder = encoding.createEncoder();
  readonly #scratch = new DataView(new ArrayBuffer(8));
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);

  get length(): number {
    return encoding.length(this.#encoder);
  }

  u8(value: number): void {
    encoding.writeUint8(this.#encoder, value);
  }

  u16(value: number): void {
    encoding.writeUint16(this.#encoder, value);
  }

  u32(value: number): void {
    encoding.writeUint32(this.#encoder, value);
  }

  f64(value: number): void {
    this.#scratch.setFloat64(0, value, true);
    encoding.writeUint8Array(this.#encoder, this.#scratchBytes);
  }

  i64(value: bigint): void {
    this.#scratch.setBigInt64(0, value, true);
    encoding.writeUint8Array(this.#encoder, this.#scratchBytes);
  }

  varUint(value: number): void {
    encoding.writeVarUint(this.#encoder, value);
  }

  varInt(value: number): void {
    encoding.writeVarInt(this.#encoder, value);
  }

  /** The bytes alone, without their length. Copied. */
  bytes(bytes: Uint8Array): void {
    encoding.writeUint8Array(this.#encoder, bytes);
  }

  /** Length in bytes as a varint, then UTF-8. Lone surrogates are not to be stored: they would come back as U+FFFD. */
  string(value: string): void {
    const bytes = encodeUtf8(value);
    encoding.writeVarUint(this.#encoder, bytes.length);
    encoding.writeUint8Array(this.#encoder, bytes);
  }

  /** Everything written so far, in one fresh buffer. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return encoding.toUint8Array(this.#encoder) as Uint8Array<ArrayBuffer>;
  }
}
