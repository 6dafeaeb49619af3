import { AssertionError, DbError } from '@terndb/core';
import { ManualClock, seededRng } from '@terndb/core/testing';
import { describe, expect, it } from 'vitest';
import { retrying } from './retrying.ts';

const answer = (status: number | undefined, name: string): Error =>
  Object.assign(new Error(`${name} said so`), { name, $metadata: status === undefined ? {} : { httpStatusCode: status } });

/** Runs with time that moves as fast as the timers ask. */
async function run(errors: readonly (Error | undefined)[]): Promise<{ outcome: unknown; attempts: number; elapsedMs: number }> {
  const clock = new ManualClock();
  let attempts = 0;
  let settled = false;
  const outcome = retrying('object a', { clock, rng: seededRng(1) }, async () => {
    const error = errors[Math.min(attempts++, errors.length - 1)];
    if (error !== undefined) throw error;
    return 'done';
  })
    .catch((error: unknown) => error)
    .finally(() => {
      settled = true;
    });
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.pendingTimers > 0) clock.advance(50);
  }
  return { outcome: await outcome, attempts, elapsedMs: clock.monotonicMs() };
}

describe('a request to S3', () => {
  it.each([
    [500, 'InternalError'],
    [503, 'SlowDown'],
    [429, 'TooManyRequests'],
    [400, 'RequestTimeout'],
    [409, 'ConditionalRequestConflict'],
    [403, 'RequestTimeTooSkewed'],
    [undefined, 'TimeoutError'],
    [undefined, 'ECONNRESET'],
  ])('is made again after %s %s', async (status, name) => {
    const error = answer(status, name);
    expect(await run([error, error, undefined])).toMatchObject({ outcome: 'done', attempts: 3 });
  });

  it.each([
    [403, 'AccessDenied', 'STORAGE_UNAVAILABLE'],
    [404, 'NoSuchBucket', 'STORAGE_UNAVAILABLE'],
    [400, 'InvalidRequest', 'STORAGE_UNAVAILABLE'],
    [403, 'QuotaExceeded', 'STORAGE_FULL'],
    [507, 'InsufficientStorage', 'STORAGE_FULL'],
  ])('is made once when the answer is %s %s', async (status, name, code) => {
    const { outcome, attempts } = await run([answer(status, name)]);
    expect(outcome).toMatchObject({ code, details: { status, code: name, attempts: 1 } });
    expect(attempts).toBe(1);
  });

  it('is given up after a bounded time and number of attempts, with the last reason', async () => {
    const { outcome, attempts, elapsedMs } = await run([answer(503, 'SlowDown')]);
    expect(outcome).toBeInstanceOf(DbError);
    expect(outcome).toMatchObject({ code: 'STORAGE_UNAVAILABLE', details: { status: 503, attempts } });
    expect(attempts).toBeGreaterThan(5);
    expect(attempts).toBeLessThanOrEqual(20);
    expect(elapsedMs).toBeLessThanOrEqual(31_000);
  });

  it('passes on our own errors and failed assertions at once', async () => {
    for (const error of [new DbError('FORMAT_INVALID', 'x'), new AssertionError('y')]) {
      expect(await run([error])).toEqual({ outcome: error, attempts: 1, elapsedMs: 0 });
    }
  });
});
