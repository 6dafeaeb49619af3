import type { DbError, PrimaryKey } from '@terndb/core';
import type { CatalogCollection } from '../catalog/catalog.ts';
import type { ReplicaReader } from '../replica/replica-reader.ts';
import { type Channel, inspectChannel } from './channel.ts';
import type { PartitionInspection } from './types.ts';

/** What reads and writes see of one partition, whoever leads its channel. */
export interface ShownChannel extends ReplicaReader {
  readonly name: string;
  readonly collection: CatalogCollection;
  readonly partition: string;
  /** The universe of its positions; null before the first bootstrap of a followed channel. */
  readonly logEpoch: string | null;
  readonly position: number;
  /** Rows that are known to be missing; at least one when nobody knows how many. */
  readonly missingRows: number;
  /** Why nothing can be written. */
  readonly damage: DbError | undefined;
  /** Whether the key has writes that the log has not confirmed. */
  isPending(key: PrimaryKey): boolean;
  inspect(): PartitionInspection;
}

/** A channel that this engine leads itself. */
export function shownLocally(channel: Channel, logEpoch: string): ShownChannel {
  const { name, collection, partition, replica, damage } = channel;
  return {
    name,
    collection,
    partition,
    logEpoch,
    position: replica.position,
    maxHlc: replica.maxHlc,
    // A damaged log hides nobody knows how many.
    missingRows: replica.missingRows + (damage === undefined ? 0 : 1),
    damage,
    entities: replica.entities,
    view: (nowMs) => replica.view(nowMs),
    isPending: () => false,
    inspect: () => inspectChannel(channel),
  };
}
