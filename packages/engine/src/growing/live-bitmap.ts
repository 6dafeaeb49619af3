import { assert } from '@terndb/core';
import { countBits, testBit } from '../bitmap/bitmap.ts';

/** Words added at least when a bitmap grows: 1,024 rows. */
const MIN_GROWTH_WORDS = 32;

/**
 * Which rows of a block are live, copy-on-write: `share` hands the words to a view that must never see them change, and the next change
 * works on a copy. So a burst of writes without a reader in between copies nothing.
 */
export class LiveBitmap {
  #words: Uint32Array;
  #shared = false;
  #count = 0;

  /** Takes the words over. */
  constructor(words: Uint32Array = new Uint32Array(MIN_GROWTH_WORDS)) {
    this.#words = words;
    this.#count = countBits(words);
  }

  /** Set bits. */
  get count(): number {
    return this.#count;
  }

  has(offset: number): boolean {
    return testBit(this.#words, offset);
  }

  set(offset: number): void {
    assert(!this.has(offset), () => `live bitmap: row ${offset} is live already`);
    this.#own(offset >>> 5);
    this.#words[offset >>> 5]! |= 1 << (offset & 31);
    this.#count += 1;
  }

  clear(offset: number): void {
    assert(this.has(offset), () => `live bitmap: row ${offset} is not live`);
    this.#own(offset >>> 5);
    this.#words[offset >>> 5]! &= ~(1 << (offset & 31));
    this.#count -= 1;
  }

  /** The words as they are now; they will not change. */
  share(): Uint32Array {
    this.#shared = true;
    return this.#words;
  }

  /** Makes the words ours and long enough for `word`. */
  #own(word: number): void {
    const { length } = this.#words;
    if (word >= length) {
      const grown = new Uint32Array(Math.max(word + 1, length * 2, MIN_GROWTH_WORDS));
      grown.set(this.#words);
      this.#words = grown;
    } else if (this.#shared) this.#words = this.#words.slice();
    else return;
    this.#shared = false;
  }
}
