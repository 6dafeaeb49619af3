import { assert } from '@terndb/core';

/** Length of a source hash. */
export const SOURCE_HASH_BYTES = 16;

/** What a derived vector was made from (design 5). A vector without one was given by the application. */
export interface VectorOrigin {
  readonly model: string;
  /** SOURCE_HASH_BYTES; not to be changed. */
  readonly sourceHash: Uint8Array;
}

/** The origins of one field's vectors, row-aligned with a block. Borrowed, never changed at rows that are there. */
export interface OriginColumn {
  /** May grow at its end in growing rows. */
  readonly models: readonly string[];
  /** Index into `models` plus 1; 0 where the row has no derived vector. */
  readonly codes: { readonly [offset: number]: number };
  originAt(offset: number): VectorOrigin | null;
}

/** The origins of growing rows: most rows have none until they are embedded. */
export class OriginSlots implements OriginColumn {
  readonly models: string[] = [];
  readonly codes: number[] = [];
  readonly #hashes: (Uint8Array | null)[] = [];

  append(origin: VectorOrigin | null): void {
    this.codes.push(origin === null ? 0 : this.#codeOf(origin.model));
    this.#hashes.push(origin === null ? null : origin.sourceHash);
  }

  originAt(offset: number): VectorOrigin | null {
    const hash = this.#hashes[offset];
    return hash === null || hash === undefined ? null : { model: this.models[this.codes[offset]! - 1]!, sourceHash: hash };
  }

  #codeOf(model: string): number {
    const known = this.models.indexOf(model);
    return known >= 0 ? known + 1 : this.models.push(model);
  }
}

/** The origins of sealed rows: mapped from the segment. */
export class SealedOrigins implements OriginColumn {
  readonly models: readonly string[];
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly #hashes: Uint8Array;

  constructor(models: readonly string[], codes: Uint8Array | Uint16Array | Uint32Array, hashes: Uint8Array) {
    assert(
      hashes.length === codes.length * SOURCE_HASH_BYTES,
      () => `origins: ${codes.length} hashes expected, got ${hashes.length} bytes`,
    );
    this.models = models;
    this.codes = codes;
    this.#hashes = hashes;
  }

  originAt(offset: number): VectorOrigin | null {
    const code = this.codes[offset]!;
    if (code === 0) return null;
    const at = offset * SOURCE_HASH_BYTES;
    return { model: this.models[code - 1]!, sourceHash: this.#hashes.slice(at, at + SOURCE_HASH_BYTES) };
  }
}
