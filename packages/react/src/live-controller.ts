import type { DbError } from '@terndb/client';

/** What a component asks for: `start` begins the live query and returns the way to stop. */
export interface Wanted<R> {
  readonly source: unknown;
  readonly key: string;
  start(onResult: (result: R) => void, onError: (error: DbError) => void): () => void;
}
export interface LiveState<R> {
  /** What the data belongs to; null before the first query and after a skipped one. */
  readonly source: unknown;
  readonly key: string | null;
  readonly data: R | undefined;
  readonly error: DbError | null;
}

const NOTHING: LiveState<never> = { source: null, key: null, data: undefined, error: null };

/** One component's live query: starts, delays and stops it, and keeps its last state for `useSyncExternalStore`. */
export class LiveController<R> {
  #state: LiveState<R> = NOTHING;
  readonly #listeners = new Set<() => void>();

  readonly get = (): LiveState<R> => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Shows a query, or nothing. A query that follows another waits `debounceMs` first; the first one does not. Returns the way to stop. */
  show(wanted: Wanted<R> | null, debounceMs: number): () => void {
    if (wanted === null) {
      this.#set(NOTHING);
      return () => {};
    }
    if (debounceMs <= 0 || this.#state.key === null) return this.#start(wanted);
    let stop: () => void = () => {};
    const timer = setTimeout(() => {
      stop = this.#start(wanted);
    }, debounceMs);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  #start({ source, key, start }: Wanted<R>): () => void {
    return start(
      (data) => this.#set({ source, key, data, error: null }),
      (error) => {
        const same = this.#state.source === source && this.#state.key === key;
        this.#set({ source, key, data: same ? this.#state.data : undefined, error });
      },
    );
  }

  #set(state: LiveState<R>): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
