import type { CollectionDefinition, PrimaryKey, Span } from '@terndb/core';
import type { EntityRecord, PartitionView, ReadInfo } from '../database/types.ts';
import type { RowBlock } from '../view/view.ts';

/**
 * What one read works on: pinned views of the partitions it wants, in their order, and what the facade knows about the truth of the answer.
 * The caller releases the views.
 */
export interface ReadContext {
  readonly definition: CollectionDefinition;
  readonly collection: string;
  readonly partitions: readonly PartitionView[];
  readonly info: ReadInfo;
  /** Whether an entity has writes that the log has not confirmed; left out: none has. */
  readonly isPending?: (partition: string, key: PrimaryKey) => boolean;
  /** Told of each entity that is read for the answer, as it is read; may throw, which ends the read. */
  readonly onEntity?: (entity: EntityRecord) => void;
  /** Of a traced request. */
  readonly span?: Span;
}

/** A visible row of one of the context's views. */
export interface RowRef {
  readonly key: PrimaryKey;
  /** Index into the context's partitions: the last tie-breaker, as a key is unique only within its partition. */
  readonly partition: number;
  readonly block: RowBlock;
  readonly offset: number;
}

/** One name per row of a database collection, for sets of rows that outlive the view. */
export function rowName(partition: string, key: PrimaryKey): string {
  return `${partition}\n${typeof key === 'string' ? 's' : 'i'}${key}`;
}
