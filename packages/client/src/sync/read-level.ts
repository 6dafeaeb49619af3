import { DbError, type JsonValue } from '@terndb/core';
import { decodeToken, type ReadScope, type TokenPositions } from '@terndb/engine';

const BOUNDED_STALENESS_MS = 5_000;

/** How fresh a read is to be: a token's positions, an age in ms, or one of the names. */
export type Level = 'strong' | 'session' | 'eventually' | { readonly maxStalenessMs: number } | readonly TokenPositions[];

/** Undefined: none of them; the engine says what is wrong. TOKEN_INVALID. */
export function levelOf(consistency: unknown): Level | undefined {
  if (consistency === undefined || consistency === null) return 'session';
  if (consistency === 'bounded') return { maxStalenessMs: BOUNDED_STALENESS_MS };
  if (consistency === 'strong' || consistency === 'session' || consistency === 'eventually') return consistency;
  if (typeof consistency !== 'object') return undefined;
  const { atLeast, maxStalenessMs } = consistency as { readonly atLeast?: unknown; readonly maxStalenessMs?: unknown };
  if (typeof atLeast === 'string') return decodeToken(atLeast);
  return typeof maxStalenessMs === 'number' && maxStalenessMs >= 0 ? { maxStalenessMs } : undefined;
}

/** Whether what is this old (null: nobody knows) is too old. */
export function isTooOld(level: Level, stalenessMs: number | null): boolean {
  if (level === 'strong') return true;
  return typeof level === 'object' && 'maxStalenessMs' in level && (stalenessMs === null || stalenessMs > level.maxStalenessMs);
}

export function levelUnavailable({ collection, consistency }: ReadScope, why: string): DbError {
  const level: JsonValue = typeof consistency === 'string' ? consistency : JSON.parse(JSON.stringify(consistency ?? null));
  return new DbError('CONSISTENCY_UNAVAILABLE', `${collection}: consistency ${JSON.stringify(level)} cannot be met now: ${why}`, {
    details: { collection, consistency: level },
  });
}
