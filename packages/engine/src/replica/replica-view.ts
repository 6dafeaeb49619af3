import { assert, type CollectionDefinition, type PrimaryKey, type StoredValue, type Timestamp } from '@terndb/core';
import type { BinaryBlock, VectorBlock } from '@terndb/kernel';
import { testBit } from '../bitmap/bitmap.ts';
import type { Column } from '../columns/column.ts';
import type { OriginColumn } from '../embedding/origin.ts';
import type { LiveStamps } from '../fold/registers.ts';
import type { IndexKind } from '../indexes/types.ts';
import type { ColumnStats } from '../segment/types.ts';
import type { RowBlock, View } from '../view/view.ts';
import type { BlockState } from './block-state.ts';
import type { RowSource } from './row-source.ts';

/** The upper 21 of the 53 bits that a number holds exactly. */
const HIGH_REVISION_BITS = 0x1fffff;

export interface ViewState {
  readonly channel: string;
  readonly definition: CollectionDefinition;
  readonly position: number;
  /** Oldest first. */
  readonly blocks: readonly BlockState[];
  readonly quarantined: readonly string[];
  readonly missingRows: number;
  /** Rows put before it are not shown: their time to live is over. 0: all are. */
  readonly cutoff: Timestamp;
}

/** A snapshot of a replica. It pins its blocks while it has readers, or is the replica's current one. */
export class ReplicaView implements View {
  readonly channel: string;
  readonly definition: CollectionDefinition;
  readonly position: number;
  readonly blocks: readonly RowBlock[];
  readonly liveRows: number;
  readonly quarantined: readonly string[];
  readonly missingRows: number;
  readonly oldestPut: number;
  readonly #cutoff: Timestamp;
  readonly #pinned: readonly BlockState[];
  readonly #newestFirst: readonly ViewBlock[];
  #readers = 0;

  constructor(state: ViewState) {
    this.channel = state.channel;
    this.definition = state.definition;
    this.position = state.position;
    this.quarantined = state.quarantined;
    this.missingRows = state.missingRows;
    this.#pinned = state.blocks;
    const shown = state.blocks.map((block) => block.shownAt(state.cutoff));
    const blocks = state.blocks.map((block, index) => new ViewBlock(block.source, shown[index]!.live));
    this.blocks = blocks;
    this.#newestFirst = blocks.toReversed();
    this.liveRows = shown.reduce((rows, { count }) => rows + count, 0);
    this.oldestPut = shown.reduce((oldest, block) => Math.min(oldest, block.oldest), Number.POSITIVE_INFINITY);
    this.#cutoff = state.cutoff;
    for (const block of this.#pinned) block.pin();
  }

  /** Whether it is what this cutoff shows, too. */
  isAt(cutoff: Timestamp): boolean {
    return cutoff === this.#cutoff || (this.#cutoff > 0 && cutoff > this.#cutoff && cutoff <= this.oldestPut);
  }

  /** One more reader. */
  acquire(): this {
    this.#readers += 1;
    return this;
  }

  find(key: PrimaryKey): { readonly block: RowBlock; readonly offset: number } | undefined {
    for (const block of this.#newestFirst) {
      const offset = block.findLive(key);
      if (offset >= 0) return { block, offset };
    }
    return undefined;
  }

  release(): void {
    assert(this.#readers > 0, () => `view of ${this.channel}: released more often than acquired`);
    this.#readers -= 1;
    if (this.#readers === 0) for (const block of this.#pinned) block.unpin();
  }
}

class ViewBlock implements RowBlock {
  readonly id: string;
  readonly rows: number;
  readonly live: Uint32Array;
  readonly sortedByKey: boolean;
  /** What stays the same from view to view: readers hang their caches on it. */
  readonly cacheKey: object;
  readonly #source: RowSource;

  constructor(source: RowSource, live: Uint32Array) {
    this.id = source.id;
    this.rows = source.rows;
    this.live = live;
    this.sortedByKey = source.sortedByKey;
    this.cacheKey = source;
    this.#source = source;
  }

  keyAt(offset: number): PrimaryKey {
    return this.#source.keyAt(offset);
  }

  versionAt(offset: number): Timestamp {
    return this.#source.versionAt(offset);
  }

  putTimeAt(offset: number): Timestamp {
    return this.#source.putTimeAt(offset);
  }

  get oldestPut(): number {
    return this.#source.oldestPut;
  }

  revisionAt(offset: number): number {
    const { lo, hi } = this.#source.hashAt(offset);
    return ((hi ^ (this.#source.contentAt?.(offset) ?? 0)) & HIGH_REVISION_BITS) * 2 ** 32 + lo;
  }

  stampsAt(offset: number): LiveStamps {
    return this.#source.stampsAt(offset);
  }

  column(field: string): Column | undefined {
    return this.#source.column(field);
  }

  vectors(field: string): VectorBlock | undefined {
    return this.#source.vectors(field);
  }

  index<T>(kind: IndexKind<T>, field: string): T | undefined {
    return this.#source.index?.(kind, field);
  }

  bits(field: string): BinaryBlock | undefined {
    return this.#source.bits?.(field);
  }

  stats(field: string): ColumnStats | undefined {
    return this.#source.stats?.(field);
  }

  origins(field: string): OriginColumn | undefined {
    return this.#source.origins(field);
  }

  valueAt(field: string, offset: number): StoredValue {
    return this.#source.valueAt(field, offset);
  }

  /** Offset of the visible row, or -1. Rows appended after this view are skipped. */
  findLive(key: PrimaryKey): number {
    let offset = this.#source.findKey(key);
    while (offset >= 0 && (offset >= this.rows || !testBit(this.live, offset))) offset = this.#source.olderRow(offset);
    return offset;
  }
}
