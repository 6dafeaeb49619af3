import { DbError } from '@terndb/core';

/** One entry of the outbox. */
export interface PendingWrite {
  readonly channel: string;
  readonly id: number;
}

interface Waiter {
  readonly resolve: (position: number) => void;
  readonly reject: (error: DbError) => void;
}

/** Outcomes remembered for who asks late: as many as are under way in a busy minute. */
const MAX_OUTCOMES = 4096;

/** Who waits for the log's word on entries of the outbox. */
export class WriteWaiters {
  readonly #waiters = new Map<string, Waiter[]>();
  /** Position, or the code of the refusal. */
  readonly #outcomes = new Map<string, number | string>();

  /** Undefined: not known here. */
  outcome({ channel, id }: PendingWrite): number | string | undefined {
    return this.#outcomes.get(`${channel} ${id}`);
  }

  /** Resolves with the entry's position, at least; rejects with the code of the refusal. */
  wait({ channel, id }: PendingWrite): Promise<number> {
    return new Promise((resolve, reject) => {
      const key = `${channel} ${id}`;
      const waiters = this.#waiters.get(key) ?? [];
      waiters.push({ resolve, reject });
      this.#waiters.set(key, waiters);
    });
  }

  acked(channel: string, id: number, position: number): void {
    for (const { resolve } of this.#take(`${channel} ${id}`, position)) resolve(position);
  }

  rejected(channel: string, id: number, code: string): void {
    for (const { reject } of this.#take(`${channel} ${id}`, code)) reject(rejection(channel, code));
  }

  /** Positions of another universe. */
  forget(): void {
    this.#outcomes.clear();
  }

  end(error: DbError): void {
    for (const waiters of this.#waiters.values()) for (const { reject } of waiters) reject(error);
    this.#waiters.clear();
  }

  #take(key: string, outcome: number | string): readonly Waiter[] {
    this.#outcomes.set(key, outcome);
    if (this.#outcomes.size > MAX_OUTCOMES) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    const waiters = this.#waiters.get(key) ?? [];
    this.#waiters.delete(key);
    return waiters;
  }
}

/** What the log's refusal is to the app. A code of a newer server becomes INTERNAL, with the code in the details. */
export function rejection(channel: string, code: string): DbError {
  const message = `write to ${channel}: one that the log takes expected, got one refused with ${code}`;
  return DbError.fromMessage({ code, message, details: { channel } });
}
