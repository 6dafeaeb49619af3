/** Native libraries. One that this machine cannot install, compile or load is a row of the report. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsScan, prepareRows } from '../js-scan.ts';
import { type Contender, type Settings, timed } from './contender.ts';
import type { DataSet } from './data.ts';
import { installPeers, requireNativeHnswlib, requirePeer, whyNot } from './peer-package.ts';

interface HnswlibIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(query: number[], k: number, filter?: (label: number) => boolean): { neighbors: number[] };
  writeIndexSync(file: string): void;
  readIndexSync(file: string): void;
}
interface UsearchIndex {
  add(key: bigint, vector: Float32Array): void;
  search(query: Float32Array, k: number, threads: number): { keys: BigUint64Array };
  save(file: string): void;
  load(file: string): void;
}

function savedBy(save: (file: string) => void, open: (file: string) => void): { saveMs: number; openMs: number; bytes: number } {
  const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
  const file = join(folder, 'index');
  try {
    const { ms: saveMs } = timed(() => save(file));
    const { ms: openMs } = timed(() => open(file));
    return { saveMs, openMs, bytes: statSync(file).size };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Its rows and queries go in as arrays of numbers; they are made before anything is measured, for queries. */
function createHnswlib(data: DataSet, { k, m, efConstruction, seed }: Settings, name: string, library: unknown): Contender {
  const { HierarchicalNSW } = library as { HierarchicalNSW: new (space: string, dim: number) => HnswlibIndex };
  const make = (): HnswlibIndex => new HierarchicalNSW('ip', data.dim);
  const index = make();
  index.initIndex(data.rows, m, efConstruction, seed);
  const queries = data.queries.map((query) => [...query]);
  let count = 0;
  return {
    name,
    build(rows) {
      for (const end = count + rows; count < end; count++)
        index.addPoint([...data.stored.subarray(count * data.dim, (count + 1) * data.dim)], count);
    },
    setEf: (ef) => index.setEf(ef),
    search: (query) => index.searchKnn(queries[query]!, k).neighbors,
    searchFiltered: (query, bitmap) =>
      index.searchKnn(queries[query]!, k, (label) => ((bitmap[label >> 5]! >>> (label & 31)) & 1) === 1).neighbors,
    memory: () => ({ index: data.dim * 4 + m * 8 + 20, rerank: 0 }),
    saveAndOpen: () =>
      savedBy(
        (file) => index.writeIndexSync(file),
        (file) => make().readIndexSync(file),
      ),
    free() {},
  };
}

/** It takes `ef` when it is made: another one means loading the saved index again. */
function createUsearch(data: DataSet, { k, m, efConstruction }: Settings, quantization: 'f32' | 'i8'): Contender {
  const { Index } = requirePeer('usearch') as { Index: new (config: object) => UsearchIndex };
  const make = (ef: number): UsearchIndex =>
    new Index({ dimensions: data.dim, metric: 'ip', quantization, connectivity: m, expansion_add: efConstruction, expansion_search: ef });
  const folder = mkdtempSync(join(tmpdir(), 'tern-bench-'));
  const file = join(folder, 'index');
  const built = make(64);
  let index = built;
  let count = 0;
  let saved = false;
  let loadedEf = 0;
  return {
    name: `usearch ${quantization}`,
    build(rows) {
      for (const end = count + rows; count < end; count++)
        built.add(BigInt(count), data.stored.subarray(count * data.dim, (count + 1) * data.dim));
    },
    setEf(ef) {
      if (saved && ef === loadedEf) return;
      loadedEf = ef;
      if (!saved) built.save(file);
      saved = true;
      index = make(ef);
      index.load(file);
    },
    search: (query) => Array.from(index.search(data.queries[query]!, k, 1).keys, Number),
    memory: () => ({ index: data.dim * (quantization === 'f32' ? 4 : 1) + m * 8 + 20, rerank: 0 }),
    saveAndOpen: () =>
      savedBy(
        (to) => built.save(to),
        (from) => make(64).load(from),
      ),
    free: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What plain JavaScript does at its best: a scan of everything. */
function createScan(data: DataSet, { k }: Settings): Contender {
  let rows = 0;
  let prepared = prepareRows(new Float32Array(0), data.dim);
  return {
    name: 'plain JavaScript scan',
    build(count) {
      rows += count;
      if (rows === data.rows) prepared = prepareRows(data.stored, data.dim);
    },
    setEf() {},
    search: (query) => jsScan(prepared, data.queries[query]!, k),
    memory: () => ({ index: data.dim * 4 + 4, rerank: 0 }),
    saveAndOpen: () => undefined,
    free() {},
  };
}

export function createPeers(data: DataSet, settings: Settings): { contenders: Contender[]; missing: { name: string; why: string }[] } {
  const contenders: Contender[] = [createScan(data, settings)];
  const missing: { name: string; why: string }[] = [];
  const hnswlib = (name: string, library: () => unknown) => [name, () => createHnswlib(data, settings, name, library())] as const;
  const makers: readonly (readonly [name: string, make: () => Contender])[] = [
    hnswlib('hnswlib-node f32', () => requirePeer('hnswlib-node')),
    hnswlib('hnswlib-node f32, -march=native', requireNativeHnswlib),
    ['usearch f32', () => createUsearch(data, settings, 'f32')],
    ['usearch i8', () => createUsearch(data, settings, 'i8')],
  ];
  const refused = installPeers();
  for (const [name, make] of makers) {
    try {
      if (refused !== undefined) throw new Error(refused);
      contenders.push(make());
    } catch (error) {
      missing.push({ name, why: whyNot(error) });
    }
  }
  return { contenders, missing };
}
