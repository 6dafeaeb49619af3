import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ElementType } from '../block/elements.ts';
import { isSet, makeBitmap } from '../testing/bitmap.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { oracleHits } from '../testing/oracle.ts';
import { propertyRuns } from '../testing/seed.ts';
import { makeVectors, type Shape } from '../testing/vectors.ts';
import type { Kernel, Metric, VectorBlock } from '../types.ts';
import { buildLists, openLists } from './open.ts';
import type { ListCodes, ListIndex, ListOptions } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];
const CODES: readonly ListCodes[] = ['none', 'sq8', 'b1'];
const ELEMENTS: readonly ElementType[] = ['float32', 'float16', 'bfloat16', 'int8'];
const DIMS = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 384, 385, 2047];

const cases = fc.record({
  dim: fc.oneof(fc.constantFrom(...DIMS), fc.integer({ min: 1, max: 80 })),
  rows: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 30, max: 250 })),
  shape: fc.constantFrom<Shape>('normal', 'coarse', 'sparse', 'huge', 'tiny', 'mixed', 'extreme', 'offset', 'duplicates', 'ones'),
  metric: fc.constantFrom(...METRICS),
  codes: fc.constantFrom(...CODES),
  elements: fc.constantFrom<ElementType>('float32', 'float32', ...ELEMENTS),
  lists: fc.constantFrom(undefined, 1, 2, 7, 60),
  iterations: fc.constantFrom(0, 1, 5),
  k: fc.constantFrom(0, 1, 3, 10, 50, 400),
  nprobe: fc.constantFrom(1, 2, 5, 100),
  candidates: fc.constantFrom(undefined, undefined, 0, 30),
  density: fc.constantFrom(undefined, undefined, 0, 0.02, 0.3, 1),
  seed: fc.integer(),
});

function build(kernel: Kernel, block: VectorBlock, options: Omit<ListOptions, 'block'>, slice = 1000): ListIndex {
  const running = buildLists(kernel, { ...options, block });
  for (let progress = running.step(slice); !progress.done; progress = running.step(slice)) {
    if (progress.visited > progress.total) throw new Error(`${progress.visited} of ${progress.total} rows visited`);
  }
  return running.finish();
}

function blockOf(kernel: Kernel, dim: number, vectors: Float32Array, elements: ElementType = 'float32'): VectorBlock {
  const block = kernel.createBlock({ dim, elements });
  block.append(vectors);
  return block;
}

/** As many as there may be. */
const listsFor = (lists: number | undefined, rows: number) => (lists === undefined ? {} : { lists: Math.min(lists, Math.max(1, rows)) });
const seedOf = (seed: number) => seed >>> 0;

