import { DbError } from '@terndb/core';
import type { Asked } from '../limits/admission.ts';
import { isWrite, type RateKind } from '../limits/place-limits.ts';
import type { MilvusCall } from './call.ts';
import { CODES, MilvusError } from './errors.ts';
import type { Guard } from './guards.ts';

const RATE_LIMITED = 1807;
const QUOTA_EXCEEDED = 9;
const TOO_MANY_COLLECTIONS = 102;
/** Refused for now, not for what they are. */
export const REJECTED: readonly number[] = [CODES.rateLimited, RATE_LIMITED, QUOTA_EXCEEDED, TOO_MANY_COLLECTIONS];

const KINDS: Readonly<Record<string, RateKind>> = {
  'entities/insert': 'insert',
  'entities/upsert': 'upsert',
  'entities/delete': 'delete',
  'entities/get': 'query',
  'entities/query': 'query',
  'entities/search': 'search',
  'entities/hybrid_search': 'search',
  'entities/advanced_search': 'search',
};

/** What a route is held to; users and roles are nobody's database. */
export function kindOf(path: string, { reach, isAudited }: Guard): RateKind | undefined {
  const isOfDatabase = reach === 'database' || reach === 'collection' || reach === 'partition';
  return KINDS[path] ?? (isAudited && isOfDatabase ? 'ddl' : undefined);
}

export function askedBy(kind: RateKind, { database, body, bytes = 0 }: MilvusCall): Asked {
  const data = kind === 'search' ? body.get('data') : undefined;
  const vectors = Array.isArray(data) ? data.length : 1;
  return { kind, database, collection: body.text('collectionName'), cost: () => (isWrite(kind) ? bytes : vectors) };
}

/** In Milvus' words; what no limit refused is given back as it is. */
export function asLimited(thrown: unknown): unknown {
  if (!(thrown instanceof DbError)) return thrown;
  const { code, details, message } = thrown;
  if (code === 'RATE_LIMITED' && details['rate'] !== undefined) {
    const why = `request is rejected by limiter, error: rate limit exceeded[rate=${String(details['rate'])}]: ${message}`;
    return new MilvusError(RATE_LIMITED, why);
  }
  if (code !== 'QUOTA_EXCEEDED' || details['quota'] === undefined) return thrown;
  if (details['quota'] === 'database.collections') {
    return new MilvusError(TOO_MANY_COLLECTIONS, `exceeded the limit number of collections[limit=${String(details['limit'])}]: ${message}`);
  }
  return new MilvusError(QUOTA_EXCEEDED, `quota exceeded[reason=${message}]`);
}
