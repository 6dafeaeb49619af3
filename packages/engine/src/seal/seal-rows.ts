import { comparePrimaryKeys, type PrimaryKey, type Stamp, type StoredValue } from '@terndb/core';
import { testBit } from '../bitmap/bitmap.ts';
import { collabDocuments } from '../collab/load.ts';
import type { VectorOrigin } from '../embedding/origin.ts';
import { LiveBitmap } from '../growing/live-bitmap.ts';
import type { BlockState } from '../replica/block-state.ts';
import { ROWS_PER_STEP, type Steps, sortInSteps } from '../segment/steps.ts';
import type { FieldStamp, SegmentRows } from '../segment/types.ts';

/** A block as it was when the seal began. */
export interface SealInput {
  readonly block: BlockState;
  /** Shared with the block, copy-on-write: these bits do not change. */
  readonly live: Uint32Array;
}

interface SealPlace {
  readonly key: PrimaryKey;
  /** Index of the block, and the offset in it. */
  readonly block: number;
  readonly offset: number;
}

/** The live rows of several blocks as one list, ascending by key. A key is live in at most one block. Values are read through. */
export class SealRows implements SegmentRows {
  readonly count: number;
  readonly #blocks: readonly BlockState[];
  readonly #places: readonly SealPlace[];

  private constructor(blocks: readonly BlockState[], places: readonly SealPlace[]) {
    this.count = places.length;
    this.#blocks = blocks;
    this.#places = places;
  }

  /** Cost: O(rows log rows) comparisons; sorted blocks merge in fewer. */
  static *of(inputs: readonly SealInput[]): Steps<SealRows> {
    const places: SealPlace[] = [];
    for (const [index, { block, live }] of inputs.entries()) {
      for (let offset = 0; offset < live.length * 32; offset++) {
        if (testBit(live, offset)) places.push({ key: block.source.keyAt(offset), block: index, offset });
        if (offset % ROWS_PER_STEP === 0) yield;
      }
    }
    const sorted = yield* sortInSteps(places, (a, b) => comparePrimaryKeys(a.key, b.key));
    return new SealRows(
      inputs.map((input) => input.block),
      sorted,
    );
  }

  keyAt(index: number): PrimaryKey {
    return this.#places[index]!.key;
  }

  putAt(index: number): Stamp {
    const { block, offset } = this.#places[index]!;
    return this.#blocks[block]!.source.stampsAt(offset).put;
  }

  exceptionsAt(index: number): readonly FieldStamp[] {
    const { block, offset } = this.#places[index]!;
    const { exceptions } = this.#blocks[block]!.source.stampsAt(offset);
    return exceptions === null ? [] : Array.from(exceptions, ([field, stamp]) => ({ field, stamp }));
  }

  valueAt(field: string, index: number): StoredValue {
    const { block, offset } = this.#places[index]!;
    return this.#blocks[block]!.source.valueAt(field, offset);
  }

  originAt(field: string, index: number): VectorOrigin | null {
    const { block, offset } = this.#places[index]!;
    return this.#blocks[block]!.source.origins(field)?.originAt(offset) ?? null;
  }

  /** Cost: of a document edited since its last seal, the whole of it. */
  collabAt(field: string, index: number): Uint8Array | null {
    const { block, offset } = this.#places[index]!;
    const state = this.#blocks[block]!.source.collabAt(field, offset);
    return state === null ? null : collabDocuments().bytesOf(state);
  }

  putSeqAt(index: number): number {
    const { block, offset } = this.#places[index]!;
    return this.#blocks[block]!.source.putSeqAt(offset);
  }

  /** Which of the rows are live now: deaths since the seal began are re-applied to the new segment. */
  liveNow(): LiveBitmap {
    const live = new LiveBitmap();
    this.#places.forEach(({ block, offset }, index) => {
      if (this.#blocks[block]!.live.has(offset)) live.set(index);
    });
    return live;
  }
}
