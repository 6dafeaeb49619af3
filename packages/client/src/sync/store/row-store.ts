/** Rows of the outbox, of what was acknowledged lately, and of what was refused: one entry each. */
export type EntryStore = 'outbox' | 'kept' | 'rejected';

/** Format of the bytes: entry-codec.ts. */
export interface EntryRow {
  readonly bytes: Uint8Array;
  /** R2: it may have left the device. */
  readonly sent: boolean;
  /** Of `kept`: wall clock, ms. */
  readonly keptAtMs?: number;
  /** Of `rejected`. */
  readonly code?: string;
}

export type RowOp =
  | { readonly type: 'put'; readonly store: EntryStore; readonly channel: string; readonly id: number; readonly row: EntryRow }
  | { readonly type: 'delete'; readonly store: EntryStore; readonly channel: string; readonly id: number }
  | { readonly type: 'meta'; readonly key: string; readonly value: Uint8Array | undefined }
  /** `truncate`: everything up to this sequence is forgotten. */
  | {
      readonly type: 'append';
      readonly stream: string;
      readonly channel: string;
      readonly expectedLast: number;
      readonly entries: readonly Uint8Array[];
      readonly truncate?: number;
    };

export interface StoredRow {
  readonly channel: string;
  readonly id: number;
  readonly row: EntryRow;
}

/** Where replication keeps its rows: one transaction per commit, fenced by the term. */
export interface RowStore {
  /**
   * All or nothing, durable when it resolves. The same commit again, after an answer was lost, changes nothing.
   * @throws APPEND_CONFLICT (`details.reason` 'fenced') when a newer term is stored (R11); STORAGE_FULL, STORAGE_UNAVAILABLE …
   */
  commit(term: number, ops: readonly RowOp[]): Promise<void>;
  /** Of one channel, or all; by channel and id. */
  rows(store: EntryStore, channel?: string): Promise<readonly StoredRow[]>;
  meta(key: string): Promise<Uint8Array | undefined>;
  /** Last sequence of a stream; 0 when it is empty. */
  lastSequence(stream: string): Promise<number>;
}
