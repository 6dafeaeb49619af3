import { normalizeInt64, type PrimaryKey, utf8Encode } from '@terndb/core';
import { compareUtf8, decodeUtf8 } from '../bytes/utf8.ts';
import type { Column } from '../columns/column.ts';
import { bloomWords, mayBeInBloom } from './bloom.ts';
import { NO_FIELD, SECTION } from './format.ts';
import type { Sections } from './sections.ts';

/** The keys of a segment, ascending. Look-ups compare encoded keys: nothing is decoded. */
export interface KeyIndex {
  keyAt(offset: number): PrimaryKey;
  /** -1 when absent, or of the other key type. */
  find(key: PrimaryKey): number;
  readonly column: Column;
}

export function readKeys(sections: Sections, keyType: 'int64' | 'varchar', rows: number): KeyIndex {
  const bloom = sections.uint32(SECTION.KEY_BLOOM, NO_FIELD, bloomWords(rows));
  if (keyType === 'int64') return new Int64Keys(checkInt64Keys(sections.bigInt64(SECTION.KEY_VALUES, NO_FIELD, rows), sections), bloom);
  const offsets = sections.offsets(SECTION.KEY_OFFSETS, NO_FIELD, rows);
  const bytes = sections.bytes(SECTION.KEY_VALUES, NO_FIELD, offsets[rows]);
  for (let row = 1; row < rows; row++) {
    if (compareUtf8(bytes, offsets[row - 1]!, offsets[row]!, bytes, offsets[row]!, offsets[row + 1]!) >= 0)
      throw sections.invalid(`keys do not ascend at row ${row}`);
  }
  return new TextKeys(offsets, bytes, bloom);
}

function checkInt64Keys(keys: BigInt64Array, sections: Sections): BigInt64Array {
  for (let row = 1; row < keys.length; row++) if (keys[row - 1]! >= keys[row]!) throw sections.invalid(`keys do not ascend at row ${row}`);
  return keys;
}

class Int64Keys implements KeyIndex {
  readonly column: Column;
  readonly #keys: BigInt64Array;
  readonly #bloom: Uint32Array;
  readonly #probe = new BigInt64Array(1);
  readonly #probeBytes = new Uint8Array(this.#probe.buffer);

  constructor(keys: BigInt64Array, bloom: Uint32Array) {
    this.#keys = keys;
    this.#bloom = bloom;
    this.column = { kind: 'int64', values: keys, validity: null };
  }

  keyAt(offset: number): PrimaryKey {
    return normalizeInt64(this.#keys[offset]) as PrimaryKey;
  }

  find(key: PrimaryKey): number {
    const normal = normalizeInt64(key);
    if (normal === undefined) return -1;
    const wanted = BigInt(normal);
    this.#probe[0] = wanted;
    if (!mayBeInBloom(this.#bloom, this.#probeBytes)) return -1;
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#keys[low] === wanted ? low : -1;
  }
}

class TextKeys implements KeyIndex {
  readonly column: Column;
  readonly #offsets: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #bloom: Uint32Array;

  constructor(offsets: Uint32Array, bytes: Uint8Array, bloom: Uint32Array) {
    this.#offsets = offsets;
    this.#bytes = bytes;
    this.#bloom = bloom;
    this.column = { kind: 'string', offsets, bytes, validity: null };
  }

  keyAt(offset: number): PrimaryKey {
    return decodeUtf8(this.#bytes, this.#offsets[offset]!, this.#offsets[offset + 1]!);
  }

  find(key: PrimaryKey): number {
    if (typeof key !== 'string') return -1;
    const wanted = utf8Encode(key);
    if (!mayBeInBloom(this.#bloom, wanted)) return -1;
    let low = 0;
    let high = this.#offsets.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareUtf8(this.#bytes, this.#offsets[middle]!, this.#offsets[middle + 1]!, wanted, 0, wanted.length);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }
}
