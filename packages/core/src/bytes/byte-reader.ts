import * as decoding from 'lib0/decoding';
import { decodeUtf8 } from 'lib0/string';
import { DbError } from '../errors/db-error.ts';

/**
 * Reads bytes that may be damaged. Every length is checked against what is left before anything is allocated; what does not fit is
 * FORMAT_INVALID with the name of the thing and the byte it was found at, never a TypeError or RangeError. Integers are little-endian,
 * varints as in lib0.
 */
export class ByteReader {
  readonly #decoder: decoding.Decoder;
  readonly #view: DataView;
  readonly #what: string;

  /** `what` names the thing in errors: `frame of channel c/p/0`. The bytes are borrowed until the last read. */
  constructor(bytes: Uint8Array, what: string) {
    this.#decoder = decoding.createDecoder(bytes);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get position(): number {
    return this.#decoder.pos;
  }

  get remaining(): number {
    return this.#decoder.arr.length - this.#decoder.pos;
  }

  /** A FORMAT_INVALID to be thrown by the caller: `frame: <problem> (byte 17)`. */
  invalid(problem: string, cause?: unknown): DbError {
    const details = { what: this.#what, problem, byte: this.#decoder.pos };
    return new DbError(
      'FORMAT_INVALID',
      `${this.#what}: ${problem} (byte ${this.#decoder.pos})`,
      cause === undefined ? { details } : { details, cause },
    );
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /** A safe integer from 0. */
  varUint(): number {
    try {
      return decoding.readVarUint(this.#decoder);
    } catch (cause) {
      throw this.invalid('a variable-length integer does not end or is too large', cause);
    }
  }

  /** A safe integer; keeps the sign of a negative zero. */
  varInt(): number {
    // lib0 takes the end of the input for a zero here.
    this.#checked(1);
    try {
      return decoding.readVarInt(this.#decoder);
    } catch (cause) {
      throw this.invalid('a variable-length integer does not end or is too large', cause);
    }
  }

  /** A count of things that take at least `minBytes` each; checked, so that it can be allocated. */
  count(what: string, minBytes: number): number {
    const count = this.varUint();
    if (count * minBytes > this.remaining) throw this.invalid(`${count} ${what} expected, ${this.remaining} bytes left`);
    return count;
  }

  /** The next `length` bytes, borrowed from the input. */
  borrowBytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#decoder.arr.subarray(at, at + length);
  }

  /** The next `length` bytes as a copy that the caller owns. */
  copyBytes(length: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.#checked(length));
    copy.set(this.borrowBytes(length));
    return copy;
  }

  /** Length in bytes as a varint, then UTF-8. */
  string(): string {
    const length = this.varUint();
    const bytes = this.borrowBytes(length);
    try {
      return decodeUtf8(bytes);
    } catch (cause) {
      throw this.invalid(`a text of ${length} bytes is not UTF-8`, cause);
    }
  }

  /** `length` little-endian floats as a copy. */
  float32Array(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.copyBytes(this.#checked(length * 4)).buffer);
  }

  /** `length` little-endian halves of words as a copy. */
  uint16Array(length: number): Uint16Array<ArrayBuffer> {
    return new Uint16Array(this.copyBytes(this.#checked(length * 2)).buffer);
  }

  /** `length` little-endian unsigned words as a copy. */
  uint32Array(length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.copyBytes(this.#checked(length * 4)).buffer);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.remaining !== 0) throw this.invalid(`${this.remaining} bytes too many`);
  }

  #checked(length: number): number {
    if (!(length >= 0 && length <= this.remaining)) throw this.invalid(`${length} bytes expected, ${this.remaining} left`);
    return length;
  }

  #take(length: number): number {
    this.#checked(length);
    const at = this.#decoder.pos;
    this.#decoder.pos += length;
    return at;
  }
}
