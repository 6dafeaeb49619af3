import type { DbError } from '@terndb/core';

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: DbError) => void;
}

/** What callers wait for, by the number of their request. Each is answered once; of one that nobody waits for any more nothing is said. */
export class Asked<T> {
  readonly #waiting = new Map<number, Waiting<T>>();

  wait(request: number): Promise<T> {
    return new Promise<T>((resolve, reject) => this.#waiting.set(request, { resolve, reject }));
  }

  resolve(request: number, value: T): void {
    this.#take(request)?.resolve(value);
  }

  reject(request: number, error: DbError): void {
    this.#take(request)?.reject(error);
  }

  rejectAll(error: DbError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(request: number): Waiting<T> | undefined {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    return waiting;
  }
}
