import type { Clock } from '@terndb/core';

/** One request's time: over when its own is spent, or when nobody waits for its answer any more. */
export interface Deadline {
  /** Aborted when it is over; its `reason` is what to answer. */
  readonly signal: AbortSignal;
  /** Milliseconds, 0 at least. */
  leftMs(): number;
  /** What the work gives, or the reason as soon as it is over; the work may go on then. */
  holds<T>(work: Promise<T>): Promise<T>;
  /** Nobody asks any more. */
  end(): void;
}

export interface DeadlineOptions {
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly timeoutMs: number;
  /** Whoever asked has left. */
  readonly gone?: AbortSignal | undefined;
  /** Of an expiry, of leaving. */
  readonly late: () => Error;
  readonly left: () => Error;
}

export function openDeadline({ clock, timeoutMs, gone, late, left }: DeadlineOptions): Deadline {
  const over = new AbortController();
  const { signal } = over;
  const endMs = clock.monotonicMs() + timeoutMs;
  const leave = (): void => over.abort(left());
  const cancel = clock.after(timeoutMs, () => over.abort(late()));
  if (gone?.aborted === true) leave();
  gone?.addEventListener('abort', leave, { once: true });
  return {
    signal,
    leftMs: () => Math.max(0, endMs - clock.monotonicMs()),
    holds: (work) =>
      new Promise((resolve, reject) => {
        const refuse = (): void => reject(signal.reason as Error);
        if (signal.aborted) refuse();
        signal.addEventListener('abort', refuse, { once: true });
        work.then(resolve, reject);
      }),
    end: () => {
      cancel();
      gone?.removeEventListener('abort', leave);
    },
  };
}
