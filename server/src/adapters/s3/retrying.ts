import { AssertionError, type Clock, DbError, type Rng } from '@terndb/core';
import { failureOf, isRetryable, toDbError } from './s3-error.ts';

/** A gateway that restarts is back within this; a longer outage is the caller's business. */
const GIVE_UP_AFTER_MS = 30_000;
/** Even if every attempt fails at once. */
const MAX_ATTEMPTS = 20;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 3_000;

/**
 * Runs `attempt` until it succeeds, with full jitter between the attempts (0 to a doubling bound), so that clients that failed together do
 * not come back together. Only for attempts that may be repeated whatever became of the one before.
 * @throws STORAGE_UNAVAILABLE, STORAGE_FULL; a DbError or a failed assertion of `attempt` as it is.
 */
export async function retrying<T>(what: string, { clock, rng }: { clock: Clock; rng: Rng }, attempt: () => Promise<T>): Promise<T> {
  const start = clock.monotonicMs();
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof DbError || error instanceof AssertionError) throw error;
      const failure = failureOf(error);
      const delayMs = (rng.nextUint32() / 2 ** 32) * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1));
      const late = clock.monotonicMs() - start + delayMs > GIVE_UP_AFTER_MS;
      if (!isRetryable(failure) || attempts === MAX_ATTEMPTS || late) throw toDbError(failure, what, attempts);
      await new Promise<void>((resolve) => {
        clock.after(delayMs, resolve);
      });
    }
  }
}
