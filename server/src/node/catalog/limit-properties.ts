import { DbError } from '@terndb/core';

/**
 * Properties of databases and collections that bound what they take, under Milvus' names. What has none in Milvus: `*.rows.max`.
 * They lower what the server's settings (`limits.*`) allow and never raise it: who may alter a collection need not be who runs the server.
 */
export const LIMIT_PROPERTIES = {
  'database.max.collections': 'count',
  'database.diskQuota.mb': 'amount',
  'database.rows.max': 'count',
  'database.force.deny.writing': 'flag',
  'database.force.deny.reading': 'flag',
  'collection.diskProtection.diskQuota.mb': 'amount',
  'collection.rows.max': 'count',
  'collection.insertRate.max.mb': 'rate',
  'collection.upsertRate.max.mb': 'rate',
  'collection.deleteRate.max.mb': 'rate',
  'collection.queryRate.max.qps': 'rate',
  'collection.searchRate.max.vps': 'rate',
} as const;
export type LimitProperty = keyof typeof LIMIT_PROPERTIES;

const EXPECTED = {
  count: 'an integer from 0',
  amount: 'a number from 0',
  rate: 'a number above 0',
  flag: 'true or false',
} as const;

/** Undefined: not set, or (-1, as Milvus has it) without a limit. */
export function limitOf(properties: Readonly<Record<string, string>>, name: LimitProperty): number | undefined {
  const text = properties[name];
  if (text === undefined || text === '-1') return undefined;
  return isGood(LIMIT_PROPERTIES[name], text) ? Number(text) : undefined;
}

export function isDenied(properties: Readonly<Record<string, string>>, what: 'reading' | 'writing'): boolean {
  return properties[`database.force.deny.${what}`]?.toLowerCase() === 'true';
}

/** OPTION_INVALID for a limit that says nothing. */
export function checkLimitProperties(what: string, properties: Readonly<Record<string, string>>): void {
  for (const [name, kind] of Object.entries(LIMIT_PROPERTIES)) {
    const text = properties[name];
    if (text === undefined || text === '-1' || isGood(kind, text)) continue;
    const details = { option: name, expected: EXPECTED[kind], got: text };
    throw new DbError('OPTION_INVALID', `${what}: ${name}: ${EXPECTED[kind]} expected, got ${JSON.stringify(text)}`, { details });
  }
}

/** For one more. QUOTA_EXCEEDED. */
export function checkCollectionRoom(
  database: string,
  properties: Readonly<Record<string, string>>,
  { there, most: ceiling }: { readonly there: number; readonly most: number },
): void {
  const most = Math.min(limitOf(properties, 'database.max.collections') ?? ceiling, ceiling);
  if (there < most) return;
  throw new DbError('QUOTA_EXCEEDED', `database ${database}: at most ${most} collections expected, got one more`, {
    details: { quota: 'database.collections', database, limit: most },
  });
}

function isGood(kind: keyof typeof EXPECTED, text: string): boolean {
  if (kind === 'flag') return /^(true|false)$/i.test(text);
  if (!/^\d{1,15}(\.\d{1,9})?$/.test(text)) return false;
  const value = Number(text);
  return kind === 'count' ? Number.isInteger(value) : kind === 'amount' || value > 0;
}
