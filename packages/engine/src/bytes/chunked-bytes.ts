import { utf8Encode } from '@terndb/core';
import { encodeUtf8Into, utf8Bound } from './utf8.ts';

/** Large enough that an object has few parts, small enough that a half-empty last one costs nothing. */
const CHUNK_BYTES = 1 << 20;
const FIRST_CHUNK_BYTES = 1 << 12;
/** Texts up to this length are encoded in place; longer ones by the platform's encoder. */
const SHORT_TEXT = 256;

/** Bytes that are only appended to, kept in chunks so that growing never copies what is there. */
export class ChunkedBytes {
  readonly #full: Uint8Array[] = [];
  #chunk = new Uint8Array(FIRST_CHUNK_BYTES);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  appendBytes(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      if (this.#used === this.#chunk.length) this.#startChunk();
      const part = bytes.subarray(from, from + this.#chunk.length - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      from += part.length;
    }
    this.#length += bytes.length;
  }

  appendText(text: string): void {
    if (text.length > SHORT_TEXT || this.#chunk.length - this.#used < utf8Bound(text)) {
      this.appendBytes(utf8Encode(text));
      return;
    }
    const written = encodeUtf8Into(text, this.#chunk, this.#used);
    this.#used += written;
    this.#length += written;
  }

  /** What was appended, in order; the last part is copied, so that no part holds on to memory it does not show. */
  finish(): Uint8Array[] {
    return this.#used === 0 ? this.#full : [...this.#full, this.#chunk.slice(0, this.#used)];
  }

  #startChunk(): void {
    this.#full.push(this.#chunk);
    this.#chunk = new Uint8Array(Math.min(CHUNK_BYTES, this.#chunk.length * 4));
    this.#used = 0;
  }
}
