import { describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { createUniform, makeVectors, mixture } from '../testing/vectors.ts';
import type { Kernel, Metric, VectorBlock } from '../types.ts';
import { buildLists, openLists } from './open.ts';
import type { ListCodes, ListIndex, ListOptions } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
  return undefined;
}

function build(kernel: Kernel, block: VectorBlock, options: Omit<ListOptions, 'block'>): ListIndex {
  const running = buildLists(kernel, { ...options, block });
  while (!running.step(500).done);
  return running.finish();
}

function filled(kernel: Kernel, vectors: Float32Array, dim: number): VectorBlock {
  const block = kernel.createBlock({ dim });
  block.append(vectors);
  return block;
}

describe.each(BUILDS)('list index (%s)', { timeout: 240_000 }, (build_) => {
  test('one-bit estimates spread as the theorem says, and are right on the average (random rows, 10 rotations)', async () => {
    const kernel = await freshKernel(build_);
    const [dim, rows] = [200, 1000];
    const uniform = createUniform(4);
    const block = filled(
      kernel,
      Float32Array.from({ length: rows * dim }, () => uniform() * 2 - 1),
      dim,
    );
    const lengths = Array.from({ length: rows }, (_, row) => Math.hypot(...block.row(row)));
    // x = o·ō is √(2/π) on the average for a random direction, and √((1 − x²)/x²) / √(D − 1) the standard deviation relative to the lengths.
    const deviation = 0.755 / Math.sqrt(dim - 1);
    let [within, sum, square, count] = [0, 0, 0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      const index = build(kernel, block, { metric: 'IP', codes: 'b1', lists: 1, seed });
      const query = Float32Array.from({ length: dim }, (_, at) => Math.sin(at * seed));
      const found = index.search({ query, k: rows });
      const exact = block.scores({ query, metric: 'IP', offsets: found.offsets });
      const length = Math.hypot(...query);
      for (const [at, offset] of found.offsets.entries()) {
        const error = (found.scores[at]! - exact[at]!) / length / lengths[offset]!;
        if (Math.abs(error) <= 1.9 * deviation) within++;
        sum += error;
        square += error * error;
        count++;
      }
      index.free();
    }
    expect(count).toBe(10 * rows);
    expect(Math.abs(sum / count)).toBeLessThan(0.05 * deviation);
    expect(Math.sqrt(square / count) / deviation).toBeGreaterThan(0.95);
    expect(Math.sqrt(square / count) / deviation).toBeLessThan(1.05);
    expect(within / count).toBeGreaterThan(0.93);
  });

  const kinds: readonly { codes: ListCodes; lists: number; nprobe: number; exact: boolean; floor: number }[] = [
    { codes: 'none', lists: 40, nprobe: 8, exact: true, floor: 0.85 },
    { codes: 'sq8', lists: 40, nprobe: 8, exact: false, floor: 0.84 },
    { codes: 'sq8', lists: 40, nprobe: 40, exact: false, floor: 0.95 },
    { codes: 'sq8', lists: 40, nprobe: 40, exact: true, floor: 0.995 },
    { codes: 'b1', lists: 40, nprobe: 40, exact: true, floor: 0.97 },
    { codes: 'b1', lists: 1, nprobe: 1, exact: true, floor: 0.97 },
  ];
  describe.each(METRICS)('recall on a mixture of 3,000 × 65, seed 5, k 10, %s', (metric) => {
    test.each(kinds)('$codes, $nprobe of $lists lists, exact scores $exact: at least $floor', async (kind) => {
      const { codes, lists, nprobe, exact, floor } = kind;
      const kernel = await freshKernel(build_);
      const [rows, dim, queries, k] = [3000, 65, 60, 10];
      const all = mixture(rows + queries, dim, 5);
      const block = filled(kernel, all.subarray(0, rows * dim), dim);
      const index = build(kernel, block, { metric, codes, lists, seed: 5 });
      let found = 0;
      for (let at = rows; at < rows + queries; at++) {
        const query = all.subarray(at * dim, (at + 1) * dim);
        const wanted = new Set(block.scan({ query, metric, k }).offsets);
        const hits = index.search({ query, k, nprobe, ...(exact && { block }) });
        found += hits.offsets.filter((offset) => wanted.has(offset)).length;
      }
      expect(found / (queries * k)).toBeGreaterThanOrEqual(floor);
    });
  });

  test('candidates that the caller scores are exact', async () => {
    const kernel = await freshKernel(build_);
    const [rows, dim] = [2000, 64];
    const all = mixture(rows + 1, dim, 7);
    const block = filled(kernel, all.subarray(0, rows * dim), dim);
    const index = build(kernel, block, { metric: 'COSINE', codes: 'b1', lists: 1 });
    const query = all.subarray(rows * dim);
    const { offsets } = index.search({ query, k: 200 });
    const vectors = Float32Array.from([...offsets].flatMap((offset) => [...block.row(offset)]));
    const best = index.rescore({ query, k: 10, offsets, vectors });
    expect(best).toEqual(index.search({ query, k: 10, block, candidates: 200 }));
    expect(best).toEqual(block.scan({ query, metric: 'COSINE', k: 10 }));
  });

  test('a row takes 4 bytes and its codes: 64 bytes in all for one bit of 384 dimensions', async () => {
    const kernel = await freshKernel(build_);
    const [rows, dim] = [2000, 384];
    const block = filled(kernel, makeVectors({ shape: 'normal', rows, dim, seed: 1 }), dim);
    const bytes = (['none', 'sq8', 'b1'] as const).map((codes) => {
      const index = build(kernel, block, { metric: 'COSINE', codes, lists: 1, iterations: 1 });
      expect(index.memory.bytes).toBe(index.memory.usedBytes);
      return Math.floor(index.memory.usedBytes / rows);
    });
    expect(bytes).toEqual([4, 396, 64]);
  });

  test('refuses bad input with a typed error', async () => {
    const kernel = await freshKernel(build_);
    const block = filled(kernel, makeVectors({ shape: 'normal', rows: 50, dim: 8, seed: 1 }), 8);
    const good = { block, metric: 'L2' } as const;
    for (const bad of [
      { metric: 'HAMMING' as 'L2' },
      { metric: 'toString' as 'L2' },
      { codes: 'pq' as 'b1' },
      { lists: 0 },
      { lists: 1.5 },
      { lists: -1 },
      { seed: -1 },
      { iterations: -1 },
      { iterations: 1001 },
    ]) {
      expect(codeOf(() => buildLists(kernel, { ...good, ...bad }))).toBe('OPTION_INVALID');
    }
    const running = buildLists(kernel, good);
    expect(codeOf(() => running.finish())).toBe('OPTION_INVALID');
    expect(codeOf(() => running.step(0))).toBe('OPTION_INVALID');
    running.free();
    running.free();
    expect(codeOf(() => running.step(1))).toBe('INTERNAL');
    const other = await freshKernel(build_);
    expect(codeOf(() => buildLists(other, good))).toBe('OPTION_INVALID');

    const index = build(kernel, block, { metric: 'L2', codes: 'none' });
    const query = new Float32Array(8);
    expect(codeOf(() => index.search({ query, k: 1 }))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.search({ query: new Float32Array(7), k: 1, block }))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => index.search({ query: query.map(() => Number.NaN), k: 1, block }))).toBe('QUERY_INVALID');
    expect(codeOf(() => index.search({ query, k: 16_385, block }))).toBe('QUERY_INVALID');
    expect(codeOf(() => index.search({ query, k: 1, nprobe: -1, block }))).toBe('QUERY_INVALID');
    expect(codeOf(() => index.search({ query, k: 1, block: filled(kernel, new Float32Array(16), 16) }))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => index.search({ query, k: 1, block: filled(kernel, new Float32Array(16), 8) }))).toBe('OPTION_INVALID');
    index.free();
    index.free();
    expect(codeOf(() => index.search({ query, k: 1, block }))).toBe('INTERNAL');
  });

  test('a build whose block was freed stops, and gives everything back', async () => {
    const kernel = await freshKernel(build_);
    const block = filled(kernel, makeVectors({ shape: 'normal', rows: 50, dim: 8, seed: 1 }), 8);
    const running = buildLists(kernel, { block, metric: 'L2' });
    running.step(10);
    block.free();
    expect(codeOf(() => running.step(10))).toBe('INTERNAL');
    running.free();
    expect(kernel.usedBytes).toBe(0);
  });

  test('beyond the memory limit nothing is taken and all goes on', async () => {
    const kernel = await freshKernel(build_, { maxBytes: 4 * 2 ** 20 });
    const [rows, dim] = [6000, 64];
    const block = filled(kernel, makeVectors({ shape: 'normal', rows, dim, seed: 1 }), dim);
    const used = kernel.usedBytes;
    expect(codeOf(() => buildLists(kernel, { block, metric: 'L2', codes: 'sq8', lists: 200 }))).toBe('MEMORY_LIMIT');
    expect(kernel.usedBytes).toBe(used);
    const index = build(kernel, block, { metric: 'L2', codes: 'b1', lists: 1 });
    const saved = index.save();
    expect(index.search({ query: new Float32Array(dim), k: 5, block }).offsets.length).toBe(5);
    index.free();
    kernel.createBlock({ dim, screen: false, capacity: 6000 });
    expect(codeOf(() => openLists(kernel, new Uint8Array(8 * 2 ** 20).fill(0)))).toBe('INDEX_CORRUPT');
    expect(openLists(kernel, saved).rows).toBe(rows);
  });
});
