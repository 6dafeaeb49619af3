import { WasmBinaryBlock } from './block/binary-block.ts';
import { WasmBlock } from './block/block.ts';
import { ELEMENT_NUMBERS } from './block/elements.ts';
import type { BlockHome, Owner } from './block/home.ts';
import { KernelError } from './errors.ts';
import { Arena } from './memory/arena.ts';
import { Pins } from './memory/pins.ts';
import { Scratch } from './memory/scratch.ts';
import type { BinaryBlock, BinaryBlockOptions, BlockOptions, Kernel, VectorBlock } from './types.ts';
import { instantiate, type WasmExports } from './wasm/exports.ts';
import type { WasmModule } from './wasm/platform.ts';

/** Below the 4 GiB of wasm32, so that a tab meets our error before the browser's. */
export const DEFAULT_MAX_BYTES: number = 3.5 * 2 ** 30;
/** Largest dimension that any peer accepts, and far above any model's. */
export const MAX_DIM = 32_768;
/** 32 KiB, as in Milvus; sums of bits stay within 16 bits a lane. */
export const MAX_BINARY_DIM = 262_144;
const DEFAULT_CAPACITY = 64;
/** Below, computing a score costs hardly more than bounding it; above, codes of the query are too coarse for tight bounds. */
const SCREEN_MIN_DIM = 64;
const SCREEN_MAX_DIM = 4_096;

export interface KernelOptions {
  /** WASM memory never grows beyond this; then MEMORY_LIMIT. Default 3.5 GiB, at most 4 GiB. */
  readonly maxBytes?: number;
}

/** A kernel over a compiled module, with memory of its own. Throws INTERNAL for a module that is not ours, MEMORY_LIMIT, OPTION_INVALID. */
export function createKernel(module: WasmModule, options: KernelOptions = {}): Kernel {
  const maxBytes = mustBeWithin('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES, 1, 2 ** 32);
  const wasm = instantiate(module);
  return kernelOver(wasm, new Arena(wasm.memory, { heapBase: wasm.heapBase() >>> 0, maxBytes }));
}

/** A kernel over an instance and what it may take of its memory. */
export function kernelOver(wasm: WasmExports, arena: Arena): Kernel {
  return new WasmKernel(wasm, arena);
}

/** The inside of a kernel, for what is built beside it (graph indexes). */
export function homeOf(kernel: Kernel): BlockHome {
  // No `instanceof`: a part of the kernel may come in a file of its own, with classes of its own.
  const { home } = kernel as Partial<WasmKernel>;
  if (home !== undefined) return home;
  throw new KernelError('OPTION_INVALID', 'kernel: one made by createKernel or loadKernel expected');
}

class WasmKernel implements Kernel {
  readonly home: BlockHome;
  private readonly owners = new Set<Owner>();

  constructor(wasm: WasmExports, arena: Arena) {
    this.home = {
      wasm,
      arena,
      scratch: new Scratch(arena),
      pins: new Pins(),
      taken: (owner) => this.owners.add(owner),
      released: (owner) => this.owners.delete(owner),
    };
  }

  get memoryBytes(): number {
    return this.home.arena.memoryBytes;
  }

  get usedBytes(): number {
    let sum = 0;
    for (const owner of this.owners) sum += owner.bytes;
    return sum;
  }

  createBlock(options: BlockOptions): VectorBlock {
    const dim = mustBeWithin('dim', options.dim, 1, MAX_DIM);
    const capacity = mustBeWithin('capacity', options.capacity ?? DEFAULT_CAPACITY, 0, 2 ** 32 - 1);
    const elements = options.elements ?? 'float32';
    if (!Object.hasOwn(ELEMENT_NUMBERS, elements)) throw invalidElements(`${Object.keys(ELEMENT_NUMBERS).join(', ')} expected`, elements);
    const floats = elements === 'float32';
    if (!floats && options.screen) throw invalidElements('screening is for float32 rows', elements);
    const screen = floats && (options.screen ?? (dim >= SCREEN_MIN_DIM && dim <= SCREEN_MAX_DIM));
    const block = new WasmBlock(this.home, { dim, elements, capacity: Math.max(1, capacity), screen });
    this.home.taken(block);
    return block;
  }

  createBinaryBlock(options: BinaryBlockOptions): BinaryBlock {
    const dim = mustBeWithin('dim', options.dim, 8, MAX_BINARY_DIM);
    if (dim % 8 !== 0) throw new KernelError('OPTION_INVALID', `kernel: dim is a multiple of 8 bits, got ${dim}`, { details: { dim } });
    const capacity = mustBeWithin('capacity', options.capacity ?? DEFAULT_CAPACITY, 0, 2 ** 32 - 1);
    const block = new WasmBinaryBlock(this.home, { dim, capacity: Math.max(1, capacity) });
    this.home.taken(block);
    return block;
  }
}

/** An integer of the options; throws OPTION_INVALID. */
export function mustBeWithin(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new KernelError('OPTION_INVALID', `kernel: ${name} is an integer from ${low} to ${high}, got ${value}`, {
    details: { [name]: value, low, high },
  });
}

function invalidElements(what: string, got: unknown): KernelError {
  return new KernelError('OPTION_INVALID', `kernel: elements: ${what}, got ${String(got)}`, { details: { elements: got } });
}
