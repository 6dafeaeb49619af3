import * as ort from 'onnxruntime-web/wasm';
import { textOf, unavailable } from '../errors.ts';

/** Where onnxruntime's WebAssembly file is: its address, or its bytes. */
export interface RuntimeOptions {
  readonly wasm: URL | string | ArrayBuffer;
  /** Used only where the page is cross-origin isolated; else one. */
  readonly threads?: number | undefined;
}

/**
 * onnxruntime reads its settings once per realm, when its first session is made: the first caller's hold.
 */
export function configureRuntime({ wasm, threads = 1 }: RuntimeOptions): void {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  ort.env.logLevel = 'error';
  ort.env.wasm.proxy = false;
  ort.env.wasm.numThreads = isolated ? threads : 1;
  if (wasm instanceof ArrayBuffer) ort.env.wasm.wasmBinary = wasm;
  else ort.env.wasm.wasmPaths = { wasm: String(wasm) };
}

/** @throws EMBEDDER_UNAVAILABLE with `runtime-missing`, `model-unsupported` or `out-of-memory`. */
export async function createSession(graph: Uint8Array): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(graph, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  } catch (error) {
    throw sessionError(error);
  }
}

/** What onnxruntime says is text only: its words for the known troubles. */
export function sessionError(error: unknown): Error {
  const text = textOf(error);
  if (/no available backend|failed to fetch|failed to (?:asynchronously )?(?:prepare|load) wasm|WebAssembly\.\w+\(\)/i.test(text))
    return unavailable('runtime-missing', `onnxruntime did not start: ${text}`, error);
  if (/bad_alloc|out of memory|memory access out of bounds|could not allocate/i.test(text))
    return unavailable('out-of-memory', `the model does not fit in memory: ${text}`, error);
  return unavailable('model-unsupported', `onnxruntime cannot run the model: ${text}`, error);
}

export { ort };
