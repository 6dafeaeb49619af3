import type { Hash64, PrimaryKey, StoredValue, Timestamp } from '@terndb/core';
import type { BinaryBlock, VectorBlock } from '@terndb/kernel';
import type { CollabState } from '../collab/types.ts';
import type { Column } from '../columns/column.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import type { LiveStamps } from '../fold/registers.ts';
import type { IndexKind } from '../indexes/types.ts';
import type { ColumnStats } from '../segment/types.ts';

/** Rows that never change once they are there: a sealed segment, or the append-only slots of growing rows. Liveness is kept beside them. */
export interface RowSource {
  readonly id: string;
  readonly rows: number;
  readonly sortedByKey: boolean;
  keyAt(offset: number): PrimaryKey;
  /** The newest row with this key among the first `rows`, or -1. */
  findKey(key: PrimaryKey): number;
  /** The next older row with the same key, or -1. */
  olderRow(offset: number): number;
  stampsAt(offset: number): LiveStamps;
  hashAt(offset: number): Hash64;
  versionAt(offset: number): Timestamp;
  /** Of the put in force: what time to live is counted from. */
  putTimeAt(offset: number): Timestamp;
  /** No row was put before, dead ones included; Infinity without rows. */
  readonly oldestPut: number;
  column(field: string): Column | undefined;
  vectors(field: string): VectorBlock | undefined;
  /** Which of a field's vectors are derived, and from what; undefined when none is. */
  origins(field: string): OriginColumn | undefined;
  /** `seq` of the record that put the entity: with the put's client id the base of its collab fields. 0: not known. */
  putSeqAt(offset: number): number;
  /** The document of a collab field; null: the one its put began with the field's value. */
  collabAt(field: string, offset: number): CollabState | null;
  /** Sealed segments only. */
  bits?(field: string): BinaryBlock | undefined;
  /** Sealed segments only. */
  stats?(field: string): ColumnStats | undefined;
  /** Sealed segments only. */
  index?<T>(kind: IndexKind<T>, field: string): T | undefined;
  valueAt(field: string, offset: number): StoredValue;
  /** Growing rows only: a number for what stamps do not tell, the state of collab documents. */
  contentAt?(offset: number): number;
  /** Growing rows only: no view is left that sees what has a newer row. */
  letGo?(): void;
  free(): void;
}
