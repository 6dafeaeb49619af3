import { type AbortSignalLike, type Clock, DbError } from '@terndb/core';

export interface Budget {
  readonly timeoutMs: number;
  readonly signal?: AbortSignalLike | undefined;
}

interface Waiter {
  readonly isReached: () => boolean;
  readonly done: () => void;
}

/** Reads that wait for something to be folded. Each is looked at whenever something is. */
export class PositionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    for (const waiter of this.#waiters) if (waiter.isReached()) waiter.done();
  }

  /** @returns false when the budget is spent. ABORTED. */
  wait(isReached: () => boolean, budget: Budget): Promise<boolean> {
    if (isReached()) return Promise.resolve(true);
    return within(this.#clock, budget, false, (settle) => {
      const waiter: Waiter = { isReached, done: () => settle(true) };
      this.#waiters.add(waiter);
      return () => this.#waiters.delete(waiter);
    });
  }
}

/** What `start` settles, or `otherwise` when the budget is spent. `start` returns what to do in the end. ABORTED. */
export function within<T>(
  clock: Clock,
  { timeoutMs, signal }: Budget,
  otherwise: T,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let end: () => void = () => {};
    const abort = (): void => fail(new DbError('ABORTED', 'read: its caller has given it up'));
    const cancel = clock.after(timeoutMs, () => settle(otherwise));
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', abort);
      end();
    };
    const settle = (value: T): void => {
      finish();
      resolve(value);
    };
    const fail = (error: unknown): void => {
      finish();
      reject(error);
    };
    if (signal?.aborted) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort);
    end = start(settle, fail);
  });
}
