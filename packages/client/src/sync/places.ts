import { compareDefinitions, DbError, mergeDefinitions, type SchemaDefinition } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import { type ConnectRequest, schemaOf } from './connection-record.ts';
import type { SyncPlace } from './host-types.ts';
import { DEFAULT_BUDGET_BYTES } from './keep-recent.ts';

/** Channels to follow: all but those that are only searched. */
export function placesOf(request: ConnectRequest, answer: ResolveAnswer): SyncPlace[] {
  const wanted = new Map(request.partitions.map((partition) => [partition.name, partition]));
  const versions = new Map(answer.collections.map(({ name, schemaVersion }) => [name, schemaVersion]));
  const followed = answer.channels.filter(({ partition }) => (wanted.get(partition)?.keep ?? 'search-only') !== 'search-only');
  return followed.map(({ channel, collection, partition }) => {
    const { keep, budgetBytes = DEFAULT_BUDGET_BYTES } = wanted.get(partition)!;
    // A partition's collections share its budget in equal parts: what one needs is not known when another is brought.
    const share = followed.filter((one) => one.partition === partition).length;
    const schemaVersion = versions.get(collection) ?? 1;
    return { channel, collection, partition, schemaVersion, budgetBytes: keep === 'recent' ? Math.floor(budgetBytes / share) : null };
  });
}

export function isSearched({ partitions }: ConnectRequest, partition: string): boolean {
  return partitions.some(({ name, keep }) => name === partition && keep === 'search-only');
}

/** With the same share of each kept here. */
export function samePlaces(a: readonly SyncPlace[], b: readonly SyncPlace[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ channel, budgetBytes }) => b.some((one) => one.channel === channel && one.budgetBytes === budgetBytes))
  );
}

/**
 * Whether the server, as it answered then, takes what is written with this schema. An app that has a field more must ask first: a leader refuses
 * for good what its schema has not, and the same write is right a moment later.
 */
export function covers(answer: ResolveAnswer, own: SchemaDefinition): boolean {
  const difference = compareDefinitions(schemaOf(answer), own);
  return difference.type === 'additive' ? difference.fields.length === 0 : difference.type !== 'conflict';
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
