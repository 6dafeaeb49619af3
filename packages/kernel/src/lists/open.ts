import { KernelError } from '../errors.ts';
import { mustBeBlockOf } from '../index/arguments.ts';
import { mustMatchChecksum } from '../index/checksum.ts';
import { homeOf, mustBeWithin } from '../kernel.ts';
import type { Kernel } from '../types.ts';
import { METRIC_NUMBERS } from '../wasm/exports.ts';
import { WasmListBuild } from './build.ts';
import { CHECKED_FROM, CHECKSUM_AT, CODES, checkLists, corrupt, layoutOf, MAX_LISTS, MAX_ROWS, readHeader } from './layout.ts';
import { WasmListIndex } from './list-index.ts';
import type { ListBuild, ListIndex, ListOptions } from './types.ts';

const DEFAULT_ITERATIONS = 10;
const MAX_ITERATIONS = 1000;
/** Searching √rows lists of √rows rows each is the least work; twice as many lists hold nearer rows. */
const DEFAULT_LISTS_FACTOR = 2;

/** Begins to build a list index (IVF) over all rows of a block. Throws OPTION_INVALID, MEMORY_LIMIT. */
export function buildLists(kernel: Kernel, options: ListOptions): ListBuild {
  const home = homeOf(kernel);
  const block = mustBeBlockOf(home, options.block, { dim: options.block.dim, rows: 0 });
  const rows = mustBeWithin('rows', block.rows, 0, MAX_ROWS);
  const codes = CODES.indexOf(options.codes ?? 'sq8');
  if (codes < 0) throw invalid('codes', CODES.join(', '), options.codes);
  if (!Object.hasOwn(METRIC_NUMBERS, options.metric)) throw invalid('metric', 'COSINE, IP or L2', options.metric);
  const most = Math.min(MAX_LISTS, Math.max(1, rows));
  const lists = Math.min(most, options.lists ?? Math.max(1, Math.round(DEFAULT_LISTS_FACTOR * Math.sqrt(rows))));
  const shape = {
    dim: block.dim,
    metric: METRIC_NUMBERS[options.metric],
    codes,
    lists: mustBeWithin('lists', lists, 1, most),
    seed: mustBeWithin('seed', options.seed ?? 1, 0, 2 ** 32 - 1),
    rows,
  };
  const iterations = mustBeWithin('iterations', options.iterations ?? DEFAULT_ITERATIONS, 0, MAX_ITERATIONS);
  return new WasmListBuild(home, block, shape, iterations);
}

/**
 * The index that `save` gave, by one copy. Every list and row number is checked, so that no bytes make a search read out of range.
 * @throws INDEX_CORRUPT (build it anew), MEMORY_LIMIT.
 */
export function openLists(kernel: Kernel, bytes: Uint8Array): ListIndex {
  const home = homeOf(kernel);
  const shape = readHeader(bytes);
  const { arena } = home;
  const region = arena.allocate(bytes.length);
  try {
    arena.u8(region.address, bytes.length).set(bytes);
    mustMatchChecksum(home, { address: region.address, length: bytes.length, from: CHECKED_FROM, at: CHECKSUM_AT }, corrupt);
    const { offsets } = layoutOf(shape);
    checkLists(arena.u32(region.address + offsets.starts, shape.lists + 1), arena.u32(region.address + offsets.ids, shape.rows));
    return new WasmListIndex(home, shape, region);
  } catch (error) {
    arena.release(region);
    throw error;
  }
}

function invalid(what: string, expected: string, got: unknown): KernelError {
  return new KernelError('OPTION_INVALID', `list index: ${what}: ${expected} expected, got ${String(got)}`, {
    details: { what, expected, got },
  });
}
