import { DbError, type JsonValue } from '@terndb/core';
import { decodeToken, type TokenPositions } from '@terndb/engine';

/** Design 7: how stale a `bounded` read may be that does not say. */
export const DEFAULT_STALENESS_MS = 5_000;
/** Design 7: how long a read may wait for its guarantee position. */
export const DEFAULT_BUDGET_MS = 15_000;
const MAX_BUDGET_MS = 10 * 60_000;

/** What a read must have seen. A session without a token knows of no write: it is strong. */
export type Guarantee =
  | { readonly type: 'strong' }
  | { readonly type: 'bounded'; readonly stalenessMs: number }
  | { readonly type: 'eventually' }
  | { readonly type: 'atLeast'; readonly token: readonly TokenPositions[] };

/** QUERY_INVALID, TOKEN_INVALID. */
export function guaranteeOf(collection: string, consistency: unknown): Guarantee {
  if (consistency === undefined || consistency === null || consistency === 'bounded')
    return { type: 'bounded', stalenessMs: DEFAULT_STALENESS_MS };
  if (consistency === 'strong' || consistency === 'session') return { type: 'strong' };
  if (consistency === 'eventually') return { type: 'eventually' };
  if (typeof consistency === 'object') {
    const { atLeast, maxStalenessMs } = consistency as { atLeast?: unknown; maxStalenessMs?: unknown };
    if (typeof atLeast === 'string') return { type: 'atLeast', token: decodeToken(atLeast) };
    if (typeof maxStalenessMs === 'number' && maxStalenessMs >= 0) return { type: 'bounded', stalenessMs: maxStalenessMs };
  }
  const expected = `'strong', 'session', 'bounded', 'eventually', { maxStalenessMs } or { atLeast }`;
  const got: JsonValue = typeof consistency === 'string' ? consistency.slice(0, 40) : typeof consistency;
  throw new DbError('QUERY_INVALID', `${collection}: consistency: ${expected} expected, got ${got}`, {
    details: { collection, option: 'consistency', expected, got },
  });
}

/** OPTION_INVALID. */
export function budgetOf(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return DEFAULT_BUDGET_MS;
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= MAX_BUDGET_MS) return timeoutMs;
  throw new DbError('OPTION_INVALID', `timeoutMs: 0 to ${MAX_BUDGET_MS} expected, got ${String(timeoutMs)}`, {
    details: { option: 'timeoutMs', got: String(timeoutMs) },
  });
}
