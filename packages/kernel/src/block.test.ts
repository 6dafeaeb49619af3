import { describe, expect, test } from 'vitest';
import { KernelError, type KernelErrorCode } from './errors.ts';
import { BUILDS, freshKernel } from './testing/builds.ts';
import { makeVectors } from './testing/vectors.ts';

function codeOf(action: () => unknown): KernelErrorCode | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
  return undefined;
}

const floats = (...values: number[]) => new Float32Array(values);

describe.each(BUILDS)('a block (%s)', (build) => {
  test('orders equal scores by ascending offset and scores a zero vector 0 by COSINE', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 2 });
    block.append(floats(0, 0, 2, 0, 1, 0, -1, 0, 0, 0, 3, 0));
    const { offsets, scores } = block.scan({ query: floats(5, 0), metric: 'COSINE', k: 10 });
    expect([...offsets]).toEqual([1, 2, 5, 0, 4, 3]);
    expect([...scores]).toEqual([1, 1, 1, 0, 0, -1]);
  });

  test('gives L2 as the negated squared distance, never −0', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 3 });
    block.append(floats(1, 2, 3, 1, 2, 5));
    const { scores } = block.scan({ query: floats(1, 2, 3), metric: 'L2', k: 2 });
    expect([...scores]).toEqual([0, -4]);
    expect(Object.is(scores[0], 0)).toBe(true);
  });

  test('scores every row 0 by COSINE for a zero query', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 2 });
    block.append(floats(1, 0, 0, 1));
    expect([...block.scan({ query: floats(0, 0), metric: 'COSINE', k: 5 }).scores]).toEqual([0, 0]);
  });

  test('minScore is inclusive and maxScore exclusive, also between two float32', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 1 });
    block.append(floats(1, 2, 3, 4));
    const scan = (bounds: { minScore?: number; maxScore?: number }) => [
      ...block.scan({ query: floats(1), metric: 'IP', k: 9, ...bounds }).offsets,
    ];
    expect(scan({ minScore: 2 })).toEqual([3, 2, 1]);
    expect(scan({ maxScore: 3 })).toEqual([1, 0]);
    expect(scan({ minScore: 2, maxScore: 2 })).toEqual([]);
    expect(scan({ minScore: 2 + 1e-12 })).toEqual([3, 2]);
    expect(scan({ maxScore: 2 + 1e-12 })).toEqual([1, 0]);
    expect(scan({ minScore: Number.POSITIVE_INFINITY })).toEqual([]);
    expect(scan({ maxScore: Number.NEGATIVE_INFINITY })).toEqual([]);
    expect(scan({ minScore: 1e300 })).toEqual([]);
    expect(scan({ maxScore: -1e300 })).toEqual([]);
    expect(scan({ minScore: -1e300, maxScore: 1e300 })).toEqual([3, 2, 1, 0]);
  });

  test('scans rows below the high-water mark whose bit is set', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 1 });
    block.append(Float32Array.from({ length: 200 }, (_, row) => row));
    const query = floats(1);
    const bitmap = new Uint32Array(7);
    for (const row of [0, 3, 31, 32, 160, 199]) bitmap[row >> 5]! |= 1 << (row & 31);
    expect([...block.scan({ query, metric: 'IP', k: 10, bitmap }).offsets]).toEqual([199, 160, 32, 31, 3, 0]);
    expect([...block.scan({ query, metric: 'IP', k: 10, bitmap, rows: 160 }).offsets]).toEqual([32, 31, 3, 0]);
    expect([...block.scan({ query, metric: 'IP', k: 10, bitmap: bitmap.subarray(0, 1) }).offsets]).toEqual([31, 3, 0]);
    expect([...block.scan({ query, metric: 'IP', k: 2, rows: 7 }).offsets]).toEqual([6, 5]);
    expect([...block.scan({ query, metric: 'IP', k: 2, rows: 1000 }).offsets]).toEqual([199, 198]);
    expect([...block.scan({ query, metric: 'IP', k: 2, bitmap: new Uint32Array(7) }).offsets]).toEqual([]);
  });

  test('finds nothing when empty, for k 0 and for no rows, and everything for k above the rows', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 4 });
    const query = floats(1, 2, 3, 4);
    expect(block.scan({ query, metric: 'IP', k: 10 }).offsets.length).toBe(0);
    expect(block.scores({ query, metric: 'IP', offsets: new Uint32Array(0) }).length).toBe(0);
    block.append(floats(1, 0, 0, 0));
    expect(block.scan({ query, metric: 'IP', k: 0 }).offsets.length).toBe(0);
    expect(block.scan({ query, metric: 'IP', k: 5, rows: 0 }).offsets.length).toBe(0);
    expect([...block.scan({ query, metric: 'IP', k: 1e6 }).offsets]).toEqual([0]);
  });

  test('sorts very many hits', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 1 });
    const rows = 100_000;
    block.append(Float32Array.from({ length: rows }, (_, row) => (row * 7919) % rows));
    const { offsets, scores } = block.scan({ query: floats(1), metric: 'IP', k: rows });
    expect(offsets.length).toBe(rows);
    expect(scores.every((score, index) => score === rows - 1 - index)).toBe(true);
    const back = block.scores({ query: floats(1), metric: 'IP', offsets });
    expect(back).toEqual(scores);
  });

  test('returns copies of its rows, in dimensions that need padding too', async () => {
    const kernel = await freshKernel(build);
    for (const dim of [1, 3, 4, 70]) {
      const vectors = makeVectors({ shape: 'normal', rows: 20, dim, seed: dim });
      const block = kernel.createBlock({ dim, capacity: 2 });
      block.append(vectors);
      const row = block.row(7);
      expect(row).toEqual(vectors.slice(7 * dim, 8 * dim));
      row.fill(0);
      expect(block.row(7)).toEqual(vectors.slice(7 * dim, 8 * dim));
    }
  });

  test('takes raw bytes cut anywhere, unaligned too', async () => {
    const kernel = await freshKernel(build);
    for (const dim of [3, 16, 70]) {
      const vectors = makeVectors({ shape: 'normal', rows: 50, dim, seed: 1 });
      const shifted = new Uint8Array(vectors.byteLength + 1);
      shifted.set(new Uint8Array(vectors.buffer), 1);
      const bytes = shifted.subarray(1);
      for (const cut of [1, 7, dim * 4, dim * 4 + 3, 1000, bytes.length]) {
        const block = kernel.createBlock({ dim, capacity: 1 });
        for (let from = 0; from < bytes.length; from += cut) block.appendBytes(bytes.subarray(from, from + cut));
        expect(block.rows).toBe(50);
        expect(block.row(49)).toEqual(vectors.slice(49 * dim));
        const query = vectors.slice(0, dim);
        const whole = kernel.createBlock({ dim });
        whole.append(vectors);
        expect(block.scan({ query, metric: 'COSINE', k: 5 })).toEqual(whole.scan({ query, metric: 'COSINE', k: 5 }));
        block.free();
        whole.free();
      }
    }
  });

  test('refuses append between two parts of a row', async () => {
    const block = (await freshKernel(build)).createBlock({ dim: 2 });
    block.appendBytes(new Uint8Array(5));
    expect(codeOf(() => block.append(floats(1, 2)))).toBe('OPTION_INVALID');
    block.appendBytes(new Uint8Array(3));
    block.append(floats(1, 2));
    expect(block.rows).toBe(2);
  });

  test('refuses bad input with a typed error and stays as it was', async () => {
    const kernel = await freshKernel(build);
    const block = kernel.createBlock({ dim: 3 });
    block.append(floats(1, 2, 3));
    const good = { query: floats(1, 2, 3), metric: 'IP', k: 1 } as const;
    expect(codeOf(() => block.append(floats(1, 2)))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => block.scan({ ...good, query: floats(1, 2) }))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => block.scores({ ...good, query: floats(1, 2, 3, 4), offsets: new Uint32Array(1) }))).toBe('DIMENSION_MISMATCH');
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(codeOf(() => block.scan({ ...good, query: floats(1, bad, 3) }))).toBe('QUERY_INVALID');
    }
    expect(codeOf(() => block.scan({ ...good, query: floats(1, Infinity, -Infinity) }))).toBe('QUERY_INVALID');
    for (const k of [-1, 1.5, Number.NaN]) expect(codeOf(() => block.scan({ ...good, k }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, rows: -1 }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, minScore: Number.NaN }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, maxScore: Number.NaN }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, metric: 'HAMMING' as 'IP' }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, metric: 'toString' as 'IP' }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scores({ ...good, offsets: Uint32Array.of(1) }))).toBe('OPTION_INVALID');
    for (const offset of [-1, 1, 0.5]) expect(codeOf(() => block.row(offset))).toBe('OPTION_INVALID');
    for (const dim of [0, -1, 1.5, 1e6]) expect(codeOf(() => kernel.createBlock({ dim }))).toBe('OPTION_INVALID');
    expect(codeOf(() => kernel.createBlock({ dim: 1, capacity: -1 }))).toBe('OPTION_INVALID');
    expect([...block.scan(good).scores]).toEqual([14]);
  });

  test('may not be used after free, and free may be called twice', async () => {
    const kernel = await freshKernel(build);
    const block = kernel.createBlock({ dim: 3 });
    block.append(floats(1, 2, 3));
    block.free();
    block.free();
    expect(kernel.usedBytes).toBe(0);
    expect(block.rows).toBe(0);
    expect(codeOf(() => block.append(floats(1, 2, 3)))).toBe('INTERNAL');
    expect(codeOf(() => block.scan({ query: floats(1, 2, 3), metric: 'IP', k: 1 }))).toBe('INTERNAL');
    expect(codeOf(() => block.row(0))).toBe('INTERNAL');
  });
});
