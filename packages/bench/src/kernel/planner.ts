import type { HnswIndex, VectorBlock } from '@terndb/kernel';
import { median, round } from '../lib/report.ts';
import { timed } from './contender.ts';
import type { DataSet } from './data.ts';
import { uniforms } from './random.ts';

const SHARES = [0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
const EFS = [32, 128];
const PLANS = ['scan', 'walkFiltered', 'walk', 'auto'] as const;

/** What each way of searching with a bitmap costs: where the planner's constants come from. The last line of each share is its own choice. */
export function* measurePlanner(index: HnswIndex, block: VectorBlock, data: DataSet, queries: number): Generator<Record<string, unknown>> {
  for (const share of SHARES) {
    const uniform = uniforms(5);
    const bitmap = new Uint32Array(Math.ceil(data.rows / 32));
    for (let row = 0; row < data.rows; row++) if (uniform() < share) bitmap[row >> 5]! |= 1 << (row & 31);
    for (const ef of EFS) {
      for (const plan of PLANS) {
        const [times, distances] = [[] as number[], [] as number[]];
        let [found, wanted] = [0, 0];
        for (let at = 0; at < queries; at++) {
          const query = data.queries[at]!;
          const { ms, result } = timed(() => index.search({ query, k: 10, ef, bitmap, block, plan }));
          times.push(ms * 1000);
          distances.push(index.lastDistances);
          const best = new Set(block.scan({ query, metric: 'IP', k: 10, bitmap }).offsets);
          wanted += best.size;
          found += result.offsets.filter((offset) => best.has(offset)).length;
        }
        yield { share, ef, plan, us: round(median(times), 1), distances: median(distances), recall: round(found / wanted, 4) };
      }
    }
  }
}
