import type { CollectionDefinition, Hash64, PrimaryKey, ScalarValue, Stamp, StoredValue, Timestamp } from '@terndb/core';
import type { BinaryBlock, VectorBlock } from '@terndb/kernel';
import type { Column } from '../columns/column.ts';
import type { OriginColumn, VectorOrigin } from '../embedding/origin.ts';
import type { SegmentIndexes } from '../indexes/segment-indexes.ts';

/** A field register newer than its row's put. */
export interface FieldStamp {
  readonly field: string;
  readonly stamp: Stamp;
}

/**
 * The rows to be sealed: live, full, ascending and distinct by primary key (`comparePrimaryKeys`). Read column by column, so a value is
 * asked for once or twice and never kept: implementations may read through to other segments.
 */
export interface SegmentRows {
  readonly count: number;
  keyAt(index: number): PrimaryKey;
  putAt(index: number): Stamp;
  /** Registers newer than the put, in any order; of fields the definition has. */
  exceptionsAt(index: number): readonly FieldStamp[];
  /** Never for the key field. Borrowed: copied before the next call. */
  valueAt(field: string, index: number): StoredValue;
  /** Of a derived vector; left out: none is. */
  originAt?(field: string, index: number): VectorOrigin | null;
  /** `seq` of the record that put the row; asked for only where there are collab fields. */
  putSeqAt?(index: number): number;
  /** Merged Yjs update of a `collabText` field that was edited; null: its text says all. Left out: none was. Borrowed as values are. */
  collabAt?(field: string, index: number): Uint8Array | null;
}

export interface SegmentInput {
  readonly channel: string;
  readonly definition: CollectionDefinition;
  readonly schemaHash: string;
  readonly schemaVersion: number;
  /** Positions of the oldest and newest record that shaped these rows. */
  readonly minPosition: number;
  readonly maxPosition: number;
  /** Every record of the channel up to this position is folded into the rows. */
  readonly upTo: number;
  /** Newest timestamp the writer has seen (R10). */
  readonly maxHlc: Timestamp;
  readonly rows: SegmentRows;
}

/** What the planner may know of a column without reading it. `min`, `max` null: no value, or a kind without an order. */
export interface ColumnStats {
  readonly min: ScalarValue | null;
  readonly max: ScalarValue | null;
  /** Rows without a value. */
  readonly nulls: number;
  /** Distinct values (of lists: of their items); null where it is not counted. */
  readonly distinct: number | null;
}

export interface SegmentInfo {
  /** Content id, 32 hex digits: equal rows give equal bytes and so equal ids. */
  readonly id: string;
  readonly channel: string;
  readonly schemaHash: string;
  readonly schemaVersion: number;
  readonly keyType: 'int64' | 'varchar';
  readonly rows: number;
  /** Length of the file. */
  readonly bytes: number;
  readonly minPosition: number;
  readonly maxPosition: number;
  readonly upTo: number;
  readonly maxHlc: Timestamp;
  /** Sum of the rows' hashes (R13). */
  readonly hash: Hash64;
  /** By field, the key field included. A field that is younger than the segment is missing. */
  readonly stats: ReadonlyMap<string, ColumnStats>;
}

export interface BuiltSegment {
  readonly info: SegmentInfo;
  /** The file in order, for `ObjectStore.put`, which takes them over. */
  readonly parts: readonly Uint8Array[];
}

/** An open sealed segment: mapped columns, vectors in kernel memory. Immutable; liveness is the view's. Offsets ascend with the key. */
export interface Segment {
  readonly id: string;
  readonly name: string;
  readonly rows: number;
  readonly info: SegmentInfo;
  /** Bytes of kernel memory taken by the vectors. */
  readonly vectorBytes: number;
  /** Open index files; attached while the segment is in use, closed with it. */
  readonly indexes: SegmentIndexes;
  keyAt(offset: number): PrimaryKey;
  /** Offset of the row with this key, or -1. Bloom filter, then binary search; nothing is decoded. */
  findKey(key: PrimaryKey): number;
  putStampAt(offset: number): Stamp;
  /** Its timestamp alone. */
  putTimeAt(offset: number): Timestamp;
  /** Of all rows; Infinity without any. The first call looks at them all. */
  readonly oldestPut: number;
  /** By field name; empty for most rows. */
  exceptionsAt(offset: number): readonly FieldStamp[];
  /** Newest timestamp among the put and the exceptions. */
  versionAt(offset: number): Timestamp;
  /** The R13 hash of the row. */
  hashAt(offset: number): Hash64;
  /** Undefined when the segment is older than the field. The key field has a column too. */
  column(field: string): Column | undefined;
  /** Row-aligned, null rows zero; undefined when no row has a vector. */
  vectors(field: string): VectorBlock | undefined;
  /** Vectors of bits in kernel memory, row-aligned, null rows zero; undefined where their column is as good. */
  bits(field: string): BinaryBlock | undefined;
  /** Undefined when none of the field's vectors is derived. */
  origins(field: string): OriginColumn | undefined;
  /** `seq` of the record that put the row; 0 where it is not stored. */
  putSeqAt(offset: number): number;
  /** Merged Yjs update of a `collabText` field; null where it was not edited since its put, and for other fields. */
  collabAt(field: string, offset: number): Uint8Array | null;
  /** One value; the field's default, else null, where the segment is older than the field. Arrays are fresh copies. FORMAT_INVALID. */
  valueAt(field: string, offset: number): StoredValue;
  stats(field: string): ColumnStats | undefined;
  /** Gives the vectors' and indexes' memory back. The segment must not be used after it. */
  free(): void;
}

/** What the manifest says of a segment; checked at open. */
export interface SegmentExpectation {
  readonly id?: string;
  readonly channel?: string;
  readonly rows?: number;
  readonly bytes?: number;
}
