import { type CollectionDefinition, defaultValueOf, type StoredValue, type Timestamp, valueFieldsOf } from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import { Entities } from './entities.ts';
import { Replica } from './replica.ts';

export interface ReplicaOptions {
  readonly channel: string;
  readonly logEpoch: string;
  readonly definition: CollectionDefinition;
  readonly kernel: Kernel;
}

/** What a field reads as where a put does not name it. */
export function defaultsOf(definition: CollectionDefinition): ReadonlyMap<string, StoredValue> {
  return new Map(valueFieldsOf(definition).map((field) => [field.name, defaultValueOf(field)]));
}

/** A channel before its first record. */
export function emptyReplica({ channel, logEpoch, definition, kernel }: ReplicaOptions): Replica {
  return new Replica({
    channel,
    logEpoch,
    entities: new Entities({ definition, defaults: defaultsOf(definition), kernel }),
    position: 0,
    maxHlc: 0 as Timestamp,
    floor: 0 as Timestamp,
    lmids: new Map(),
    quarantined: [],
    missingRows: 0,
  });
}
