import { assert, ELEMENT_BYTES, narrowVector, type StoredVector, type VectorElements } from '@terndb/core';
import type { Kernel, VectorBlock } from '@terndb/kernel';
import { bytesOf } from '../bytes/typed-views.ts';
import type { VectorColumn } from '../columns/column.ts';

/** Words of validity added at least when it grows: 1,024 rows. */
const MIN_GROWTH_WORDS = 32;

/** A tiny partition costs little; a large one doubles from there. */
const FIRST_ROWS = 16;

/**
 * The dense vectors of one field of growing rows: a kernel block, row-aligned, with zero rows where there is none, and a validity bitmap.
 * The block is made with the first vector. A bit is set once, when its row is appended, so columns handed out stay true.
 */
export class VectorSlots {
  readonly #kernel: Kernel;
  /** Null until the first vector when the schema leaves it to the model. */
  #dim: number | null;
  readonly #elements: VectorElements;
  #block: VectorBlock | undefined;
  #validity = new Uint32Array(MIN_GROWTH_WORDS);

  constructor(kernel: Kernel, dim: number | null, elements: VectorElements) {
    this.#kernel = kernel;
    this.#dim = dim;
    this.#elements = elements;
  }

  get block(): VectorBlock | undefined {
    return this.#block;
  }

  /** Room for so many rows from `slot` on, if there are vectors or one of this length will come. Throws MEMORY_LIMIT and changes nothing that shows. */
  reserve(slot: number, rows: number, sample: StoredVector | undefined): void {
    if (this.#block === undefined && sample === undefined) return;
    const block = this.#blockFor(sample ?? null);
    block.reserve(slot + rows - block.rows);
  }

  /** Copies the vector. @returns bytes taken. MEMORY_LIMIT. */
  append(slot: number, vector: StoredVector | null): number {
    if (slot >>> 5 >= this.#validity.length) {
      const grown = new Uint32Array(Math.max(this.#validity.length * 2, MIN_GROWTH_WORDS));
      grown.set(this.#validity);
      this.#validity = grown;
    }
    if (vector === null && this.#block === undefined) return 0;
    const block = this.#blockFor(vector);
    while (block.rows < slot) block.append(new Float32Array(block.dim));
    if (vector === null) block.append(new Float32Array(block.dim));
    else block.appendBytes(bytesOf(vector));
    if (vector !== null) this.#validity[slot >>> 5]! |= 1 << (slot & 31);
    return block.dim * ELEMENT_BYTES[this.#elements];
  }

  column(): VectorColumn {
    return { kind: 'vector', dim: this.#dim ?? 0, elements: this.#elements, validity: this.#validity };
  }

  valueAt(slot: number): StoredVector | null {
    const present = (this.#validity[slot >>> 5]! & (1 << (slot & 31))) !== 0;
    return present ? narrowVector(this.#elements, this.#block!.row(slot)) : null;
  }

  free(): void {
    this.#block?.free();
    this.#block = undefined;
  }

  #blockFor(vector: StoredVector | null): VectorBlock {
    if (this.#block !== undefined) return this.#block;
    const dim = this.#dim ?? vector!.length;
    assert(vector!.length === dim, () => `growing vectors: dim ${dim} expected, got ${vector!.length}`);
    this.#dim = dim;
    this.#block = this.#kernel.createBlock({ dim, elements: this.#elements, capacity: FIRST_ROWS });
    return this.#block;
  }
}
