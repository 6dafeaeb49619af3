import { DbError } from '@terndb/core';

/** Beyond this `setTimeout` fires at once; it is 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface CallLimits {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The promise of `start`, unless the signal or the time limit comes first: ABORTED, TIMEOUT. That ends the waiting only.
 * While it waits, `pending` holds a way to end it with another error.
 */
export function withLimits<T>(
  what: string,
  { timeoutMs, signal }: CallLimits,
  start: () => PromiseLike<T>,
  pending?: Set<(error: DbError) => void>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      return reject(new DbError('OPTION_INVALID', `${what}: timeoutMs: a number from 0 expected, got ${timeoutMs}`));
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      pending?.delete(fail);
    };
    const fail = (error: DbError): void => {
      finish();
      reject(error);
    };
    const onAbort = (): void => fail(aborted(what, signal!));
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort);
    if (timeoutMs !== undefined && timeoutMs <= MAX_TIMER_MS) {
      timer = setTimeout(() => fail(new DbError('TIMEOUT', `${what}: ${timeoutMs} ms passed`, { details: { timeoutMs } })), timeoutMs);
    }
    pending?.add(fail);
    start().then(
      (value) => {
        finish();
        resolve(value);
      },
      (thrown: unknown) => fail(fromThrown(what, thrown)),
    );
  });
}

function aborted(what: string, { reason }: AbortSignal): DbError {
  return new DbError(reason?.name === 'TimeoutError' ? 'TIMEOUT' : 'ABORTED', `${what}: ended by its signal`, { cause: reason });
}

function fromThrown(what: string, thrown: unknown): DbError {
  if ((thrown as Error | undefined)?.name !== 'DataCloneError') return DbError.from(thrown);
  return new DbError('FIELD_INVALID', `${what}: plain data expected: ${(thrown as Error).message}`, {
    cause: thrown,
  });
}
