/**
 * Exact vector search in WebAssembly SIMD. The data flow:
 *
 *   append(floats) ──► block: rows + norms in WASM memory ──► scan(query, k, bitmap, …) ──► offsets and scores, best first
 *
 *   load.ts     finds and compiles kernel.wasm           memory/    who has which part of WASM memory (free list, limit, scratch)
 *   kernel.ts   one instance with its blocks             block/     rows, their columns, preparing a query, reading hits
 *   index/      graph over codes or rows: build, search, save, open
 *   lists/      lists of near rows (IVF): the same
 *   threads/    a pool that searches one shared memory (Node only, entry `node.ts`)
 *   wasm/       the module's exports, the platform       ../assembly/   what runs inside WebAssembly
 */
export type { ElementType } from './block/elements.ts';
export { fromBfloat16, fromFloat16, fromInt8, toBfloat16, toFloat16, toInt8 } from './block/elements.ts';
export type { KernelErrorCode } from './errors.ts';
export { KernelError } from './errors.ts';
export { MAX_EF_CONSTRUCTION, MAX_M } from './index/layout.ts';
export { createHnsw, openHnsw } from './index/open.ts';
export type {
  BuildProgress,
  HnswCodes,
  HnswIndex,
  HnswMemory,
  HnswOptions,
  HnswSearchOptions,
  RescoreOptions,
  SearchPlan,
} from './index/types.ts';
export type { KernelOptions } from './kernel.ts';
export { createKernel, DEFAULT_MAX_BYTES, MAX_BINARY_DIM, MAX_DIM } from './kernel.ts';
export { MAX_LISTS } from './lists/layout.ts';
export { buildLists, openLists } from './lists/open.ts';
export type { ListBuild, ListBuildProgress, ListCodes, ListIndex, ListMemory, ListOptions, ListSearchOptions } from './lists/types.ts';
export type { LoadKernelOptions, WasmSource } from './load.ts';
export { loadKernel, loadModule } from './load.ts';
export type {
  BinaryBlock,
  BinaryBlockOptions,
  BinaryMetric,
  BinaryScanOptions,
  BinaryScoreOptions,
  BlockOptions,
  Kernel,
  Metric,
  ScanHits,
  ScanOptions,
  ScoreOptions,
  VectorBlock,
} from './types.ts';
export type { Fetch, HttpResponse, UrlLike, WasmModule } from './wasm/platform.ts';
