import { compareDefinitions, DbError, mergeDefinitions, type SchemaDefinition } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import { type ConnectRequest, schemaOf } from './connection-record.ts';
import type { SyncPlace } from './host-types.ts';

/** Channels to follow: all but those that are only searched. */
export function placesOf(request: ConnectRequest, answer: ResolveAnswer): SyncPlace[] {
  const keep = new Map(request.partitions.map((partition) => [partition.name, partition.keep]));
  const versions = new Map(answer.collections.map(({ name, schemaVersion }) => [name, schemaVersion]));
  return answer.channels
    .filter(({ partition }) => keep.get(partition) !== undefined && keep.get(partition) !== 'search-only')
    .map(({ channel, collection, partition }) => ({ channel, collection, partition, schemaVersion: versions.get(collection) ?? 1 }));
}

export function sameChannels(a: readonly SyncPlace[], b: readonly SyncPlace[]): boolean {
  return a.length === b.length && a.every(({ channel }) => b.some((one) => one.channel === channel));
}

/** Whether the server's schema has fields that this one lacks. SCHEMA_CONFLICT when the two contradict each other. */
export function isWider(answer: ResolveAnswer, own: SchemaDefinition): boolean {
  const wider = compareDefinitions(own, schemaOf(answer));
  const merged = wider.type === 'conflict' ? wider : compareDefinitions(own, mergeDefinitions(schemaOf(answer), own));
  if (wider.type === 'conflict' || merged.type === 'conflict') {
    const details = wider.type === 'conflict' ? { collection: wider.collection, field: wider.field } : {};
    throw new DbError('SCHEMA_CONFLICT', 'connect: a schema that fits the server expected, got one that does not', { details });
  }
  return wider.type === 'additive' && wider.fields.length > 0;
}
