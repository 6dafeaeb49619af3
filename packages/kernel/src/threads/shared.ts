/** What the owner of the memory tells a thread about a block or an index, and what the thread makes of it. */
import { WasmBinaryBlock } from '../block/binary-block.ts';
import { WasmBlock } from '../block/block.ts';
import type { BlockHome } from '../block/home.ts';
import type { LyingRows, RowStoreOptions } from '../block/row-store.ts';
import { KernelError } from '../errors.ts';
import { WasmHnsw } from '../index/hnsw.ts';
import { GraphStore, type LyingGraph } from '../index/store.ts';
import type { HnswIndex } from '../index/types.ts';
import type { ListShape } from '../lists/layout.ts';
import { WasmListIndex } from '../lists/list-index.ts';
import type { ListIndex } from '../lists/types.ts';
import type { BinaryBlock, VectorBlock } from '../types.ts';

/** What a pool searches. */
export type Searched = VectorBlock | BinaryBlock | HnswIndex | ListIndex;
/** The same, as this package made it. */
export type Held = WasmBlock | WasmBinaryBlock | WasmHnsw | WasmListIndex;

export type Shared =
  | { readonly kind: 'rows'; readonly of: RowStoreOptions & { readonly lying: LyingRows } }
  | { readonly kind: 'graph'; readonly of: LyingGraph }
  | { readonly kind: 'lists'; readonly of: { readonly shape: ListShape; readonly address: number } };

export function isHeld(home: BlockHome, target: unknown): target is Held {
  const isOurs =
    target instanceof WasmBlock || target instanceof WasmBinaryBlock || target instanceof WasmHnsw || target instanceof WasmListIndex;
  return isOurs && target.isOf(home);
}

/** Throws OPTION_INVALID for what lies elsewhere. */
export function mustHold(home: BlockHome, target: Searched): Held {
  if (isHeld(home, target)) return target;
  throw new KernelError('OPTION_INVALID', 'search pool: a block or an index of the pool’s kernel expected, not freed');
}

export function share(held: Held): Shared {
  if (held instanceof WasmHnsw) return { kind: 'graph', of: held.share() };
  if (held instanceof WasmListIndex) return { kind: 'lists', of: held.share() };
  return { kind: 'rows', of: held.share() };
}

/** Two of the same text say the same. */
export function versionOf({ kind, of }: Shared): string {
  if (kind === 'rows') return `${of.lying.rows} ${of.lying.addresses.join(' ')}`;
  return kind === 'graph' ? `${of.address} ${of.capacity} ${of.rows}` : `${of.address}`;
}

/** Rows and dimensions that a thread must have room to search. */
export function extentOf({ kind, of }: Shared): { readonly rows: number; readonly dim: number } {
  if (kind === 'rows') return { rows: of.lying.rows, dim: of.elements === 'bit' ? Math.ceil(of.dim / 32) : of.dim };
  return kind === 'graph' ? { rows: of.capacity, dim: of.shape.dim } : { rows: of.shape.rows, dim: of.shape.dim };
}

/** Throws MEMORY_LIMIT when the thread has no room beside it. */
export function attach(home: BlockHome, { kind, of }: Shared): Held {
  if (kind === 'graph') return new WasmHnsw(home, GraphStore.attach(home, of));
  if (kind === 'lists') return new WasmListIndex(home, of.shape, { address: of.address, bytes: 0 });
  const { elements } = of;
  return elements === 'bit' ? new WasmBinaryBlock(home, of, of.lying) : new WasmBlock(home, { ...of, elements }, of.lying);
}
