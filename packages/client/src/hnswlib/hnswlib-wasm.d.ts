/** The module's own declarations want those of Emscripten, and describe another way to load it. */
declare module 'hnswlib-wasm/lib/hnswlib.mjs' {
  export interface HnswlibIndex {
    initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
    addPoint(point: Float32Array, label: number, replaceDeleted: boolean): void;
    markDelete(label: number): void;
    setEfSearch(ef: number): void;
    searchKnn(
      query: Float32Array,
      k: number,
      filter: ((label: number) => boolean) | undefined,
    ): { neighbors: number[]; distances: number[] };
    writeIndex(file: string): void;
    readIndex(file: string, maxElements: number): void;
    getCurrentCount(): number;
    delete(): void;
  }
  export interface HnswlibModule {
    readonly HEAPU8: Uint8Array;
    /** Type and text. */
    getExceptionMessage(exception: WebAssembly.Exception): string[];
    readonly HierarchicalNSW: new (space: string, dim: number, autoSaveFile: string) => HnswlibIndex;
    readonly EmscriptenFileSystemManager: { initializeFileSystem(type: 'IDBFS'): void };
  }
  export default function createModule(options: object): Promise<HnswlibModule>;
}
