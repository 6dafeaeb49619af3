import * as wasmOnly from 'onnxruntime-web/wasm';
import { textOf, unavailable } from '../errors.ts';

/** What runs the model. */
export type Device = 'wasm' | 'webgpu';
/** onnxruntime's library, in the build for WebAssembly or the one for WebGPU: each is a module with settings of its own. */
export type Ort = typeof wasmOnly;
export interface Runtime {
  readonly ort: Ort;
  readonly device: Device;
}

/** Where onnxruntime's WebAssembly file is: its address, or its bytes. */
export interface RuntimeOptions {
  readonly wasm: URL | string | ArrayBuffer;
  /** Used only where the page is cross-origin isolated; else one. */
  readonly threads?: number | undefined;
}

/** onnxruntime reads its settings once per realm, when its first session is made: the first caller's hold. */
export function startWasm(options: RuntimeOptions): Runtime {
  configure(wasmOnly, options);
  return { ort: wasmOnly, device: 'wasm' };
}

/**
 * onnxruntime for WebGPU. The library is loaded here, its WebAssembly (another file than the usual one) with the first session.
 * @returns undefined where the browser has no WebGPU, or no adapter for this page.
 * @throws EMBEDDER_UNAVAILABLE (`runtime-missing`)
 */
export async function startWebGpu(options: RuntimeOptions): Promise<Runtime | undefined> {
  if (!(await hasWebGpu())) return undefined;
  const { ort } = await import('./webgpu-library.ts').catch((error: unknown) => {
    throw unavailable('runtime-missing', `onnxruntime for WebGPU did not load: ${textOf(error)}`, error);
  });
  configure(ort, options);
  return { ort, device: 'webgpu' };
}

async function hasWebGpu(): Promise<boolean> {
  const { gpu } = globalThis.navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  try {
    return gpu !== undefined && (await gpu.requestAdapter()) !== null;
  } catch {
    return false;
  }
}

function configure({ env }: Ort, { wasm, threads = 1 }: RuntimeOptions): void {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  env.logLevel = 'error';
  env.wasm.proxy = false;
  env.wasm.numThreads = isolated ? threads : 1;
  if (wasm instanceof ArrayBuffer) env.wasm.wasmBinary = wasm;
  else env.wasm.wasmPaths = { wasm: String(wasm) };
}

/** @throws EMBEDDER_UNAVAILABLE with `runtime-missing`, `model-unsupported` or `out-of-memory`. */
export async function createSession({ ort, device }: Runtime, graph: Uint8Array): Promise<wasmOnly.InferenceSession> {
  try {
    // What WebGPU does not have runs in WebAssembly, operator by operator.
    return await ort.InferenceSession.create(graph, { executionProviders: [device], graphOptimizationLevel: 'all' });
  } catch (error) {
    throw sessionError(error);
  }
}

/** What onnxruntime says is text only: its words, and the browsers', for the known troubles. */
const TROUBLES = [
  ['out-of-memory', /bad_alloc|out of memory|memory access out of bounds|(?:could not|failed to) allocate|allocation failed/i],
  ['runtime-missing', /no available backend|failed to fetch|failed to (?:asynchronously )?(?:prepare|load) wasm|WebAssembly\.\w+\(\)/i],
  // The graphics driver was reset or the GPU taken away: another worker may find it again.
  ['worker-lost', /device (?:was|is|has been) (?:lost|destroyed)|GPUDeviceLost/i],
] as const;
const SAID = {
  'runtime-missing': 'onnxruntime did not start',
  'out-of-memory': 'the model does not fit in memory',
  'worker-lost': 'WebGPU lost its device',
} as const;

export function sessionError(error: unknown): Error {
  const text = textOf(error);
  const reason = TROUBLES.find(([, words]) => words.test(text))?.[0];
  if (reason !== undefined) return unavailable(reason, `${SAID[reason]}: ${text}`, error);
  return unavailable('model-unsupported', `onnxruntime cannot run the model: ${text}`, error);
}
