import { KernelError } from '../errors.ts';
import { homeOf, MAX_DIM, mustBeWithin } from '../kernel.ts';
import type { Kernel } from '../types.ts';
import { METRIC_NUMBERS } from '../wasm/exports.ts';
import { mustMatchChecksum } from './checksum.ts';
import { WasmHnsw } from './hnsw.ts';
import { CHECKED_FROM, CHECKSUM_AT, CODES, corrupt, MAX_EF_CONSTRUCTION, MAX_M, MAX_ROWS, readHeader, type Shape } from './layout.ts';
import { GraphStore } from './store.ts';
import type { HnswIndex, HnswOptions } from './types.ts';

const DEFAULT_M = 16;
const DEFAULT_EF_CONSTRUCTION = 200;
const DEFAULT_CAPACITY = 64;

/** What `graphValidate` answers. */
const DAMAGE = [
  '',
  'more rows linked than stored',
  'the entry row is none',
  'the lists of upper levels do not add up',
  'a link leads nowhere',
  'a scale is not a number',
];

/** An empty index in this kernel's memory. Throws OPTION_INVALID, MEMORY_LIMIT. */
export function createHnsw(kernel: Kernel, options: HnswOptions): HnswIndex {
  const home = homeOf(kernel);
  const name = options.codes ?? 'sq8';
  const codes = CODES.indexOf(name);
  if (codes < 0) throw invalid('codes', CODES.join(', '), options.codes);
  if (!Object.hasOwn(METRIC_NUMBERS, options.metric)) throw invalid('metric', 'COSINE, IP or L2', options.metric);
  if (name !== 'sq8' && (options.residual || options.rotate)) throw invalid('residual and rotate', `none with ${name}`, true);
  if (name !== 'b1' && options.centroid) throw invalid('centroid', `none with ${name}`, true);
  const shape: Shape = {
    dim: mustBeWithin('dim', options.dim, 1, MAX_DIM),
    metric: METRIC_NUMBERS[options.metric],
    codes,
    residual: options.residual ?? false,
    rotated: name === 'b1' || (options.rotate ?? false),
    m: mustBeWithin('m', options.m ?? DEFAULT_M, 2, MAX_M),
    efConstruction: mustBeWithin('efConstruction', options.efConstruction ?? DEFAULT_EF_CONSTRUCTION, 1, MAX_EF_CONSTRUCTION),
    seed: mustBeWithin('seed', options.seed ?? 1, 0, 2 ** 32 - 1),
  };
  const capacity = mustBeWithin('capacity', options.capacity ?? DEFAULT_CAPACITY, 0, MAX_ROWS);
  const { centroid } = options;
  if (centroid) mustBeFinite(centroid, shape.dim);
  const index = own(home, GraphStore.create(home, shape, Math.max(1, capacity)));
  if (name === 'b1') index.setCentroid(centroid ?? new Float32Array(shape.dim));
  return index;
}

function mustBeFinite(centroid: Float32Array, dim: number): void {
  if (centroid.length !== dim) {
    throw new KernelError('DIMENSION_MISMATCH', `graph index: a centroid of dim ${dim} expected, got ${centroid.length}`, {
      details: { expected: dim, got: centroid.length },
    });
  }
  const bad = centroid.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw invalid('centroid', 'finite floats', bad);
}

/**
 * The index that `save` gave, by one copy. Every link and offset is checked, so that no bytes make a search read out of range.
 * @throws INDEX_CORRUPT (build it anew), MEMORY_LIMIT. Cost: reads the bytes twice; about 0.5 s per GB.
 */
export function openHnsw(kernel: Kernel, bytes: Uint8Array): HnswIndex {
  const home = homeOf(kernel);
  const header = readHeader(bytes);
  const store = GraphStore.copy(home, bytes, header);
  const index = own(home, store);
  try {
    mustMatchChecksum(home, { address: store.address, length: bytes.length, from: CHECKED_FROM, at: CHECKSUM_AT }, corrupt);
    const damage = home.wasm.graphValidate(index.currentPlan(), header.lists);
    if (damage !== 0) throw corrupt(DAMAGE[damage] ?? 'damaged', { damage });
    return index;
  } catch (error) {
    index.free();
    throw error;
  }
}

/** The index over a store, which is given back when there is no memory for the rest. */
function own(home: ReturnType<typeof homeOf>, store: GraphStore): WasmHnsw {
  try {
    return new WasmHnsw(home, store);
  } catch (error) {
    store.free();
    throw error;
  }
}

function invalid(what: string, expected: string, got: unknown): KernelError {
  return new KernelError('OPTION_INVALID', `graph index: ${what}: ${expected} expected, got ${String(got)}`, {
    details: { what, expected, got },
  });
}
