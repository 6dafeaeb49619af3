import { assert } from '@terndb/core';
import { andNotInto, clearBit, createBitmap, setBit, testBit } from '../bitmap/bitmap.ts';
import { LiveBitmap } from '../growing/live-bitmap.ts';
import { BlockState } from '../replica/block-state.ts';

/** A block of the base with some of its live rows hidden. Pins go to the block itself. */
class MaskedBlock extends BlockState {
  readonly #block: BlockState;

  constructor(block: BlockState, words: Uint32Array) {
    super(block.source, new LiveBitmap(words));
    this.#block = block;
  }

  override pin(): void {
    this.#block.pin();
  }

  override unpin(): void {
    this.#block.unpin();
  }
}

/** Rows of one base block that the overlay shows otherwise, or as deleted. Only live rows are masked, and unmasked before the base changes them. */
export class BlockMask {
  readonly #block: BlockState;
  #words: Uint32Array;
  #count = 0;
  /** What was shown last, and the live rows it was made from. */
  #shown: { readonly live: Uint32Array; readonly block: BlockState } | undefined;

  constructor(block: BlockState) {
    this.#block = block;
    this.#words = createBitmap(block.source.rows);
  }

  get count(): number {
    return this.#count;
  }

  set(offset: number): void {
    if (offset >>> 5 >= this.#words.length) {
      // Growing rows come after the mask was made.
      const grown = new Uint32Array(Math.max((offset >>> 5) + 1, this.#words.length * 2));
      grown.set(this.#words);
      this.#words = grown;
    }
    assert(!testBit(this.#words, offset), () => `block mask ${this.#block.source.id}: row ${offset} is masked already`);
    setBit(this.#words, offset);
    this.#count += 1;
    this.#shown = undefined;
  }

  clear(offset: number): void {
    assert(testBit(this.#words, offset), () => `block mask ${this.#block.source.id}: row ${offset} is not masked`);
    clearBit(this.#words, offset);
    this.#count -= 1;
    this.#shown = undefined;
  }

  /** The block as a view shows it. Cost: one copy of its bitmap when rows or masks changed since the last call. */
  shown(): BlockState {
    if (this.#count === 0) return this.#block;
    const live = this.#block.live.share();
    if (this.#shown?.live !== live) {
      const words = live.slice();
      andNotInto(words, this.#words);
      this.#shown = { live, block: new MaskedBlock(this.#block, words) };
    }
    return this.#shown.block;
  }
}
