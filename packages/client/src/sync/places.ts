import { compareDefinitions, DbError, mergeDefinitions, type SchemaDefinition } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import type { OtherTimeToLive } from '../api/status.ts';
import { type ConnectRequest, schemaOf } from './connection-record.ts';
import type { SyncPlace } from './host-types.ts';
import { DEFAULT_BUDGET_BYTES } from './keep-recent.ts';

/** Channels to follow: all but those that are only searched. */
export function placesOf(request: ConnectRequest, answer: ResolveAnswer): SyncPlace[] {
  const wanted = new Map(request.partitions.map((partition) => [partition.name, partition]));
  const collections = new Map(answer.collections.map((collection) => [collection.name, collection]));
  const followed = answer.channels.filter(({ partition }) => (wanted.get(partition)?.keep ?? 'search-only') !== 'search-only');
  return followed.map(({ channel, collection, partition }) => {
    const { keep, budgetBytes = DEFAULT_BUDGET_BYTES } = wanted.get(partition)!;
    // A partition's collections share its budget in equal parts: what one needs is not known when another is brought.
    const share = followed.filter((one) => one.partition === partition).length;
    const { schemaVersion = 1, definition } = collections.get(collection) ?? {};
    const ttlSeconds = definition?.ttlSeconds ?? null;
    return {
      channel,
      collection,
      partition,
      schemaVersion,
      ttlSeconds,
      budgetBytes: keep === 'recent' ? Math.floor(budgetBytes / share) : null,
    };
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

/**
 * Collections whose entities live otherwise by the server's schema than by the app's: the server's counts in what is followed. `opened`: those whose
 * schema is the server's anyway.
 */
export function otherTimesToLive(answer: ResolveAnswer, own: SchemaDefinition, opened: readonly string[] = []): readonly OtherTimeToLive[] {
  return answer.collections.flatMap(({ name, definition }) => {
    const known = own.collections[name];
    if (known === undefined || known.ttlSeconds === definition.ttlSeconds || opened.includes(name)) return [];
    return [{ collection: name, ownSeconds: known.ttlSeconds ?? null, serverSeconds: definition.ttlSeconds ?? null }];
  });
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
