import { WasmBlock } from '../block/block.ts';
import { mustCount } from '../block/hits.ts';
import type { BlockHome } from '../block/home.ts';
import { KernelError } from '../errors.ts';
import type { Metric, ScanHits } from '../types.ts';
import type { RescoreOptions } from './types.ts';

/** Exact scores of rows that the caller fetched, as a block of them gives; the best k. */
export function rescoreRows(home: BlockHome, index: { readonly dim: number; readonly metric: Metric }, options: RescoreOptions): ScanHits {
  const { query, k, offsets, vectors } = options;
  const { dim, metric } = index;
  if (vectors.length !== offsets.length * dim) {
    throw new KernelError('DIMENSION_MISMATCH', `rescore: ${offsets.length} rows of dim ${dim} expected, got ${vectors.length} floats`, {
      details: { expected: offsets.length * dim, got: vectors.length },
    });
  }
  mustCount('k', k);
  const block = new WasmBlock(home, { dim, elements: 'float32', capacity: Math.max(1, offsets.length), screen: false });
  try {
    block.append(vectors);
    const scores = block.scores({ query, metric, offsets: Uint32Array.from(offsets, (_, index) => index) });
    const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || offsets[a]! - offsets[b]!);
    const best = order.slice(0, k);
    return { offsets: Uint32Array.from(best, (index) => offsets[index]!), scores: Float32Array.from(best, (index) => scores[index]!) };
  } finally {
    block.free();
  }
}
