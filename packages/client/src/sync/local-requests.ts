import type { DbError } from '@terndb/core';

/** Writes that are not durable on this device yet, and who waits for that. */
export class LocalRequests {
  readonly #waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: DbError) => void }>();
  #next = 1;

  begin(): { readonly request: number; readonly durable: Promise<void> } {
    const request = this.#next++;
    const durable = new Promise<void>((resolve, reject) => this.#waiting.set(request, { resolve, reject }));
    // Nobody has to wait.
    durable.catch(() => {});
    return { request, durable };
  }

  /** It was never made. */
  forget(request: number): void {
    this.#waiting.delete(request);
  }

  resolve(request: number): void {
    this.#waiting.get(request)?.resolve();
    this.#waiting.delete(request);
  }

  reject(request: number, error: DbError): void {
    this.#waiting.get(request)?.reject(error);
    this.#waiting.delete(request);
  }

  rejectAll(error: DbError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
