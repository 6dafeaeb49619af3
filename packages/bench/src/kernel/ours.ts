import { createHnsw, type HnswIndex, type HnswOptions, type Kernel, openHnsw, type VectorBlock } from '@terndb/kernel';
import { type Contender, type Settings, timed } from './contender.ts';
import type { DataSet } from './data.ts';

/** What a block keeps of a row beside its floats, to bound scores by: int8 codes and three numbers. */
const screenBytes = (dim: number): number => Math.ceil(dim / 16) * 16 + 12;

/**
 * Ours. `rerank`: from the float32 rows of a block, which is counted apart because a database keeps them anyway; so are the block's codes, by
 * which a float32 graph is built and walked.
 */
export function createOurs(
  kernel: Kernel,
  data: DataSet,
  block: VectorBlock,
  settings: Settings,
  kind: { readonly name: string; readonly options: Partial<HnswOptions>; readonly rerank: boolean },
): Contender & { readonly index: HnswIndex } {
  const { dim, rows } = data;
  const { k, m, efConstruction, seed } = settings;
  const index = createHnsw(kernel, { dim, metric: 'IP', m, efConstruction, seed, capacity: rows, ...kind.options });
  let ef = 0;
  const screened = kind.options.codes === 'f32';
  const beside = kind.rerank || screened ? { block } : {};
  const candidates = () => (kind.rerank || kind.options.residual ? { candidates: ef } : {});
  return {
    name: kind.name,
    index,
    build(count) {
      index.addFrom(block, count);
      index.buildStep(count, block);
    },
    setEf(value) {
      ef = value;
    },
    search: (query) => index.search({ query: data.queries[query]!, k, ef, plan: 'walk', ...candidates(), ...beside }).offsets,
    searchFiltered: (query, bitmap) => index.search({ query: data.queries[query]!, k, ef, bitmap, ...candidates(), ...beside }).offsets,
    memory: () => ({ index: index.memory.usedBytes / rows, rerank: kind.rerank ? dim * 4 : screened ? screenBytes(dim) : 0 }),
    saveAndOpen() {
      const saved = timed(() => index.save());
      const opened = timed(() => openHnsw(kernel, saved.result));
      opened.result.free();
      return { saveMs: saved.ms, openMs: opened.ms, bytes: saved.result.length };
    },
    free: () => index.free(),
  };
}
