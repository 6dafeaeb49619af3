import { assert } from '@terndb/core';
import type { ClientEffect, Now, StoreWrite } from './types.ts';

/**
 * What one step produces. Writes of a step are one batch; effects that must not be seen before a batch is durable wait for it (`after`).
 */
export class Step {
  readonly now: Now;
  readonly #effects: ClientEffect[] = [];
  #writes: StoreWrite[] = [];
  #after: ClientEffect[] = [];
  #log: CommitLog;

  constructor(now: Now, log: CommitLog) {
    this.now = now;
    this.#log = log;
  }

  effect(effect: ClientEffect): void {
    this.#effects.push(effect);
  }

  write(write: StoreWrite): void {
    this.#writes.push(write);
  }

  /** Seen when everything written so far, in this step and before, is durable. */
  after(effect: ClientEffect): void {
    this.#after.push(effect);
  }

  /** Ends the batch; what follows is another transaction. */
  cut(): void {
    const after = this.#after;
    this.#after = [];
    if (this.#writes.length > 0) {
      const writes = this.#writes;
      this.#writes = [];
      this.#effects.push(this.#log.commit(writes, after));
    } else {
      this.#effects.push(...this.#log.append(after));
    }
  }

  /** What waits or was written in this step is of no account any more. */
  restart(log: CommitLog): void {
    this.#writes = [];
    this.#after = [];
    this.#log = log;
  }

  end(): ClientEffect[] {
    this.cut();
    return this.#effects;
  }
}

interface Pending {
  readonly batch: number;
  readonly after: ClientEffect[];
}

/** The batches on their way into the database, in order, and what waits for them. */
export class CommitLog {
  readonly #pending: Pending[] = [];
  #last: number;
  term = 0;

  constructor(last = 0) {
    this.#last = last;
  }

  /** An empty one whose batches are numbered on, so that a late answer to one of these fits none of those. */
  renew(): CommitLog {
    return new CommitLog(this.#last);
  }

  commit(writes: readonly StoreWrite[], after: ClientEffect[]): ClientEffect {
    this.#last += 1;
    this.#pending.push({ batch: this.#last, after });
    return { type: 'persist', batch: this.#last, term: this.term, writes };
  }

  /** Without writes of their own they wait for the batches before them. */
  append(effects: readonly ClientEffect[]): readonly ClientEffect[] {
    const last = this.#pending.at(-1);
    if (last === undefined) return effects;
    last.after.push(...effects);
    return [];
  }

  persisted(batch: number): readonly ClientEffect[] {
    const first = this.#pending[0];
    if (first === undefined || batch < first.batch) return [];
    // One that was left out would be a hole in the database that this machine knows nothing of.
    assert(first.batch === batch, () => `client: batch ${first.batch} expected to be durable next, got ${batch}`);
    this.#pending.shift();
    return first.after;
  }

  isPending(batch: number): boolean {
    return this.#pending.some((pending) => pending.batch === batch);
  }

  /** Writes that nobody heard of yet: their requests fail. */
  failedRequests(): readonly number[] {
    return this.#pending.flatMap(({ after }) => after.flatMap((effect) => (effect.type === 'local' ? [effect.request] : [])));
  }
}
