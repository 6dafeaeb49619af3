import { type CollectionDefinition, MAX_TTL_SECONDS } from '@terndb/core';
import { invalidParameter } from './errors.ts';

/** As Milvus names it among a collection's properties, where it is also asked for and described. */
export const TTL_PROPERTY = 'collection.ttl.seconds';

/** What one of these params says; undefined: none does. 0 and -1: entities live for ever. Code 1100. */
export function wantedTtl(params: ReadonlyMap<string, string>, names: readonly string[]): number | undefined {
  const text = names.map((name) => params.get(name)).find((value) => value !== undefined);
  if (text === undefined) return undefined;
  const seconds = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= -1 && seconds <= MAX_TTL_SECONDS) return seconds;
  throw invalidParameter(`collection TTL is out of range, expect [-1, ${MAX_TTL_SECONDS}], got ${text}`);
}

export function withTtl({ fields }: CollectionDefinition, seconds: number): CollectionDefinition {
  return seconds > 0 ? { fields, ttlSeconds: seconds } : { fields };
}

/** As a property. Devices that made the collection left none. */
export function ttlProperty({ ttlSeconds }: CollectionDefinition): Readonly<Record<string, string>> {
  return ttlSeconds === undefined ? {} : { [TTL_PROPERTY]: String(ttlSeconds) };
}
