/** Between a pool and its threads: both are of one release, so there are no versions. */
import type { KernelErrorCode } from '../errors.ts';
import type { HnswSearchOptions } from '../index/types.ts';
import type { ListSearchOptions } from '../lists/types.ts';
import type { Region } from '../memory/arena.ts';
import type { BinaryScanOptions, ScanHits, ScanOptions } from '../types.ts';
import type { WasmMemory, WasmModule } from '../wasm/platform.ts';
import type { Shared } from './shared.ts';

/** Structured clones carry both. */
export interface ThreadData {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly own: Region;
  /** By ticket: not 0 when a search that was sent is not wanted any more. Shared. */
  readonly withdrawn: Int32Array;
}

/** A search's options; `block` by its number. */
export type SentOptions =
  | ScanOptions
  | BinaryScanOptions
  | (Omit<HnswSearchOptions, 'block'> & { readonly block?: number })
  | (Omit<ListSearchOptions, 'block'> & { readonly block?: number });

export interface SentSearch {
  readonly target: number;
  readonly options: SentOptions;
  /** Of this search until it is answered. */
  readonly ticket: number;
}

export type ToThread =
  /** A larger part of the memory: everything known before is forgotten. */
  | { readonly type: 'move'; readonly own: Region }
  /** From now on `target` is this. */
  | { readonly type: 'attach'; readonly target: number; readonly shared: Shared }
  | { readonly type: 'detach'; readonly target: number }
  /** Answered by one `answers`, in the same order. */
  | { readonly type: 'search'; readonly searches: readonly SentSearch[] };

export type Answer =
  | { readonly hits: ScanHits }
  | { readonly error: { readonly code: KernelErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } };

export type FromThread = { readonly type: 'ready' } | { readonly type: 'answers'; readonly answers: readonly Answer[] };
