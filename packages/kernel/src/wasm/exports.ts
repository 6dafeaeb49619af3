import { KernelError } from '../errors.ts';
import { host, type WasmMemory, type WasmModule } from './platform.ts';

/** The metrics' numbers in `assembly/distance/score.ts`. */
export const METRIC_NUMBERS = { COSINE: 0, IP: 1, L2: 2 } as const;
export const BINARY_METRIC_NUMBERS = { HAMMING: 3, JACCARD: 4 } as const;

const METRIC_NAMES = Object.keys(METRIC_NUMBERS) as (keyof typeof METRIC_NUMBERS)[];

/** The metric of a number that is one of them. */
export function metricOf(number: number): keyof typeof METRIC_NUMBERS {
  return METRIC_NAMES[number]!;
}

/** What `assembly/index.ts` exports. Addresses and counts go in as numbers; ones above 2 GiB come out negative (`>>> 0`). */
export interface WasmExports {
  readonly memory: WasmMemory;
  heapBase(): number;
  writeNorms(vectors: number, rowBytes: number, norms: number, first: number, rows: number): void;
  writeBitCounts(vectors: number, rowBytes: number, counts: number, first: number, rows: number): void;
  writeElementNorms(
    elements: number,
    vectors: number,
    rowBytes: number,
    norms: number,
    first: number,
    rows: number,
    scratch: number,
    floatBytes: number,
  ): void;
  /** float32 values of padded rows of any elements but bits. */
  decodeRows(elements: number, source: number, rowBytes: number, target: number, stride: number, rows: number): void;
  writeCodes(
    vectors: number,
    rowBytes: number,
    codes: number,
    codeBytes: number,
    scales: number,
    margins: number,
    squares: number,
    first: number,
    rows: number,
    rounding: number,
    queryRest: number,
  ): void;
  /** `plan`: address of a written `ScanPlan`. Returns the number of hits. */
  scan(plan: number): number;
  scoreRows(plan: number, offsets: number, count: number, scores: number): void;
  /** XXH64 of a range, written to 8 bytes outside of it. */
  writeChecksum(from: number, length: number, to: number): void;
  countBits(bitmap: number, rows: number): number;
  /** `plan` of the graph calls: address of a written graph plan (`src/index/graph-plan.ts`). */
  graphStore(plan: number, source: number, stride: number, first: number, count: number): void;
  graphLink(plan: number, count: number): void;
  /** Rotates the centroid of one-bit codes, where the host has written it. */
  graphCentroid(plan: number): void;
  upperLists(seed: number, m: number, from: number, to: number): number;
  graphQuery(plan: number): void;
  graphWalk(plan: number, ef: number): number;
  /** −1: it gave up. */
  graphWalkFiltered(plan: number, ef: number, bitmap: number, limit: number): number;
  graphCheck(bitmap: number): number;
  graphScan(plan: number, size: number, bitmap: number, from: number): number;
  graphRefine(plan: number, count: number): number;
  /** `scan`: address of a written `ScanPlan`. */
  graphRerank(plan: number, scan: number, count: number): number;
  graphHits(k: number, hits: number): number;
  graphDistances(): number;
  /** 0, or what is wrong. */
  graphValidate(plan: number, lists: number): number;
  /** `plan` of the calls for list indexes: address of a written list plan (`src/lists/plan.ts`). */
  listsLoad(plan: number, elements: number, source: number, rowBytes: number, count: number, target: number): void;
  listsQuery(plan: number): void;
  listsAssign(rows: number, rowBytes: number, count: number, centroids: number, lists: number, out: number): number;
  listsSum(rows: number, rowBytes: number, count: number, assigned: number, sums: number, counts: number): void;
  listsMeans(sums: number, counts: number, rowBytes: number, lists: number, centroids: number): void;
  listsEncode(plan: number, rows: number, count: number, lists: number, slots: number): void;
  listsEstimate(plan: number, probes: number, count: number, bitmap: number, hits: number, k: number, low: number, high: number): number;
  /** `scan`: address of a written `ScanPlan`. */
  listsExact(plan: number, scan: number, probes: number, count: number, bitmap: number): number;
  rerankHits(scan: number, candidates: number, count: number): number;
}

const NAMES = [
  'heapBase',
  'writeNorms',
  'writeBitCounts',
  'writeElementNorms',
  'decodeRows',
  'writeCodes',
  'scan',
  'scoreRows',
  'writeChecksum',
  'countBits',
  'graphStore',
  'graphLink',
  'graphCentroid',
  'upperLists',
  'graphQuery',
  'graphWalk',
  'graphWalkFiltered',
  'graphCheck',
  'graphScan',
  'graphRefine',
  'graphRerank',
  'graphHits',
  'graphDistances',
  'graphValidate',
  'listsLoad',
  'listsQuery',
  'listsAssign',
  'listsSum',
  'listsMeans',
  'listsEncode',
  'listsEstimate',
  'listsExact',
  'rerankHits',
] as const;

/** Instantiates the module; the build for threads over the given memory. Throws INTERNAL when it is not our kernel. */
export function instantiate(module: WasmModule, memory?: WasmMemory): WasmExports {
  let found: Record<string, unknown>;
  try {
    found = new host.WebAssembly.Instance(module, memory === undefined ? {} : { env: { memory } }).exports;
  } catch (cause) {
    throw new KernelError('INTERNAL', 'kernel: the WebAssembly module cannot be instantiated', { cause });
  }
  const missing = NAMES.filter((name) => typeof found[name] !== 'function');
  if (missing.length > 0 || found['memory'] === undefined) {
    throw new KernelError('INTERNAL', `kernel: not the kernel's module, it lacks ${missing.join(', ') || 'memory'}`, {
      details: { missing },
    });
  }
  return found as unknown as WasmExports;
}
