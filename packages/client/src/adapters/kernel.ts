import { DbError } from '@terndb/core';
import { type Kernel, KernelError, loadKernel } from '@terndb/kernel';

/** The kernel from its file beside the worker, or from where the app says it is. @throws INTERNAL when it cannot be loaded, MEMORY_LIMIT. */
export async function loadBrowserKernel(wasm: string | WebAssembly.Module | undefined): Promise<Kernel> {
  try {
    return await loadKernel(wasm === undefined ? {} : { wasm });
  } catch (thrown) {
    if (!(thrown instanceof KernelError)) throw thrown;
    throw new DbError(thrown.code === 'MEMORY_LIMIT' ? 'MEMORY_LIMIT' : 'INTERNAL', thrown.message, { cause: thrown });
  }
}
