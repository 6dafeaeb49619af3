import type { Store } from '../api/status.ts';

/** A store that its owner sets. */
export class ValueStore<T> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  // Fields, not methods: they are handed to hooks without their object.
  readonly get = (): T => this.#value;

  readonly subscribe = (onChange: (value: T) => void): (() => void) => {
    const listener = (value: T): void => onChange(value);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Tells nobody when every member is what it was. */
  update(change: Partial<T>): void {
    const keys = Object.keys(change) as (keyof T)[];
    if (keys.every((key) => Object.is(this.#value[key], change[key]))) return;
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) listener(this.#value);
  }
}
