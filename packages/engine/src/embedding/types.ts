import type { PrimaryKey } from '@terndb/core';

/** What is asked of the rows whose vector in one field is to be derived. */
export interface WaitingRequest {
  readonly collection: string;
  readonly field: string;
  /** The model whose vectors are wanted. */
  readonly model: string;
  readonly maxRows: number;
  /** Rows looked at for the first time in one call: each is read and hashed, some microseconds. */
  readonly maxLookedAt: number;
  /**
   * Which rows are this device's to embed, by the partition and the client id of the newest change to the source text. Default: all. Once connected
   * only those that this device wrote (design 5).
   */
  readonly mayEmbed?: (partition: string, author: string) => boolean;
  /**
   * Whether somebody is still writing a text that was last changed then (wall clock of the writer, milliseconds): such rows of collab text rest, and are
   * not waiting yet. Default: none.
   */
  readonly isBeingWritten?: (changedMs: number) => boolean;
  /** Rows whose vector exists already and is only not written yet: they do not count as waiting. Default: none. */
  readonly isEmbedded?: (partition: string, key: PrimaryKey) => boolean;
}

/** A row without a vector, or with one made from another text or by another model. */
export interface WaitingRow {
  readonly partition: string;
  readonly key: PrimaryKey;
  /** Empty: there is nothing to embed, and the vector that the row has is to go. */
  readonly text: string;
  readonly sourceHash: Uint8Array;
}

export interface WaitingRows {
  /** Oldest block first. */
  readonly rows: readonly WaitingRow[];
  /** All rows known to wait, those of `rows` included. */
  readonly waiting: number;
  /** Rows whose text is being written: to be asked for again after a pause. */
  readonly resting: number;
  /** Every row has been looked at: `waiting` is exact. */
  readonly isComplete: boolean;
}

/** A text as a vector, by one of the models that have vectors in a field. */
export interface QueryEmbedding {
  readonly field: string;
  readonly model: string;
  readonly vector: Float32Array;
  /** Rank rows whose vector the application gave, too: they are taken to be of the current model. */
  readonly withGiven: boolean;
}

/** A derived vector to write. */
export interface DerivedVector {
  readonly key: unknown;
  readonly sourceHash: Uint8Array;
  /** Null takes the vector away. */
  readonly vector: Float32Array | null;
}
