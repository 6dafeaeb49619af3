import { describe, expect, test } from 'vitest';
import { KernelError } from './errors.ts';
import { BUILDS, freshKernel } from './testing/builds.ts';
import { makeVectors } from './testing/vectors.ts';
import type { VectorBlock } from './types.ts';

const MIB = 2 ** 20;
const dim = 256;

function catchKernelError(action: () => unknown): KernelError {
  try {
    action();
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
  throw new Error('no error');
}

function expectRows(block: VectorBlock, vectors: Float32Array): void {
  expect(block.rows).toBe(vectors.length / dim);
  for (let row = 0; row < block.rows; row++) {
    const stored = block.row(row);
    if (stored.some((value, index) => value !== vectors[row * dim + index])) throw new Error(`row ${row} was changed`);
  }
}

describe.each(BUILDS)('kernel memory (%s)', (build) => {
  test('grows under blocks that are in use, and their rows stay', async () => {
    const kernel = await freshKernel(build);
    const blocks = [1, 2, 3].map((seed) => ({
      block: kernel.createBlock({ dim, capacity: 1 }),
      vectors: makeVectors({ shape: 'normal', rows: 3000, dim, seed }),
    }));
    const before = kernel.memoryBytes;
    for (let row = 0; row < 3000; row += 100) {
      for (const { block, vectors } of blocks) block.append(vectors.subarray(row * dim, (row + 100) * dim));
    }
    expect(kernel.memoryBytes).toBeGreaterThan(before + 9 * MIB);
    for (const { block, vectors } of blocks) {
      expectRows(block, vectors);
      expect(block.scan({ query: vectors.slice(5 * dim, 6 * dim), metric: 'L2', k: 1 }).scores[0]).toBe(0);
    }
  });

  test('of a freed block is used again', async () => {
    const kernel = await freshKernel(build);
    const vectors = makeVectors({ shape: 'normal', rows: 2000, dim, seed: 1 });
    const fill = () => {
      const block = kernel.createBlock({ dim, capacity: 2000 });
      block.append(vectors);
      return block;
    };
    fill().free();
    const after = kernel.memoryBytes;
    for (let round = 0; round < 20; round++) {
      const block = fill();
      expectRows(block, vectors);
      block.free();
    }
    expect(kernel.memoryBytes).toBe(after);
    expect(kernel.usedBytes).toBe(0);
  });

  test('used again has clean padding: old floats do not leak into scores', async () => {
    const kernel = await freshKernel(build);
    const dirty = kernel.createBlock({ dim: 64, capacity: 100 });
    dirty.append(new Float32Array(6400).fill(9));
    dirty.free();
    const block = kernel.createBlock({ dim: 5, capacity: 100, screen: true });
    block.append(new Float32Array(500).fill(1));
    for (const metric of ['COSINE', 'IP', 'L2'] as const) {
      const { scores } = block.scan({ query: new Float32Array(5).fill(1), metric, k: 3 });
      for (const score of scores) expect(score).toBeCloseTo({ COSINE: 1, IP: 5, L2: 0 }[metric], 6);
    }
  });

  test('has a limit: MEMORY_LIMIT, nothing changed, everything still usable', async () => {
    const kernel = await freshKernel(build, { maxBytes: 8 * MIB });
    const vectors = makeVectors({ shape: 'normal', rows: 2000, dim, seed: 1 });
    const kept = kernel.createBlock({ dim, capacity: 1000 });
    kept.append(vectors.subarray(0, 1000 * dim));
    const used = kernel.usedBytes;
    const query = vectors.slice(7 * dim, 8 * dim);
    const hits = kept.scan({ query, metric: 'COSINE', k: 10 });

    const error = catchKernelError(() => kept.append(makeVectors({ shape: 'normal', rows: 9000, dim, seed: 2 })));
    expect(error.code).toBe('MEMORY_LIMIT');
    expect(error.details['maxBytes']).toBe(8 * MIB);
    expect(catchKernelError(() => kept.appendBytes(new Uint8Array(9 * MIB))).code).toBe('MEMORY_LIMIT');
    expect(catchKernelError(() => kernel.createBlock({ dim, capacity: 100_000 })).code).toBe('MEMORY_LIMIT');
    expectRows(kept, vectors.subarray(0, 1000 * dim));
    expect(kept.scan({ query, metric: 'COSINE', k: 10 })).toEqual(hits);
    expect(kernel.memoryBytes).toBeLessThanOrEqual(8 * MIB);
    expect(kernel.usedBytes).toBeGreaterThanOrEqual(used);

    const other = kernel.createBlock({ dim, capacity: 1000 });
    other.append(vectors.subarray(0, 1000 * dim));
    expectRows(other, vectors.subarray(0, 1000 * dim));
    other.free();
    expectRows(kept, vectors.subarray(0, 1000 * dim));
  });

  test('is filled to the last: searches work when appends no longer do', async () => {
    const kernel = await freshKernel(build, { maxBytes: 4 * MIB });
    const block = kernel.createBlock({ dim, capacity: 1 });
    const row = makeVectors({ shape: 'normal', rows: 10, dim, seed: 9 });
    const append = () => {
      for (;;) block.append(row);
    };
    expect(catchKernelError(append).code).toBe('MEMORY_LIMIT');
    expect(block.rows % 10).toBe(0);
    expect(block.rows).toBeGreaterThan(1000);
    expect(block.scan({ query: row.slice(0, dim), metric: 'L2', k: 1000 }).offsets.length).toBe(1000);
    block.free();
    const again = kernel.createBlock({ dim, capacity: 1000 });
    again.append(row);
    expectRows(again, row);
  });

  test('takes maxBytes from 1 to 4 GiB only', async () => {
    for (const maxBytes of [0, -1, Number.NaN, 2 ** 33]) {
      await expect(freshKernel(build, { maxBytes })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
    await expect(freshKernel(build, { maxBytes: 1 })).rejects.toMatchObject({ code: 'MEMORY_LIMIT' });
  });
});

/** Reserved memory costs no physical pages until written: this touches some kilobytes of 3 GiB. */
test('addresses above 2 GiB work', async () => {
  const kernel = await freshKernel('kernel.wasm');
  const low = kernel.createBlock({ dim, capacity: Math.floor((2.2 * 2 ** 30) / (dim * 4)), screen: false });
  expect(low.bytes).toBeGreaterThan(2 ** 31);
  const high = kernel.createBlock({ dim, capacity: 100, screen: true });
  const vectors = makeVectors({ shape: 'normal', rows: 100, dim, seed: 4 });
  high.append(vectors);
  expectRows(high, vectors);
  const query = vectors.slice(42 * dim, 43 * dim);
  expect(high.scan({ query, metric: 'L2', k: 1, bitmap: new Uint32Array(4).fill(0xffffffff) }).scores[0]).toBe(0);
  expect(catchKernelError(() => kernel.createBlock({ dim, capacity: 2 * 2 ** 20, screen: false })).code).toBe('MEMORY_LIMIT');
  expectRows(high, vectors);
});
