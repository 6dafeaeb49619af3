/**
 * Threads that search one shared index, against the same searches one after the other on the thread that owns it: queries per second of all asked at
 * once, and what a search alone costs more. `BENCH_ROWS` and `BENCH_THREADS` (several: `1,2,4`) change the defaults.
 */
import { availableParallelism } from 'node:os';
import { createHnsw } from '@terndb/kernel';
import { createSearchPool } from '@terndb/kernel/node';
import { clustered } from './kernel/data.ts';
import { median, report, round, tiny } from './lib/report.ts';

const [seed, k, dim] = [1, 10, tiny ? 32 : 384];
const rows = tiny ? 500 : Number(process.env['BENCH_ROWS'] ?? 100_000);
const queryCount = tiny ? 20 : 1_000;
const turns = tiny ? 1 : 9;
const threadCounts = (process.env['BENCH_THREADS'] ?? `1,${Math.max(2, availableParallelism())}`).split(',').map(Number);

const msOf = async (work: () => unknown): Promise<number> => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

const data = clustered(rows, queryCount, dim, seed);
for (const threads of threadCounts) {
  const pool = await createSearchPool({ threads, wasm: new URL('../../kernel/dist/kernel.threads.wasm', import.meta.url) });
  const block = pool.kernel.createBlock({ dim, capacity: rows, screen: false });
  block.append(data.stored);
  const index = createHnsw(pool.kernel, { dim, metric: 'IP', efConstruction: tiny ? 40 : 200, seed, capacity: rows });
  index.addFrom(block);
  index.buildStep(rows);
  for (const ef of [32, 128, 512]) {
    const asked = data.queries.map((query) => ({ query, k, ef, block }));
    const [alone, together, turnByTurn]: [number[], number[], number[]] = [[], [], []];
    for (let turn = 0; turn <= turns; turn++) {
      const ms = [
        await msOf(() => asked.forEach((options) => void index.search(options))),
        await msOf(() => Promise.all(asked.map((options) => pool.search(index, options)))),
        await msOf(async () => {
          for (const options of asked) await pool.search(index, options);
        }),
      ];
      // The first turn warms all of them up.
      if (turn > 0) for (const [at, list] of [alone, together, turnByTurn].entries()) list.push(ms[at]!);
    }
    const qps = (list: readonly number[]): number => Math.round((queryCount * 1000) / median(list));
    report('pool', {
      rows,
      dim,
      k,
      ef,
      seed,
      threads,
      ownThreadQps: qps(alone),
      poolQps: qps(together),
      ratio: round(median(alone) / median(together), 2),
      oneByOneQps: qps(turnByTurn),
      moreUsPerSearch: round(((median(turnByTurn) - median(alone)) * 1000) / queryCount, 1),
    });
  }
  await pool.close();
}
