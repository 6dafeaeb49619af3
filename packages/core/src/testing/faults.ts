import { DbError } from '../errors/db-error.ts';

type Planned =
  | { readonly type: 'fail'; readonly error: unknown; readonly applied: boolean }
  | { readonly type: 'hold'; readonly released: Promise<void> };

/**
 * Faults that a test plans for the calls of one adapter, taken in the order planned, one per call of the named operation.
 * A failed call has either no effect, or (`applied`) its whole effect and an answer that never came: the two outcomes that a caller cannot
 * tell apart.
 */
export class Faults<Operation extends string> {
  readonly #planned = new Map<Operation, Planned[]>();
  #crashed = false;

  /** The next unplanned call of `operation` rejects with `error` (default: STORAGE_UNAVAILABLE). */
  failNext(operation: Operation, error: unknown = unavailable(operation), options: { readonly applied?: boolean } = {}): void {
    this.#plan(operation, { type: 'fail', error, applied: options.applied ?? false });
  }

  /** The next unplanned call of `operation` waits before it does anything, until the function returned here is called. */
  holdNext(operation: Operation): () => void {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#plan(operation, { type: 'hold', released });
    return release;
  }

  /** From now on nothing has an effect and every call rejects, those held too: the process is dead, its storage stays as it is. */
  crash(): void {
    this.#crashed = true;
  }

  /** Planned and not yet met; a test that planned a fault checks that it is 0 in the end. */
  get pending(): number {
    let count = 0;
    for (const planned of this.#planned.values()) count += planned.length;
    return count;
  }

  /** For the wrappers: `effect` under the next fault planned for `operation`. */
  async run<T>(operation: Operation, effect: () => Promise<T>): Promise<T> {
    const planned = this.#planned.get(operation)?.shift();
    if (planned?.type === 'hold') await planned.released;
    if (this.#crashed) throw unavailable(operation);
    if (planned?.type !== 'fail') return effect();
    if (planned.applied) await effect();
    throw planned.error;
  }

  #plan(operation: Operation, planned: Planned): void {
    const queue = this.#planned.get(operation) ?? [];
    queue.push(planned);
    this.#planned.set(operation, queue);
  }
}

function unavailable(operation: string): DbError {
  return new DbError('STORAGE_UNAVAILABLE', `${operation}: storage failed (planned by a test)`, { details: { operation } });
}
