import { describe, expect, test } from 'vitest';
import { BUILDS, freshKernel } from './testing/builds.ts';
import { createUniform, makeVectors } from './testing/vectors.ts';
import type { Metric, VectorBlock } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];

/** The largest component is 1, so codes are steps of 1/127; the others lie `above` over a step: with a query of ones all errors add up. */
function rowBetweenCodes(dim: number, above: number): Float32Array {
  return Float32Array.from({ length: dim }, (_, index) => (index === 0 ? 1 : ((index % 5) + above) / 127));
}

function offsetsOf(block: VectorBlock): Uint32Array {
  return Uint32Array.from({ length: block.rows }, (_, offset) => offset);
}

describe.each(BUILDS)('screening (%s)', (build) => {
  test.each(METRICS)('keeps a row whose %s score is underestimated as far as the bound allows', async (metric) => {
    const kernel = await freshKernel(build);
    for (const dim of [64, 127, 384, 2048]) {
      for (const [above, sign] of [
        [0.499, 1],
        [0.501, -1],
      ] as const) {
        const row = rowBetweenCodes(dim, above);
        const query = new Float32Array(dim).fill(sign);
        const block = kernel.createBlock({ dim, screen: true });
        for (let copy = 0; copy < 16; copy++) block.append(row);
        const [score] = block.scores({ query, metric, offsets: new Uint32Array(1) });
        // The floor is the row's own score from the start: nothing but the bound's margin lets it through.
        expect([...block.scan({ query, metric, k: 1, minScore: score! }).offsets]).toEqual([0]);
        expect(block.scan({ query, metric, k: 1, maxScore: score!, minScore: score! - 1 }).offsets.length).toBe(0);
        block.free();
      }
    }
  });

  test.each(METRICS)('gives the same bits as the float32 scan on thousands of rows (%s)', async (metric) => {
    const kernel = await freshKernel(build);
    const dim = 96;
    const rows = 3000;
    for (const shape of ['normal', 'offset', 'duplicates', 'mixed', 'extreme'] as const) {
      const vectors = makeVectors({ shape, rows, dim, seed: 7 });
      const query = makeVectors({ shape, rows: 1, dim, seed: 11 });
      const [plain, screened] = [false, true].map((screen) => {
        const block = kernel.createBlock({ dim, screen, capacity: rows });
        block.append(vectors);
        return block;
      });
      const wanted = plain!.scan({ query, metric, k: 100 });
      expect(screened!.scan({ query, metric, k: 100 })).toEqual(wanted);
      expect(wanted.offsets.length).toBe(100);
      for (const block of [plain!, screened!]) block.free();
    }
  });

  test('also with rows in the worst order, each better than all before it', async () => {
    const kernel = await freshKernel(build);
    const dim = 64;
    const rows = 500;
    const uniform = createUniform(3);
    const query = Float32Array.from({ length: dim }, () => uniform() - 0.5);
    const vectors = new Float32Array(rows * dim);
    for (let row = 0; row < rows; row++)
      for (let j = 0; j < dim; j++) vectors[row * dim + j] = query[j]! * (row / rows) + (uniform() - 0.5) * 0.0001;
    const block = kernel.createBlock({ dim, screen: true });
    block.append(vectors);
    const scores = block.scores({ query, metric: 'IP', offsets: offsetsOf(block) });
    const found = block.scan({ query, metric: 'IP', k: 5 });
    expect([...found.scores]).toEqual([...scores].sort((a, b) => b - a).slice(0, 5));
  });

  test('is on by default from 64 dimensions and costs about a quarter more memory', async () => {
    const kernel = await freshKernel(build);
    const bytes = (dim: number, screen?: boolean) =>
      kernel.createBlock({ dim, capacity: 1000, ...(screen === undefined ? {} : { screen }) }).bytes;
    expect(bytes(384)).toBe(bytes(384, true));
    expect(bytes(384) / bytes(384, false)).toBeCloseTo(1.257, 2);
    expect(bytes(63)).toBe(bytes(63, false));
  });
});
