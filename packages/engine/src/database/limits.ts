import { assert, DbError } from '@terndb/core';
import type { EngineLimits } from './types.ts';

export const DEFAULT_LIMITS: EngineLimits = {
  /** Replaying rows from the log costs about ten times as much as mapping a segment; this keeps the replay at open below some 100 ms. */
  sealRows: 8_192,
  /** Growing rows are in the log, too: reading this much back at open takes about 100 ms. */
  sealBytes: 32 * 1024 * 1024,
  /** Design 6: a day, so that a quiet channel's log does not stay for ever. */
  sealAgeMs: 24 * 60 * 60 * 1000,
  /** Short enough for a durable put within 15 ms, long enough to gather a burst (design 8: at most 10 ms). */
  groupCommitMs: 4,
};

const MAX_GROUP_COMMIT_MS = 10;
assert(DEFAULT_LIMITS.groupCommitMs <= MAX_GROUP_COMMIT_MS, 'the default group commit is within its bound');

/** Defaults for what is left out. OPTION_INVALID. */
export function checkLimits(given: Partial<EngineLimits> = {}): EngineLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const least: EngineLimits = { sealRows: 1, sealBytes: 1, sealAgeMs: 1, groupCommitMs: 0 };
  for (const name of Object.keys(least) as (keyof EngineLimits)[]) {
    const most = name === 'groupCommitMs' ? MAX_GROUP_COMMIT_MS : Number.MAX_SAFE_INTEGER;
    const value = limits[name];
    if (typeof value === 'number' && value >= least[name] && value <= most) continue;
    throw new DbError('OPTION_INVALID', `limits.${name}: a number from ${least[name]} to ${most} expected, got ${value}`, {
      details: { option: `limits.${name}`, expected: [least[name], most], got: String(value) },
    });
  }
  return limits;
}
