import type { Clock } from '@terndb/core';

/** One request's time: over when its own is spent, or when nobody waits for its answer any more. */
export interface Deadline {
  /** Aborted when it is over; its `reason` is what to answer. */
  readonly signal: AbortSignal;
  /** Milliseconds, 0 at least. */
  leftMs(): number;
  /**
   * Before each part of the work: the reason when it is over, also when no timer could say so yet because everything so far was done in one turn of the event loop.
   * A request of many parts lets others have their turn.
   */
  begin(): Promise<void>;
  /** What the work gives, or the reason as soon as it is over; the work may go on then. */
  holds<T>(work: Promise<T>): Promise<T>;
  /** Nobody asks any more. */
  end(): void;
}

/** As much as a request may do before others have their turn. */
const SLICE_MS = 8;

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
  const leftMs = (): number => Math.max(0, endMs - clock.monotonicMs());
  let turnMs = clock.monotonicMs();
  return {
    signal,
    leftMs,
    begin: async () => {
      if (clock.monotonicMs() - turnMs >= SLICE_MS) {
        await new Promise<void>((resolve) => void clock.after(0, resolve));
        turnMs = clock.monotonicMs();
      }
      if (leftMs() === 0) over.abort(late());
      signal.throwIfAborted();
    },
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
