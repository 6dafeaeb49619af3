/** hnswlib as the engine uses it. Hosts that have it give it to `indexKinds`; labels are the rows' offsets in their segment. */
export interface HnswlibLibrary {
  /** An empty graph. Throws MEMORY_LIMIT. */
  create(options: HnswlibOptions): HnswlibGraph;
  /** A saved graph. FORMAT_INVALID when the library refuses the bytes, MEMORY_LIMIT. */
  open(bytes: Uint8Array, options: Pick<HnswlibOptions, 'space' | 'dim'>): HnswlibGraph;
}

export interface HnswlibOptions {
  readonly space: 'l2' | 'ip';
  readonly dim: number;
  readonly m: number;
  readonly efConstruction: number;
  readonly seed: number;
  /** Rows, at most. */
  readonly capacity: number;
}

export interface HnswlibGraph {
  readonly rows: number;
  /** Links one row: some hundred µs. The vector is copied. */
  add(vector: Float32Array, label: number): void;
  /** Labels of the `k` nearest that the walk finds and `filter` lets through, in no order to rely on. */
  search(query: Float32Array, options: { readonly k: number; readonly ef: number; readonly filter?: (label: number) => boolean }): number[];
  save(): Uint8Array<ArrayBuffer>;
  free(): void;
}
