import { KernelError } from '../errors.ts';
import type { WasmMemory } from '../wasm/platform.ts';
import { alignUp, FreeList } from './free-list.ts';

const PAGE_BYTES = 65_536;
/** Growing in steps keeps the number of `memory.grow` calls, each of which detaches every view, small. */
const GROW_STEP_BYTES = 16 * PAGE_BYTES;

/** A piece of WASM memory. `address` is never negative, also above 2 GiB. */
export interface Region {
  address: number;
  bytes: number;
}

/**
 * Hands out regions of the WASM memory and grows it up to a limit.
 *
 * Views of WASM memory die when it grows: `u8` and its sisters make a fresh view when needed, and nobody keeps one across a call that
 * may allocate.
 */
export class Arena {
  private readonly memory: WasmMemory;
  private readonly maxBytes: number;
  private readonly free = new FreeList();
  private bytesView: Uint8Array<ArrayBuffer>;

  /** `end`: only up to there, and never growing: a thread's own part of shared memory. */
  constructor(memory: WasmMemory, options: { heapBase: number; maxBytes: number; end?: number }) {
    this.memory = memory;
    this.maxBytes = Math.floor(options.maxBytes / PAGE_BYTES) * PAGE_BYTES;
    this.bytesView = new Uint8Array(memory.buffer);
    const start = alignUp(options.heapBase);
    // Address 0 says "none" in plans: nothing may ever lie there.
    if (start === 0 || start > this.memoryBytes) throw new RangeError(`arena: ${start} is no start in ${this.memoryBytes} bytes`);
    this.free.release(start, Math.max(0, (options.end ?? this.memoryBytes) - start));
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Contents are whatever was there. Throws MEMORY_LIMIT and changes nothing. */
  allocate(bytes: number): Region {
    const wanted = alignUp(bytes);
    let taken = this.free.take(wanted);
    if (taken === undefined) {
      this.grow(wanted);
      taken = this.free.take(wanted);
    }
    if (taken === undefined) throw new KernelError('INTERNAL', `kernel memory: no room for ${wanted} bytes after growing`);
    return { address: taken, bytes: wanted };
  }

  /** Makes `region` at least `bytes` long where it is; false when what follows it is taken or the limit is reached. */
  extend(region: Region, bytes: number): boolean {
    const more = alignUp(bytes) - region.bytes;
    if (more <= 0) return true;
    const end = region.address + region.bytes;
    const taken = this.free.takeAt(end, more) || (this.isLast(end) && this.tryGrow(more) && this.free.takeAt(end, more));
    if (taken) region.bytes += more;
    return taken;
  }

  /** Gives the end of `region` back. */
  shrink(region: Region, bytes: number): void {
    const kept = alignUp(bytes);
    this.free.release(region.address + kept, region.bytes - kept);
    region.bytes = kept;
  }

  release(region: Region): void {
    this.free.release(region.address, region.bytes);
    region.bytes = 0;
  }

  u8(address: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.bytesView.buffer !== this.memory.buffer) this.bytesView = new Uint8Array(this.memory.buffer);
    return this.bytesView.subarray(address, address + length);
  }

  f32(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  i16(address: number, length: number): Int16Array<ArrayBuffer> {
    return new Int16Array(this.memory.buffer, address, length);
  }

  u32(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** Nothing taken lies behind `end`: growing the memory makes room right there. */
  private isLast(end: number): boolean {
    return end + this.free.endingAt(this.memoryBytes) === this.memoryBytes;
  }

  private grow(wanted: number): void {
    if (this.tryGrow(wanted)) return;
    const details = { wanted, memoryBytes: this.memoryBytes, maxBytes: this.maxBytes };
    throw new KernelError('MEMORY_LIMIT', `kernel memory: ${wanted} bytes wanted, ${this.memoryBytes} of at most ${this.maxBytes} taken`, {
      details,
    });
  }

  /** Makes the free range at the end of memory at least `wanted` bytes long. */
  private tryGrow(wanted: number): boolean {
    const before = this.memoryBytes;
    const missing = Math.ceil((wanted - this.free.endingAt(before)) / PAGE_BYTES) * PAGE_BYTES;
    const room = this.maxBytes - before;
    if (missing > room) return false;
    const bytes = Math.min(room, Math.max(missing, GROW_STEP_BYTES));
    if (!this.growPages(bytes) && (bytes === missing || !this.growPages(missing))) return false;
    this.free.release(before, this.memoryBytes - before);
    return true;
  }

  /** The host may refuse below our limit. */
  private growPages(bytes: number): boolean {
    try {
      this.memory.grow(bytes / PAGE_BYTES);
      return true;
    } catch {
      return false;
    }
  }
}
