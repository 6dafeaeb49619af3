import { describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { makeVectors } from '../testing/vectors.ts';
import { readHeader } from './layout.ts';
import { createHnsw, openHnsw } from './open.ts';
import type { HnswOptions } from './types.ts';

const dim = 32;
const rows = makeVectors({ shape: 'normal', rows: 400, dim, seed: 3 });
const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: 8 });

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
  return 'none';
}

describe.each(BUILDS)('graph index (%s)', (build) => {
  test('refuses options and calls that make no sense, and stays as it was', async () => {
    const kernel = await freshKernel(build);
    const bad: Partial<Record<keyof HnswOptions, unknown>>[] = [
      { dim: 0 },
      { metric: 'HAMMING' },
      { m: 1 },
      { m: 65 },
      { efConstruction: 0 },
      { seed: -1 },
      { seed: 2 ** 32 },
      { codes: 'pq' },
      { codes: 'f32', residual: true },
      { codes: 'f32', rotate: true },
      { codes: 'b1', residual: true },
      { codes: 'b1', rotate: true },
      { codes: 'sq8', centroid: new Float32Array(dim) },
      { codes: 'b1', centroid: new Float32Array(dim).fill(Number.NaN) },
      { capacity: 0.5 },
    ];
    for (const options of bad)
      expect(
        codeOf(() => createHnsw(kernel, { dim, metric: 'L2', ...options } as HnswOptions)),
        JSON.stringify(options),
      ).toBe('OPTION_INVALID');
    const index = createHnsw(kernel, { dim, metric: 'L2' });
    index.add(rows);
    const [block, elsewhere] = [kernel.createBlock({ dim }), (await freshKernel(build)).createBlock({ dim })];
    expect(codeOf(() => index.add(rows.subarray(1)))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => index.addFrom(kernel.createBlock({ dim: 3 })))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => index.addFrom(elsewhere))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.search({ query, k: 3, block }))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.search({ query, k: 3, block: elsewhere }))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.search({ query: query.subarray(1), k: 3 }))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => index.search({ query: new Float32Array(dim).fill(Number.NaN), k: 3 }))).toBe('QUERY_INVALID');
    for (const wrong of [
      { k: -1 },
      { k: 16_385 },
      { k: 1.5 },
      { k: 1, ef: 16_385 },
      { k: 1, candidates: -1 },
      { k: 1, minScore: Number.NaN },
    ])
      expect(
        codeOf(() => index.search({ query, ...wrong })),
        JSON.stringify(wrong),
      ).toBe('QUERY_INVALID');
    expect(codeOf(() => index.buildStep(0))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.rescore({ query, k: 1, offsets: Uint32Array.of(1), vectors: new Float32Array(3) }))).toBe(
      'DIMENSION_MISMATCH',
    );
    expect([index.rows, index.linked]).toEqual([400, 0]);
    index.free();
    index.free();
    expect(codeOf(() => index.search({ query, k: 3 }))).toBe('INTERNAL');
  });

  test('with one bit is linked by the rows of a float32 block, and by them alone', async () => {
    const kernel = await freshKernel(build);
    const create = (codes: 'b1' | 'f32') => createHnsw(kernel, { dim, metric: 'COSINE', codes, m: 5, efConstruction: 40 });
    const index = create('b1');
    const block = kernel.createBlock({ dim });
    block.append(rows);
    const half = kernel.createBlock({ dim, elements: 'float16' });
    half.append(rows);
    index.addFrom(block);
    expect(codeOf(() => index.buildStep(10))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.buildStep(10, half))).toBe('OPTION_INVALID');
    expect(codeOf(() => index.buildStep(10, kernel.createBlock({ dim })))).toBe('OPTION_INVALID');
    expect(codeOf(() => createHnsw(kernel, { dim, metric: 'L2', codes: 'b1', centroid: new Float32Array(3) }))).toBe('DIMENSION_MISMATCH');
    expect([index.codes, index.rows, index.linked]).toEqual(['b1', 400, 0]);
    index.buildStep(400, block);
    const floats = create('f32');
    floats.addFrom(block);
    floats.buildStep(400);
    const links = (bytes: Uint8Array, codes: 'b1' | 'f32') => {
      const shape = readHeader(bytes);
      const { offset, bytes: length } = shape.layout.places.links;
      expect(shape.shape.codes).toBe(codes === 'b1' ? 2 : 0);
      return Buffer.from(bytes.subarray(offset, offset + length));
    };
    expect(links(index.save(), 'b1').equals(links(floats.save(), 'f32'))).toBe(true);
  });

  test('with one bit estimates rows that point the same way better relative to their mean', async () => {
    const kernel = await freshKernel(build);
    const leaning = rows.map((value, at) => value + (at % dim < 4 ? 3 : 0));
    const mean = Float32Array.from({ length: dim }, (_, at) => (at < 4 ? 3 : 0));
    const asked = Float32Array.from(query, (value, at) => value + mean[at]!);
    const block = kernel.createBlock({ dim });
    block.append(leaning);
    const errors = [undefined, mean].map((centroid) => {
      const index = createHnsw(kernel, { dim, metric: 'L2', codes: 'b1', ...(centroid && { centroid }) });
      index.addFrom(block);
      const { offsets, scores } = openHnsw(kernel, index.save()).search({ query: asked, k: 400, plan: 'scan' });
      const exact = block.scores({ query: asked, metric: 'L2', offsets });
      return Math.hypot(...scores.map((score, at) => score - exact[at]!));
    });
    expect(errors[1]!).toBeGreaterThan(0);
    expect(errors[1]!).toBeLessThan(errors[0]! / 2);
  });

  test('is built in slices, and finds every row from the moment it is added', async () => {
    const kernel = await freshKernel(build);
    const index = createHnsw(kernel, { dim, metric: 'L2', codes: 'f32', m: 8 });
    index.add(rows);
    const found = (): number => index.search({ query: rows.subarray(399 * dim), k: 1, plan: 'walk', ef: 100 }).offsets[0]!;
    const seen: number[] = [];
    for (let progress = index.buildStep(1); progress.linked < progress.rows; progress = index.buildStep(90)) {
      seen.push(progress.linked);
      expect(found()).toBe(399);
    }
    expect(seen).toEqual([1, 91, 181, 271, 361]);
    expect(index.buildStep(5)).toEqual({ linked: 400, rows: 400 });
    expect(found()).toBe(399);
  });

  test('returns no row whose bit was cleared, though it walks through it', async () => {
    const kernel = await freshKernel(build);
    const index = createHnsw(kernel, { dim, metric: 'COSINE' });
    index.add(rows);
    index.buildStep(400);
    const alive = new Uint32Array(13).fill(0xffffffff);
    for (const plan of ['walk', 'walkFiltered', 'scan'] as const) {
      for (let deleted = 0; deleted < 20; deleted++) {
        const best = index.search({ query, k: 1, bitmap: alive, plan }).offsets[0]!;
        alive[best >> 5]! &= ~(1 << (best & 31));
        expect(index.search({ query, k: 400, bitmap: alive, plan }).offsets).not.toContain(best);
      }
    }
  });

  test('cuts hits at score bounds, as exact scans do', async () => {
    const kernel = await freshKernel(build);
    const index = createHnsw(kernel, { dim, metric: 'IP', codes: 'f32' });
    index.add(rows);
    index.buildStep(400);
    const block = kernel.createBlock({ dim });
    block.append(rows);
    const [low, high] = [block.scan({ query, metric: 'IP', k: 400 }).scores[30]!, block.scan({ query, metric: 'IP', k: 400 }).scores[4]!];
    const bounds = { query, k: 50, minScore: low, maxScore: high };
    for (const plan of ['walk', 'scan'] as const) {
      const plain = index.search({ ...bounds, ef: 400, plan });
      expect(plain).toEqual(block.scan({ ...bounds, metric: 'IP' }));
      expect(index.search({ ...bounds, ef: 400, candidates: 400, plan, block })).toEqual(plain);
      expect(plain.offsets.length).toBe(26);
    }
  });

  test('says MEMORY_LIMIT, changes nothing by it, and works on', async () => {
    const kernel = await freshKernel(build, { maxBytes: 6 * 2 ** 20 });
    const index = createHnsw(kernel, { dim, metric: 'L2', m: 8, residual: true });
    index.add(rows);
    index.buildStep(400);
    const before = index.search({ query, k: 10, plan: 'walk' });
    const large = new Float32Array(200_000 * dim);
    expect(codeOf(() => index.add(large))).toBe('MEMORY_LIMIT');
    expect(codeOf(() => createHnsw(kernel, { dim, metric: 'L2', capacity: 200_000 }))).toBe('MEMORY_LIMIT');
    let added = 0;
    let full = false;
    for (; !full && added < 1000; added += full ? 0 : 1) full = codeOf(() => index.add(rows)) === 'MEMORY_LIMIT';
    expect(full).toBe(true);
    expect(index.rows).toBe(400 * (added + 1));
    expect(index.search({ query, k: 10, plan: 'walk', ef: 64 }).offsets.length).toBe(10);
    const bytes = index.save();
    expect(codeOf(() => openHnsw(kernel, bytes))).toBe('MEMORY_LIMIT');
    index.buildStep(1);
    index.free();
    expect(kernel.usedBytes).toBe(0);
    const again = createHnsw(kernel, { dim, metric: 'L2', m: 8, residual: true });
    again.add(rows);
    again.buildStep(400);
    expect(again.search({ query, k: 10, plan: 'walk' })).toEqual(before);
  });

  test('reports its memory, and gives back on saving what was only reserved', async () => {
    const kernel = await freshKernel(build);
    const index = createHnsw(kernel, { dim, metric: 'IP', capacity: 10_000 });
    index.add(rows);
    const reserved = index.memory;
    const { length } = index.save();
    expect(index.memory.usedBytes).toBe(length);
    expect(index.memory.bytes).toBeLessThan(reserved.bytes / 10);
    expect(index.memory.bytes).toBeGreaterThanOrEqual(length);
    expect(reserved.workspaceBytes).toBeGreaterThan(10_000);
    expect(kernel.usedBytes).toBe(index.memory.bytes);
  });

  test('two indexes of a kernel do not disturb each other', async () => {
    const kernel = await freshKernel(build);
    const [one, two] = (['L2', 'COSINE'] as const).map((metric) => createHnsw(kernel, { dim, metric, m: 5, capacity: 1 }));
    const alone = createHnsw(await freshKernel(build), { dim, metric: 'L2', m: 5 });
    alone.add(rows);
    alone.buildStep(400);
    for (let from = 0; from < 400; from += 50) {
      for (const index of [one!, two!]) {
        index.add(rows.subarray(from * dim, (from + 50) * dim));
        index.buildStep(50);
        index.search({ query, k: 5, plan: 'walk' });
      }
    }
    expect(Buffer.from(one!.save()).equals(alone.save())).toBe(true);
  });
});
