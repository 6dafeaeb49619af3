/**
 * Native peers, from the nested package `peers/` with its own lock file. It is installed here and not by the repository's own install: a peer
 * that this machine cannot install or load is a row of the report.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contender, type Settings, timed } from './contender.ts';
import type { DataSet } from './data.ts';

const FOLDER = fileURLToPath(new URL('../../peers', import.meta.url));
const INSTALL_TIMEOUT_MS = 300_000;

/** Undefined, or why it cannot be had. */
export function installPeers(): string | undefined {
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  if (Object.keys(dependencies).every((name) => existsSync(join(FOLDER, 'node_modules', name)))) return undefined;
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--workspaces=false'], {
      cwd: FOLDER,
      timeout: INSTALL_TIMEOUT_MS,
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'unknown') : String(error);
  }
}

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

const load = (name: string): any => createRequire(join(FOLDER, 'package.json'))(name);

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
function createHnswlib(data: DataSet, { k, m, efConstruction, seed }: Settings): Contender {
  const { HierarchicalNSW } = load('hnswlib-node') as { HierarchicalNSW: new (space: string, dim: number) => HnswlibIndex };
  const make = (): HnswlibIndex => new HierarchicalNSW('ip', data.dim);
  const index = make();
  index.initIndex(data.rows, m, efConstruction, seed);
  const queries = data.queries.map((query) => [...query]);
  let count = 0;
  return {
    name: 'hnswlib-node f32',
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
  const { Index } = load('usearch') as { Index: new (config: object) => UsearchIndex };
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

export function createPeers(data: DataSet, settings: Settings): { contenders: Contender[]; missing: { name: string; why: string }[] } {
  const contenders: Contender[] = [];
  const missing: { name: string; why: string }[] = [];
  const makers: Record<string, () => Contender> = {
    'hnswlib-node f32': () => createHnswlib(data, settings),
    'usearch f32': () => createUsearch(data, settings, 'f32'),
    'usearch i8': () => createUsearch(data, settings, 'i8'),
  };
  const refused = installPeers();
  for (const [name, make] of Object.entries(makers)) {
    try {
      if (refused !== undefined) throw new Error(refused);
      contenders.push(make());
    } catch (error) {
      missing.push({ name, why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) });
    }
  }
  return { contenders, missing };
}
