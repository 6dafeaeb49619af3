import type { Arena } from '../memory/arena.ts';
import type { Pins } from '../memory/pins.ts';
import type { Scratch } from '../memory/scratch.ts';
import type { WasmExports } from '../wasm/exports.ts';

/** Somebody who holds kernel memory. */
export interface Owner {
  readonly bytes: number;
}

/** What blocks and indexes work with; shared by all of a kernel. */
export interface BlockHome {
  readonly wasm: WasmExports;
  readonly arena: Arena;
  readonly scratch: Scratch;
  /** What other threads read just now. */
  readonly pins: Pins;
  /** Counted in the kernel's `usedBytes` from here … */
  taken(owner: Owner): void;
  /** … to here; called once. */
  released(owner: Owner): void;
}
