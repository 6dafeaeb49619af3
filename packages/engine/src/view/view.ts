import type { CollectionDefinition, PrimaryKey, StoredValue, Timestamp } from '@terndb/core';
import type { BinaryBlock, VectorBlock } from '@terndb/kernel';
import type { Column } from '../columns/column.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import type { LiveStamps } from '../fold/registers.ts';
import type { IndexKind } from '../indexes/types.ts';
import type { ColumnStats } from '../segment/types.ts';

/**
 * What a read sees. A View is an immutable snapshot of one channel at one position: sealed segments and growing rows, each with a bitmap of
 * the rows that are visible. Superseded and deleted rows are masked before a search, never filtered after it.
 */
export interface RowBlock {
  /** Segment id, or `growing`. */
  readonly id: string;
  /**
   * What derived data (token indexes) hangs on: the same object for every view of one segment, or of one run of growing rows. Under one key a
   * row's values never change and rows are only added. Left out, derived data is rebuilt with each block object.
   */
  readonly cacheKey?: object;
  /** Rows of this block that the view may look at; offsets are `0 .. rows - 1`. */
  readonly rows: number;
  /** Bit set: the row is visible. `ceil(rows / 32)` words or more; bits at and above `rows` are 0. Not to be changed. */
  readonly live: Uint32Array;
  /** Offsets ascend with the primary key (sealed segments). */
  readonly sortedByKey: boolean;
  keyAt(offset: number): PrimaryKey;
  /** Newest timestamp among the row's put and its field registers. An older op that arrives later may change the row and not this. */
  versionAt(offset: number): Timestamp;
  /** A number for the row's state: changes whenever the row does. Two states have the same one with a chance of 2^-53. */
  revisionAt(offset: number): number;
  /** The put's stamp, and those of fields newer than it; for who turns rows back into ops. Left out where rows are not stored ones. */
  stampsAt?(offset: number): LiveStamps;
  /** Of the put in force; left out where rows are not stored ones. */
  putTimeAt?(offset: number): Timestamp;
  /** No row of the block was put before, visible or not. */
  readonly oldestPut?: number;
  /** Undefined when this block was written before the field existed: every row has the field's default, or null. */
  column(field: string): Column | undefined;
  /** Dense vectors in kernel memory, row-aligned with the block; undefined when no row has one. */
  vectors(field: string): VectorBlock | undefined;
  /** Vectors of bits in kernel memory, row-aligned; undefined: their column is compared. */
  bits?(field: string): BinaryBlock | undefined;
  /**
   * The open index of this kind over a field: of all of the block's rows, `live` or not. Undefined when there is none (yet): reads do without.
   * Borrowed: to be used while the view is pinned.
   */
  index?<T>(kind: IndexKind<T>, field: string): T | undefined;
  /** What is known of a field's values without a look at them: of all of the block's rows, `live` or not. Undefined: nothing. */
  stats?(field: string): ColumnStats | undefined;
  /** Which of a field's vectors are derived, and by which model; undefined (or left out) when none is. */
  origins?(field: string): OriginColumn | undefined;
  /** One value; null when there is none (the default where the block is older than the field). Vectors come as fresh copies. */
  valueAt(field: string, offset: number): StoredValue;
}

export interface View {
  readonly channel: string;
  readonly definition: CollectionDefinition;
  /** The applied position this view shows. */
  readonly position: number;
  readonly blocks: readonly RowBlock[];
  /** Visible rows over all blocks. */
  readonly liveRows: number;
  /** No visible row was put before, so that none expires sooner; left out or 0 where nothing expires. Infinity without rows. */
  readonly oldestPut?: number;
  /** Segments that could not be opened: their rows are missing here. */
  readonly quarantined: readonly string[];
  /** Where the visible row with this key is. */
  find(key: PrimaryKey): { readonly block: RowBlock; readonly offset: number } | undefined;
  /** Every view is released once, when its reader is done with it. */
  release(): void;
}
