/** What graph and list indexes do alike with what a search is given. */
import type { WasmBlock } from '../block/block.ts';
import { mustCount } from '../block/hits.ts';
import type { BlockHome } from '../block/home.ts';
import { KernelError } from '../errors.ts';
import type { VectorBlock } from '../types.ts';

/** A count of a query; throws QUERY_INVALID. */
export function mustBeAtMost(name: string, value: number, most: number): number {
  if (mustCount(name, value) <= most) return value;
  throw new KernelError('QUERY_INVALID', `query: ${name} of at most ${most} expected, got ${value}`, { details: { [name]: value, most } });
}

/** Copies the bits of the index' rows to `address`; clears those of others. Returns how many are set. */
export function placeBitmap({ arena, wasm }: BlockHome, bitmap: Uint32Array, rows: number, address: number): number {
  const words = Math.ceil(rows / 32);
  const target = arena.u32(address, words);
  target.set(bitmap.subarray(0, words));
  target.fill(0, Math.min(words, bitmap.length));
  const rest = rows & 31;
  if (rest > 0) target[words - 1]! &= 2 ** rest - 1;
  return wasm.countBits(address, rows);
}

/** The block of this kernel's memory, with at least the index' rows. Throws DIMENSION_MISMATCH, OPTION_INVALID. */
export function mustBeBlockOf(home: BlockHome, block: VectorBlock, index: { readonly dim: number; readonly rows: number }): WasmBlock {
  if (block.dim !== index.dim) {
    throw new KernelError('DIMENSION_MISMATCH', `index: a block of dim ${index.dim} expected, got ${block.dim}`, {
      details: { expected: index.dim, got: block.dim },
    });
  }
  const own = block as WasmBlock;
  // No `instanceof`: as in `homeOf`.
  if (own.isOf?.(home) !== true) throw new KernelError('OPTION_INVALID', 'index: a block of the same kernel expected, not freed');
  if (own.rows >= index.rows) return own;
  throw new KernelError('OPTION_INVALID', `index: a block of at least ${index.rows} rows expected, got ${block.rows}`, {
    details: { expected: index.rows, got: block.rows },
  });
}
