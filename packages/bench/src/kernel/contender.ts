/** Somebody who is measured: builds in slices, so that all take turns, and is searched at any `ef`. */
export interface Contender {
  readonly name: string;
  /** Adds and links the next `rows` rows. */
  build(rows: number): void;
  /** Called before searches at another `ef`. */
  setEf(ef: number): void;
  search(query: number): ArrayLike<number>;
  /** Only rows whose bit is set; undefined: cannot. */
  readonly searchFiltered?: (query: number, bitmap: Uint32Array) => ArrayLike<number>;
  /** Bytes of the index per vector, and of what re-ranking needs beside it. */
  memory(): { readonly index: number; readonly rerank: number };
  /** Undefined: not measured. */
  saveAndOpen(): { readonly saveMs: number; readonly openMs: number; readonly bytes: number } | undefined;
  free(): void;
}

export interface Settings {
  readonly k: number;
  readonly m: number;
  readonly efConstruction: number;
  readonly seed: number;
}

export function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const start = performance.now();
  const result = work();
  return { ms: performance.now() - start, result };
}
