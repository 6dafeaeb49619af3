import { DbError } from '@terndb/core';

/** A log that fails for this long will not be well again in the next moment: callers are told, and decide for themselves. */
const PATIENCE_MS = 2_000;

/**
 * What a leader knows of a log that takes nothing, as when its disk is full. The append in flight is repeated until it goes through: nothing that
 * was sent is given up. Those who wait for an answer are told after a while, and new writes at once.
 */
export class AppendTrouble {
  #cause: DbError | undefined;
  #sinceMs = 0;

  failed(cause: DbError, nowMs: number): void {
    if (this.#cause === undefined) this.#sinceMs = nowMs;
    this.#cause = cause;
  }

  ended(): void {
    this.#cause = undefined;
  }

  /** Undefined: none, or none for long. `mayBeInLog`: the write was sent, and will be made when the log takes it. */
  error(nowMs: number, { slot, mayBeInLog }: { readonly slot: number; readonly mayBeInLog: boolean }): DbError | undefined {
    if (this.#cause === undefined || nowMs - this.#sinceMs < PATIENCE_MS) return undefined;
    const code = this.#cause.code === 'STORAGE_FULL' ? 'STORAGE_FULL' : 'STORAGE_UNAVAILABLE';
    const outcome = mayBeInLog ? 'it is made when the log takes it, unless the server ends before' : 'nothing was written';
    return new DbError(code, `write: a log that can be written expected, got: ${this.#cause.message}; ${outcome}`, {
      details: { slot, mayBeInLog },
      cause: this.#cause,
    });
  }
}
