import type { Contender, Settings } from './contender.ts';
import type { DataSet } from './data.ts';

interface Index {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  addPoint(point: Float32Array, label: number, replaceDeleted: boolean): void;
  setEfSearch(ef: number): void;
  searchKnn(query: Float32Array, k: number, filter: ((label: number) => boolean) | undefined): { neighbors: number[] };
  delete(): void;
}
interface Module {
  readonly HierarchicalNSW: new (space: string, dim: number, autoSaveFile: string) => Index;
}

/** Where the bench's server has the library; nothing is there when it is not installed. */
export const HNSWLIB_ADDRESS = '/hnswlib.mjs';

/** In a browser only. Rows are given as views, which it copies; saving is left out, because it goes to a database of its own. */
export async function createHnswlibWasm(data: DataSet, { k, m, efConstruction, seed }: Settings): Promise<Contender> {
  const { default: createModule } = await import(/* @vite-ignore */ HNSWLIB_ADDRESS);
  const module = (await createModule({ print: () => {} })) as Module;
  const index = new module.HierarchicalNSW('ip', data.dim, '');
  index.initIndex(data.rows, m, efConstruction, seed);
  let count = 0;
  return {
    name: 'hnswlib-wasm f32',
    build(rows) {
      for (const end = count + rows; count < end; count++)
        index.addPoint(data.stored.subarray(count * data.dim, (count + 1) * data.dim), count, false);
    },
    setEf: (ef) => index.setEfSearch(ef),
    search: (query) => index.searchKnn(data.queries[query]!, k, undefined).neighbors,
    searchFiltered: (query, bitmap) =>
      index.searchKnn(data.queries[query]!, k, (label) => ((bitmap[label >> 5]! >>> (label & 31)) & 1) === 1).neighbors,
    memory: () => ({ index: data.dim * 4 + m * 8 + 16, rerank: 0 }),
    saveAndOpen: () => undefined,
    free: () => index.delete(),
  };
}
