import type { SchemaDefinition } from '@terndb/core';
import type { ResolveAnswer } from '@terndb/sync';
import type { Keep } from '../api/status.ts';

export interface WantedPartition {
  readonly name: string;
  readonly keep: Keep;
  /** Of `recent`: bytes of segments and indexes that stay here. */
  readonly budgetBytes?: number;
}
export interface ConnectRequest {
  /** Whole address, as the page resolved it. */
  readonly url: string;
  readonly partitions: readonly WantedPartition[];
}

/** Where the record is, and what it says: who this database follows. Kept, so that later starts work offline. */
export const CONNECTION_KEY = 'sync/connection';
export interface ConnectionRecord extends ConnectRequest {
  readonly answer: ResolveAnswer;
  /** When the device last knew itself up to date, wall clock in ms; null: never. */
  readonly currentAtMs: number | null;
  /** By channel, of those that are kept and followed no more: when they were up to date, wall clock in ms. */
  readonly leftAtMs?: Readonly<Record<string, number>>;
  /** Collections that the app opened by name: their schema is the server's. */
  readonly opened?: readonly string[];
}

export function schemaOf(answer: ResolveAnswer): SchemaDefinition {
  const version = answer.collections.reduce((newest, one) => Math.max(newest, one.schemaVersion), 1);
  return { format: 1, version, collections: Object.fromEntries(answer.collections.map(({ name, definition }) => [name, definition])) };
}

export function sameRequest(a: ConnectRequest, b: ConnectRequest): boolean {
  return a.url === b.url && JSON.stringify(a.partitions) === JSON.stringify(b.partitions);
}

export function emptyAnswer(logEpoch: string): ResolveAnswer {
  return { logEpoch, collections: [], channels: [], denied: [] };
}

/** The record with what the server answered about a collection that was opened by name. */
export function withCollection(record: ConnectionRecord, name: string, found: ResolveAnswer): ConnectionRecord {
  const { answer, opened = [] } = record;
  const collections = [...answer.collections.filter((one) => one.name !== name), ...found.collections];
  const channels = [...answer.channels.filter(({ collection }) => collection !== name), ...found.channels];
  return { ...record, answer: { ...answer, collections, channels }, opened: [...opened.filter((one) => one !== name), name] };
}
