import { KernelError } from '../errors.ts';
import { host, type WasmMemory, type WasmModule } from './platform.ts';

/** The metrics' numbers in `assembly/distance/score.ts`. */
export const METRIC_NUMBERS = { COSINE: 0, IP: 1, L2: 2 } as const;

/** What `assembly/index.ts` exports. Addresses and counts go in as numbers; ones above 2 GiB come out negative (`>>> 0`). */
export interface WasmExports {
  readonly memory: WasmMemory;
  heapBase(): number;
  writeNorms(vectors: number, rowBytes: number, norms: number, first: number, rows: number): void;
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
}

const NAMES = ['heapBase', 'writeNorms', 'writeCodes', 'scan', 'scoreRows'] as const;

/** Instantiates the module. Throws INTERNAL when it is not our kernel. */
export function instantiate(module: WasmModule): WasmExports {
  let found: Record<string, unknown>;
  try {
    found = new host.WebAssembly.Instance(module, {}).exports;
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
