import {
  assert,
  type CollectionDefinition,
  DbError,
  defaultValueOf,
  fieldOf,
  type Hash64,
  narrowVector,
  type PrimaryKey,
  type Stamp,
  type StoredValue,
  type Timestamp,
} from '@terndb/core';
import type { BinaryBlock, Kernel, VectorBlock } from '@terndb/kernel';
import { testBit } from '../bitmap/bitmap.ts';
import { formatInvalid } from '../bytes/damage.ts';
import type { Column, VectorColumn } from '../columns/column.ts';
import { columnValue } from '../columns/column-value.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import { rowHash } from '../fold/row-hash.ts';
import { SegmentIndexes } from '../indexes/segment-indexes.ts';
import { createBitRows } from './bit-rows.ts';
import type { CollabColumn } from './collab-sections.ts';
import type { KeyIndex } from './key-index.ts';
import type { StampTable } from './stamp-table.ts';
import type { ColumnStats, FieldStamp, Segment, SegmentInfo } from './types.ts';

export interface SealedSegmentParts {
  readonly name: string;
  readonly info: SegmentInfo;
  readonly keys: KeyIndex;
  readonly keyField: string;
  readonly stamps: StampTable;
  /** By field, the key field included. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly vectors: ReadonlyMap<string, VectorBlock>;
  readonly origins: ReadonlyMap<string, OriginColumn>;
  readonly putSeqs: Float64Array | null;
  readonly collab: ReadonlyMap<string, CollabColumn>;
  readonly definition: CollectionDefinition;
  readonly kernel: Kernel;
}

/** An open segment file; see `Segment`. Owns its vector blocks. */
export class SealedSegment implements Segment {
  readonly name: string;
  readonly info: SegmentInfo;
  readonly vectorBytes: number;
  readonly indexes: SegmentIndexes = new SegmentIndexes();
  readonly #parts: SealedSegmentParts;
  readonly #bits = new Map<string, BinaryBlock | undefined>();
  #freed = false;

  constructor(parts: SealedSegmentParts) {
    this.name = parts.name;
    this.info = parts.info;
    this.#parts = parts;
    let bytes = 0;
    for (const block of parts.vectors.values()) bytes += block.bytes;
    this.vectorBytes = bytes;
  }

  get id(): string {
    return this.info.id;
  }

  get rows(): number {
    return this.info.rows;
  }

  keyAt(offset: number): PrimaryKey {
    try {
      return this.#parts.keys.keyAt(offset);
    } catch (cause) {
      throw this.#damaged(`key of row ${offset} is not UTF-8`, cause);
    }
  }

  findKey(key: PrimaryKey): number {
    return this.#parts.keys.find(key);
  }

  putStampAt(offset: number): Stamp {
    return this.#parts.stamps.putAt(offset);
  }

  putTimeAt(offset: number): Timestamp {
    return this.#parts.stamps.putTimeAt(offset);
  }

  get oldestPut(): number {
    return this.#parts.stamps.oldestPut;
  }

  exceptionsAt(offset: number): readonly FieldStamp[] {
    return this.#parts.stamps.exceptionsAt(offset);
  }

  versionAt(offset: number): Timestamp {
    return this.#parts.stamps.newestAt(offset);
  }

  hashAt(offset: number): Hash64 {
    const stamps = this.exceptionsAt(offset);
    const exceptions = stamps.length === 0 ? null : new Map(stamps.map(({ field, stamp }) => [field, stamp]));
    return rowHash(this.keyAt(offset), { live: true, put: this.putStampAt(offset), exceptions });
  }

  column(field: string): Column | undefined {
    return this.#parts.columns.get(field);
  }

  vectors(field: string): VectorBlock | undefined {
    assert(!this.#freed, () => `segment ${this.id}: used after it was freed`);
    return this.#parts.vectors.get(field);
  }

  bits(field: string): BinaryBlock | undefined {
    if (this.#bits.has(field)) return this.#bits.get(field);
    const column = this.#parts.columns.get(field);
    const definition = fieldOf(this.#parts.definition, field);
    const isBits = column?.kind === 'bytes' && definition?.type === 'binaryVector';
    const block = isBits ? createBitRows(this.#parts.kernel, column, { rows: this.rows, dim: definition.params.dim }) : undefined;
    this.#bits.set(field, block);
    return block;
  }

  origins(field: string): OriginColumn | undefined {
    return this.#parts.origins.get(field);
  }

  putSeqAt(offset: number): number {
    return this.#parts.putSeqs?.[offset] ?? 0;
  }

  collabAt(field: string, offset: number): Uint8Array | null {
    return this.#parts.collab.get(field)?.bytesAt(offset) ?? null;
  }

  valueAt(field: string, offset: number): StoredValue {
    const column = this.#parts.columns.get(field);
    if (column === undefined) return this.#defaultOf(field);
    if (column.kind === 'vector') return this.#vectorAt(field, column, offset);
    if (field === this.#parts.keyField) return this.keyAt(offset);
    try {
      return columnValue(column, offset);
    } catch (cause) {
      throw this.#damaged(`field ${field} of row ${offset} is not UTF-8`, cause);
    }
  }

  stats(field: string): ColumnStats | undefined {
    return this.info.stats.get(field);
  }

  free(): void {
    assert(!this.#freed, () => `segment ${this.id}: freed twice`);
    this.#freed = true;
    this.indexes.close();
    for (const block of this.#parts.vectors.values()) block.free();
    for (const block of this.#bits.values()) block?.free();
  }

  #defaultOf(field: string): StoredValue {
    const definition = fieldOf(this.#parts.definition, field);
    return definition === undefined ? null : defaultValueOf(definition);
  }

  #vectorAt(field: string, { elements, validity }: VectorColumn, offset: number): StoredValue {
    if (validity !== null && !testBit(validity, offset)) return null;
    const floats = this.vectors(field)?.row(offset);
    return floats === undefined ? null : narrowVector(elements, floats);
  }

  #damaged(problem: string, cause: unknown): unknown {
    return cause instanceof DbError || !(cause instanceof TypeError) ? cause : formatInvalid(`segment ${this.name}`, problem, cause);
  }
}
