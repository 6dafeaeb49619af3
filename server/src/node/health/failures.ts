import type { DbError } from '@terndb/core';

export interface Failure {
  readonly code: string;
  /** Of the first since it last went well, by the wall clock. */
  readonly sinceMs: number;
}

/** What fails now, by key: from the first failure until it goes well again. */
export class Failures<K> {
  readonly #failures = new Map<K, Failure>();

  get count(): number {
    return this.#failures.size;
  }

  /** The one that has failed for longest. */
  get oldest(): Failure | undefined {
    return this.#failures.values().next().value;
  }

  keys(): Iterable<K> {
    return this.#failures.keys();
  }

  of(key: K): Failure | undefined {
    return this.#failures.get(key);
  }

  failed(key: K, { code }: DbError, nowMs: number): void {
    this.#failures.set(key, { code, sinceMs: this.#failures.get(key)?.sinceMs ?? nowMs });
  }

  /** It went well, or there is no such thing any more. */
  ended(key: K): void {
    this.#failures.delete(key);
  }
}
