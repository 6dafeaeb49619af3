import type { LossEvent } from '../api/database.ts';

export interface EventMap {
  rejected: unknown;
  conflict: unknown;
  lossDetected: LossEvent;
}

/** Listeners in the order added. Events that came before a listener are delivered when it is added, where they were kept. */
export class Events<M> {
  readonly #listeners = new Map<keyof M, Set<(value: any) => void>>();
  readonly #kept = new Map<keyof M, unknown[]>();

  on<E extends keyof M>(event: E, listener: (value: M[E]) => void): () => void {
    const own = (value: M[E]): void => listener(value);
    let listeners = this.#listeners.get(event);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(event, listeners);
    }
    listeners.add(own);
    for (const value of this.kept(event)) queueMicrotask(() => listeners.has(own) && own(value as M[E]));
    return () => listeners.delete(own);
  }

  /** Tells the listeners of now. */
  emit<E extends keyof M>(event: E, value: M[E]): boolean {
    const listeners = [...(this.#listeners.get(event) ?? [])];
    for (const listener of listeners) listener(value);
    return listeners.length > 0;
  }

  /** Tells the listeners of now and of later. */
  keep<E extends keyof M>(event: E, value: M[E]): void {
    this.kept(event).push(value);
    this.emit(event, value);
  }

  /** What listeners that come later are told; changed in place. */
  kept(event: keyof M): unknown[] {
    let kept = this.#kept.get(event);
    if (kept === undefined) {
      kept = [];
      this.#kept.set(event, kept);
    }
    return kept;
  }
}
