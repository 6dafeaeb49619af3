import type { Kernel, VectorBlock } from '@terndb/kernel';
import { round } from '../lib/numbers.ts';
import { compare } from './compare.ts';
import type { Contender, Settings } from './contender.ts';
import type { DataSet } from './data.ts';
import { KINDS, SHARES } from './kinds.ts';
import { buildAll, type Truth } from './measure.ts';
import { createOurs } from './ours.ts';
import { uniforms } from './random.ts';

export interface RaceOptions {
  readonly kernel: Kernel;
  readonly data: DataSet;
  readonly settings: Settings;
  /** How often each has its turn, and how many of the queries are asked with a filter. */
  readonly turns: number;
  readonly filteredTurns: number;
  readonly filteredQueries: number;
}

export interface RaceResult {
  /** One per contender, ready to be printed. */
  readonly rows: Readonly<Record<string, unknown>>[];
  readonly block: VectorBlock;
  readonly ours: readonly ReturnType<typeof createOurs>[];
  readonly contenders: readonly Contender[];
}

/** Ours and the others over the same data, with the same parameters and queries, in one thread, taking turns. The caller frees them. */
export function race({ kernel, data, settings, ...options }: RaceOptions, others: readonly Contender[]): RaceResult {
  const block = kernel.createBlock({ dim: data.dim, capacity: data.rows });
  block.append(data.stored);
  const ours = KINDS.map((kind) => createOurs(kernel, data, block, settings, kind));
  const contenders = [...ours, ...others];
  const truthWith = (count: number, bitmap?: Uint32Array): Truth =>
    data.queries
      .slice(0, count)
      .map((query) => new Set(block.scan({ query, metric: 'IP', k: settings.k, ...(bitmap && { bitmap }) }).offsets));
  const seconds = buildAll(contenders, data.rows);
  const all = compare(contenders, truthWith(data.queries.length), (contender) => contender.search, options.turns);
  const filtered = SHARES.map((share) => {
    const bitmap = randomBitmap(data.rows, share, settings.seed);
    const able = contenders.filter((contender) => contender.searchFiltered);
    const truth = truthWith(options.filteredQueries, bitmap);
    const searchOf = (contender: Contender) => (query: number) => contender.searchFiltered!(query, bitmap);
    return { share, results: compare(able, truth, searchOf, options.filteredTurns) };
  });
  const rows = contenders.map((contender) => {
    const memory = contender.memory();
    const saved = contender.saveAndOpen();
    return {
      name: contender.name,
      buildSeconds: round(seconds.get(contender)!, 2),
      ...all.get(contender)!,
      filtered: filtered.map(({ share, results }) => ({ share, search: results.get(contender)?.search ?? [] })),
      bytesPerVector: Math.round(memory.index),
      rerankBytesPerVector: memory.rerank,
      ...(saved && { saveMs: round(saved.saveMs, 1), openMs: round(saved.openMs, 1), savedBytes: saved.bytes }),
    };
  });
  return { rows, block, ours, contenders };
}

function randomBitmap(rows: number, share: number, seed: number): Uint32Array {
  const uniform = uniforms(seed + 99);
  const bitmap = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row++) if (uniform() < share) bitmap[row >> 5]! |= 1 << (row & 31);
  return bitmap;
}
