import { describe, expect, test } from 'vitest';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { mixture } from '../testing/vectors.ts';
import type { Metric } from '../types.ts';
import { createHnsw } from './open.ts';
import type { HnswOptions } from './types.ts';

const ROWS = 3000;
const DIM = 65;
const QUERIES = 60;
const K = 10;
const EF = 80;
const KINDS: readonly { name: string; options: Partial<HnswOptions>; rerank: boolean; floor: number }[] = [
  { name: 'float32', options: { codes: 'f32' }, rerank: false, floor: 0.98 },
  { name: 'codes', options: {}, rerank: false, floor: 0.93 },
  { name: 'rotated codes', options: { rotate: true }, rerank: false, floor: 0.93 },
  { name: 'codes, re-ranked from float32', options: {}, rerank: true, floor: 0.98 },
  { name: 'one bit, re-ranked from float32', options: { codes: 'b1' }, rerank: true, floor: 0.98 },
  { name: 'codes, re-ranked from residual codes', options: { residual: true }, rerank: false, floor: 0.98 },
];

describe.each(BUILDS)('recall of the graph on a mixture of 3,000 × 65, seed 5, k 10, ef 80 (%s)', { timeout: 240_000 }, (build) => {
  describe.each<Metric>(['COSINE', 'IP', 'L2'])('%s', (metric) => {
    test.each(KINDS)('$name: at least $floor, without and with a filter', async ({ options, rerank, floor }) => {
      const kernel = await freshKernel(build);
      const all = mixture(ROWS + QUERIES, DIM, 5);
      const block = kernel.createBlock({ dim: DIM });
      block.append(all.subarray(0, ROWS * DIM));
      const index = createHnsw(kernel, { dim: DIM, metric, efConstruction: 100, seed: 5, ...options });
      index.addFrom(block);
      while (index.linked < ROWS) index.buildStep(500, block);
      const third = new Uint32Array(Math.ceil(ROWS / 32)).fill(0b01001001001001001001001001001001);
      for (const { plan, bitmap } of [
        { plan: 'walk', bitmap: undefined },
        { plan: 'walk', bitmap: third },
        { plan: 'walkFiltered', bitmap: third },
        { plan: 'scan', bitmap: third },
      ] as const) {
        let found = 0;
        for (let at = 0; at < QUERIES; at++) {
          const query = all.subarray((ROWS + at) * DIM, (ROWS + at + 1) * DIM);
          const filter = bitmap && { bitmap };
          const wanted = new Set(block.scan({ query, metric, k: K, ...filter }).offsets);
          const hits = index.search({ query, k: K, ef: EF, plan, ...filter, ...(rerank && { block }) });
          found += hits.offsets.filter((offset) => wanted.has(offset)).length;
        }
        expect(found / (QUERIES * K), `${plan} ${bitmap ? 'filtered' : ''}`).toBeGreaterThanOrEqual(floor);
      }
    });
  });
});
