import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { textOf, unavailable } from '../errors.ts';
import { type Runtime, startWasm } from './runtime.ts';

const require = createRequire(import.meta.url);

/** onnxruntime's WebAssembly in this process, from its package. EMBEDDER_UNAVAILABLE (`runtime-missing`) */
export async function startNodeRuntime(): Promise<Runtime> {
  try {
    const bytes = await readFile(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
    return startWasm({ wasm: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  } catch (error) {
    throw unavailable('runtime-missing', `onnxruntime-web is not installed: ${textOf(error)}`, error);
  }
}