describe.each(BUILDS)('list index (%s)', { timeout: 240_000 }, (build_) => {
  const runs = build_ === 'kernel.wasm' ? 600 : 200;

  test('gives min(k, survivors) different surviving rows, best first, whatever the rows, options and lists', async () => {
    const kernel = await freshKernel(build_);
    let hits = 0;
    fc.assert(
      fc.property(cases, (c) => {
        const { dim, rows, metric, codes, k, nprobe, candidates, density, seed } = c;
        const block = blockOf(kernel, dim, makeVectors({ shape: c.shape, rows, dim, seed }), c.elements);
        const query = makeVectors({ shape: c.shape, rows: 1, dim, seed: seed ^ 77 });
        const index = build(kernel, block, { metric, codes, iterations: c.iterations, seed: seedOf(seed), ...listsFor(c.lists, rows) });
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const survivors = Array.from({ length: rows }, (_, row) => row).filter((row) => isSet(bitmap, row));
        const exact = codes === 'none' || (seed & 1) === 1;
        const found = index.search({
          query,
          k,
          nprobe,
          ...(bitmap && { bitmap }),
          ...(exact && { block }),
          ...(candidates !== undefined && { candidates }),
        });
        expect(found.offsets.length).toBe(Math.min(k, survivors.length));
        expect(new Set(found.offsets).size).toBe(found.offsets.length);
        for (const [at, offset] of found.offsets.entries()) {
          if (offset >= rows || !isSet(bitmap, offset)) throw new Error(`row ${offset} is none of the survivors`);
          const [score, before] = [found.scores[at]!, found.scores[at - 1] ?? Infinity];
          if (!(score < before || (score === before && (at === 0 || offset > found.offsets[at - 1]!))))
            throw new Error(`hit ${at} is out of order`);
        }
        if (exact) expect([...found.scores]).toEqual([...block.scores({ query, metric, offsets: found.offsets })]);
        hits += found.offsets.length;
        index.free();
        block.free();
      }),
      propertyRuns(runs),
    );
    expect(hits).toBeGreaterThan(500);
    expect(kernel.usedBytes).toBe(0);
  });

  test('without codes, all lists together give exactly the best rows, within score bounds', async () => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, (c) => {
        const { dim, rows, metric, k, density, seed } = c;
        const block = blockOf(kernel, dim, makeVectors({ shape: c.shape, rows, dim, seed }), c.elements);
        const query = makeVectors({ shape: c.shape, rows: 1, dim, seed: seed ^ 77 });
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const index = build(kernel, block, { metric, codes: 'none', ...listsFor(c.lists, rows) });
        const scores = block.scores({ query, metric, offsets: Uint32Array.from({ length: rows }, (_, offset) => offset) });
        const bounds =
          rows > 2 && seed & 1 ? { minScore: Math.min(scores[0]!, scores[1]!), maxScore: Math.max(scores[0]!, scores[2]!) } : {};
        const wanted = oracleHits(scores, { query, metric, k, ...bounds, ...(bitmap && { bitmap }) });
        const found = index.search({ query, k, nprobe: index.lists, block, ...bounds, ...(bitmap && { bitmap }) });
        expect([...found.offsets]).toEqual(wanted.offsets);
        expect([...found.scores]).toEqual(wanted.scores);
        index.free();
        block.free();
      }),
      propertyRuns(runs / 2),
    );
  });

  test('the same seed and rows give the same bytes, however the build was sliced; another seed gives others', async () => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 300 }), (c, slice) => {
        const { dim, rows, metric, codes, seed } = c;
        const block = blockOf(kernel, dim, makeVectors({ shape: c.shape, rows, dim, seed }));
        const options = { metric, codes, seed: seedOf(seed), ...listsFor(c.lists, rows) };
        const [once, pieces] = [build(kernel, block, options, 1e6), build(kernel, block, options, slice)];
        expect(Buffer.from(pieces.save()).equals(once.save())).toBe(true);
        for (const owner of [once, pieces, block]) owner.free();
      }),
      propertyRuns(runs / 4),
    );
    const block = blockOf(kernel, 8, makeVectors({ shape: 'normal', rows: 100, dim: 8, seed: 1 }));
    const [one, two] = [1, 2].map((seed) => build(kernel, block, { metric: 'L2', seed }).save());
    expect(Buffer.from(one!).equals(two!)).toBe(false);
  });

  test('open(save(index)) has the same bytes and hits', async () => {
    const [kernel, other] = [await freshKernel(build_), await freshKernel(build_)];
    let hits = 0;
    fc.assert(
      fc.property(cases, (c) => {
        const { dim, rows, metric, k, nprobe, seed } = c;
        const codes = c.codes === 'none' ? 'b1' : c.codes;
        const block = blockOf(kernel, dim, makeVectors({ shape: c.shape, rows, dim, seed }));
        const index = build(kernel, block, { metric, codes, ...listsFor(c.lists, rows) });
        const opened = openLists(other, index.save());
        expect([opened.rows, opened.lists, opened.metric, opened.dim, opened.codes]).toEqual([rows, index.lists, metric, dim, codes]);
        const query = makeVectors({ shape: c.shape, rows: 1, dim, seed: seed ^ 77 });
        const found = index.search({ query, k, nprobe });
        expect(opened.search({ query, k, nprobe })).toEqual(found);
        expect(Buffer.from(opened.save()).equals(index.save())).toBe(true);
        hits += found.offsets.length;
        for (const owner of [index, opened, block]) owner.free();
      }),
      propertyRuns(runs / 4),
    );
    expect(hits).toBeGreaterThan(200);
    expect(kernel.usedBytes + other.usedBytes).toBe(0);
  });

  test('int8 estimates are off by no more than half a step in every dimension', async () => {
    const kernel = await freshKernel(build_);
    const ordinary = fc.constantFrom<Shape>('normal', 'coarse', 'sparse', 'duplicates');
    fc.assert(
      fc.property(fc.constantFrom(...DIMS), ordinary, fc.constantFrom(...METRICS), fc.integer(), (dim, shape, metric, seed) => {
        const rows = 40;
        const block = blockOf(kernel, dim, makeVectors({ shape, rows, dim, seed }));
        const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: seed ^ 77 });
        const index = build(kernel, block, { metric, codes: 'sq8', lists: 4 });
        const found = index.search({ query, k: rows, nprobe: 4 });
        const exact = block.scores({ query, metric, offsets: found.offsets });
        // |u|, |r| ≤ 2√dim here (1 each for COSINE, so 2 apart): an int8 step is at most |r|/127, an int16 one far finer.
        const limit = metric === 'COSINE' ? (2 * 2 * Math.sqrt(dim)) / 254 : (2 * 2 * 2 * dim * Math.sqrt(dim)) / 254;
        for (const [at, score] of found.scores.entries()) expect(Math.abs(score - exact[at]!)).toBeLessThanOrEqual(limit * 1.1 + 1e-4);
        index.free();
        block.free();
      }),
      propertyRuns(100),
    );
  });
});
