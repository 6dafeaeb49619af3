import type { Hash64, PrimaryKey, StoredValue, Timestamp } from '@terndb/core';
import type { BinaryBlock, VectorBlock } from '@terndb/kernel';
import { collabDocuments } from '../collab/load.ts';
import type { CollabState } from '../collab/types.ts';
import type { Column } from '../columns/column.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import type { LiveStamps } from '../fold/registers.ts';
import type { IndexKind } from '../indexes/types.ts';
import type { ColumnStats, Segment } from '../segment/types.ts';
import type { RowSource } from './row-source.ts';
import type { SegmentPool } from './segment-pool.ts';

/** A sealed segment as a source of rows. */
export class SealedRows implements RowSource {
  readonly segment: Segment;
  readonly sortedByKey = true;
  readonly id: string;
  readonly rows: number;

  readonly #pool: SegmentPool;
  /** By field and offset: who follows a document knows it by its serial. */
  readonly #collab = new Map<string, CollabState>();

  /** Takes over one use of the segment. */
  constructor(segment: Segment, pool: SegmentPool) {
    this.segment = segment;
    this.#pool = pool;
    this.id = segment.id;
    this.rows = segment.rows;
  }

  keyAt(offset: number): PrimaryKey {
    return this.segment.keyAt(offset);
  }

  findKey(key: PrimaryKey): number {
    return this.segment.findKey(key);
  }

  /** Keys are distinct within a segment. */
  olderRow(): number {
    return -1;
  }

  stampsAt(offset: number): LiveStamps {
    const exceptions = this.segment.exceptionsAt(offset);
    return {
      live: true,
      put: this.segment.putStampAt(offset),
      exceptions: exceptions.length === 0 ? null : new Map(exceptions.map(({ field, stamp }) => [field, stamp])),
    };
  }

  hashAt(offset: number): Hash64 {
    return this.segment.hashAt(offset);
  }

  versionAt(offset: number): Timestamp {
    return this.segment.versionAt(offset);
  }

  putTimeAt(offset: number): Timestamp {
    return this.segment.putTimeAt(offset);
  }

  get oldestPut(): number {
    return this.segment.oldestPut;
  }

  column(field: string): Column | undefined {
    return this.segment.column(field);
  }

  vectors(field: string): VectorBlock | undefined {
    return this.segment.vectors(field);
  }

  bits(field: string): BinaryBlock | undefined {
    return this.segment.bits(field);
  }

  stats(field: string): ColumnStats | undefined {
    return this.segment.stats(field);
  }

  index<T>(kind: IndexKind<T>, field: string): T | undefined {
    return this.segment.indexes.get(kind, field);
  }

  origins(field: string): OriginColumn | undefined {
    return this.segment.origins(field);
  }

  collabAt(field: string, offset: number): CollabState | null {
    const head = this.segment.collabAt(field, offset);
    if (head === null) return null;
    const name = `${offset} ${field}`;
    let state = this.#collab.get(name);
    if (state === undefined) {
      state = collabDocuments().stored(head);
      this.#collab.set(name, state);
    }
    return state;
  }

  putSeqAt(offset: number): number {
    return this.segment.putSeqAt(offset);
  }

  valueAt(field: string, offset: number): StoredValue {
    return this.segment.valueAt(field, offset);
  }

  free(): void {
    this.#pool.release(this.segment);
  }
}
