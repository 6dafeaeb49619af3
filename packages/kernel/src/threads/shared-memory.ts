/** Kernels over one memory: that of the owner, who makes and changes blocks and indexes, and those of threads, who only search. */
import type { BlockHome } from '../block/home.ts';
import { KernelError } from '../errors.ts';
import { DEFAULT_MAX_BYTES, homeOf, kernelOver, mustBeWithin } from '../kernel.ts';
import { Arena, type Region } from '../memory/arena.ts';
import type { Kernel } from '../types.ts';
import { instantiate } from '../wasm/exports.ts';
import { host, type WasmMemory, type WasmModule } from '../wasm/platform.ts';

const PAGE_BYTES = 65_536;
/** Room for the module's constants and the kernel's own scratch memory; everything else grows. */
const FIRST_PAGES = 16;

/** The owner's kernel and the memory that threads get. `module`: the build for threads. Throws OPTION_INVALID, MEMORY_LIMIT, INTERNAL. */
export function createSharedKernel(module: WasmModule, maxBytes: number = DEFAULT_MAX_BYTES): { kernel: Kernel; memory: WasmMemory } {
  const maximum = Math.floor(mustBeWithin('maxBytes', maxBytes, FIRST_PAGES * PAGE_BYTES, 2 ** 32) / PAGE_BYTES);
  const memory = shareMemory(maximum);
  const wasm = instantiate(module, memory);
  return { kernel: kernelOver(wasm, new Arena(memory, { heapBase: wasm.heapBase() >>> 0, maxBytes })), memory };
}

/** A thread's side: it takes only what lies in `own`, and reads all. */
export function threadHome(module: WasmModule, memory: WasmMemory, own: Region): BlockHome {
  const arena = new Arena(memory, { heapBase: own.address, end: own.address + own.bytes, maxBytes: 0 });
  return homeOf(kernelOver(instantiate(module, memory), arena));
}

function shareMemory(maximum: number): WasmMemory {
  try {
    return new host.WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
  } catch (cause) {
    const maxBytes = maximum * PAGE_BYTES;
    throw new KernelError('MEMORY_LIMIT', `kernel memory: no address space for ${maxBytes} shared bytes`, { details: { maxBytes }, cause });
  }
}
