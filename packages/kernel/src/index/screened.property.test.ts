import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSet, makeBitmap } from '../testing/bitmap.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { propertyRuns } from '../testing/seed.ts';
import { makeVectors, SHAPES } from '../testing/vectors.ts';
import type { Kernel, Metric, VectorBlock } from '../types.ts';
import { createHnsw } from './open.ts';
import type { HnswIndex, HnswOptions } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];
const cases = fc.record({
  dim: fc.oneof(fc.constantFrom(1, 3, 16, 17, 64, 65, 384, 2047), fc.integer({ min: 1, max: 80 })),
  rows: fc.integer({ min: 1, max: 300 }),
  shape: fc.constantFrom(...SHAPES),
  metric: fc.constantFrom(...METRICS),
  m: fc.constantFrom(2, 5, 16),
  efConstruction: fc.constantFrom(1, 10, 40),
  k: fc.constantFrom(1, 3, 10, 50),
  ef: fc.constantFrom(1, 10, 64),
  density: fc.constantFrom(undefined, 0.1, 0.5),
  seed: fc.integer(),
});

function blockOf(kernel: Kernel, dim: number, vectors: Float32Array, screen: boolean): VectorBlock {
  const block = kernel.createBlock({ dim, screen });
  block.append(vectors);
  return block;
}

function build(kernel: Kernel, options: HnswOptions, vectors: Float32Array, block?: VectorBlock): HnswIndex {
  const index = createHnsw(kernel, options);
  index.add(vectors);
  while (index.linked < index.rows) index.buildStep(17, block);
  return index;
}

describe.each(BUILDS)('a graph beside a screened block (%s)', { timeout: 240_000 }, (build_) => {
  const runs = build_ === 'kernel.wasm' ? 400 : 150;

  test.each(['f32', 'b1'] as const)('has the bytes of one that is linked by every float32 score (%s)', async (codes) => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, m, efConstruction, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const options = { dim, metric, m, efConstruction, codes, seed: 3 };
        const [plain, screened] = [false, true].map((screen) => {
          const block = blockOf(kernel, dim, vectors, screen);
          const index = build(kernel, options, vectors, block);
          const bytes = index.save();
          index.free();
          block.free();
          return bytes;
        });
        expect(Buffer.from(screened!).equals(plain!)).toBe(true);
      }),
      propertyRuns(runs),
    );
    expect(kernel.usedBytes).toBe(0);
  });

  test('walks float32 rows to the same hits as without it', async () => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, m, efConstruction, k, ef, density, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 });
        const block = blockOf(kernel, dim, vectors, true);
        const index = build(kernel, { dim, metric, m, efConstruction, codes: 'f32' }, vectors);
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        for (const plan of ['walk', 'walkFiltered'] as const) {
          const search = { query, k, ef, plan, ...(bitmap && { bitmap }) };
          expect(index.search({ ...search, block })).toEqual(index.search(search));
        }
        index.free();
        block.free();
      }),
      propertyRuns(runs),
    );
    expect(kernel.usedBytes).toBe(0);
  });
});

describe.each(BUILDS)('re-ranking by bounds (%s)', { timeout: 240_000 }, (build_) => {
  test('gives the best of all candidates, as when each is scored', async () => {
    const kernel = await freshKernel(build_);
    let compared = 0;
    fc.assert(
      fc.property(cases, fc.boolean(), fc.constantFrom(0, 20, 60, 300), (one, rotate, more) => {
        const { dim, rows, shape, metric, k, density, seed } = one;
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 });
        const block = blockOf(kernel, dim, vectors, false);
        const index = createHnsw(kernel, { dim, metric, rotate });
        index.add(vectors);
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const candidates = k + more;
        const search = { query, plan: 'scan', ...(bitmap && { bitmap }) } as const;
        const { offsets } = index.search({ ...search, k: candidates });
        const scores = block.scores({ query, metric, offsets });
        const order = [...offsets.keys()].sort((a, b) => scores[b]! - scores[a]! || offsets[a]! - offsets[b]!).slice(0, k);
        const found = index.search({ ...search, k, candidates, block });
        expect([...found.offsets]).toEqual(order.map((at) => offsets[at]));
        expect([...found.scores]).toEqual(order.map((at) => scores[at]));
        for (const offset of found.offsets) expect(isSet(bitmap, offset)).toBe(true);
        compared += found.offsets.length;
        index.free();
        block.free();
      }),
      propertyRuns(build_ === 'kernel.wasm' ? 600 : 200),
    );
    expect(compared).toBeGreaterThan(500);
  });

  test.each(['COSINE', 'IP'] as const)('lets the best row through whose %s score its codes tell as low as they can', async (metric) => {
    const kernel = await freshKernel(build_);
    for (const dim of [64, 127, 384]) {
      // Codes are steps of 1/127. Those of 40 rows lose nothing; the last row lies .499 steps above its codes everywhere, and no other is as good.
      const vectors = new Float32Array(41 * dim);
      for (let row = 0; row < 41; row++) {
        const raised = row === 40 ? 0 : Math.floor(0.499 * (dim - 1));
        for (let at = 0; at < dim; at++) {
          const above = row === 40 ? 0.499 : Number(at > 0 && at <= raised);
          vectors[row * dim + at] = at === 0 ? 1 : ((at % 5) + above) / 127;
        }
      }
      const block = blockOf(kernel, dim, vectors, false);
      const index = createHnsw(kernel, { dim, metric });
      index.add(vectors);
      const query = new Float32Array(dim).fill(1);
      expect([...index.search({ query, k: 40, plan: 'scan' }).offsets]).not.toContain(40);
      const found = index.search({ query, k: 1, candidates: 41, plan: 'scan', block });
      expect([...found.offsets]).toEqual([40]);
      index.free();
      block.free();
    }
  });
});
