import type { CollectionDefinition, Timestamp } from '@terndb/core';
import type { View } from '../view/view.ts';
import type { Entities } from './entities.ts';

/** What reads and writes need of one partition's rows as they are shown: a replica's own, or those of a replica with the outbox over it. */
export interface ReplicaReader {
  /** Newest stamp of what is shown. */
  readonly maxHlc: Timestamp;
  /** A key that is not here may be one of the rows that are missing. */
  readonly isPartial?: boolean;
  /** With the time to live that counts here, where that need not be the collection's. */
  readonly definition?: CollectionDefinition;
  readonly entities: Pick<Entities, 'find' | 'dimOf' | 'blocks'>;
  /** Without rows that are expired at `nowMs`; left out: with them. */
  view(nowMs?: number): View;
}
