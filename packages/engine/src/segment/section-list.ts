import { crc32c } from '@terndb/core';
import { alignUp } from '../bytes/typed-views.ts';
import type { SectionEntry, SectionKind } from './format.ts';
import { BYTES_PER_STEP, type Steps } from './steps.ts';

export interface EncodedSection {
  readonly kind: SectionKind;
  readonly parts: readonly Uint8Array[];
}

/** Collects a file's sections in order: pads each to the alignment, sums it, notes where it lies. */
export class SectionList {
  readonly #entries: SectionEntry[] = [];
  readonly #parts: Uint8Array[] = [];
  #end = 0;

  /** With offsets counted from the first section. */
  get entries(): readonly SectionEntry[] {
    return this.#entries;
  }

  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }

  *add(field: number, section: EncodedSection): Steps<void> {
    let checksum = 0;
    let length = 0;
    for (const part of section.parts) {
      for (let from = 0; from < part.length; from += BYTES_PER_STEP) {
        checksum = crc32c(part.subarray(from, from + BYTES_PER_STEP), checksum);
        yield;
      }
      length += part.length;
      this.#parts.push(part);
    }
    const padding = new Uint8Array(alignUp(length) - length);
    if (padding.length > 0) this.#parts.push(padding);
    this.#entries.push({ kind: section.kind, field, checksum: crc32c(padding, checksum), offset: this.#end, length });
    this.#end += length + padding.length;
  }
}
