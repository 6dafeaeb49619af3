import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSet, makeBitmap } from '../testing/bitmap.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { oracleHits } from '../testing/oracle.ts';
import { propertyRuns } from '../testing/seed.ts';
import { makeVectors, type Shape } from '../testing/vectors.ts';
import type { Kernel, Metric, VectorBlock } from '../types.ts';
import { createHnsw, openHnsw } from './open.ts';
import type { HnswIndex, HnswOptions, SearchPlan } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];
const DIMS = [1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 127, 384, 385, 2047, 2048];
const KINDS = [
  { codes: 'f32' },
  { codes: 'sq8' },
  { codes: 'sq8', residual: true },
  { codes: 'sq8', residual: true, rotate: true },
  { codes: 'b1' },
] as const;
const PLANS: readonly SearchPlan[] = ['auto', 'scan', 'walk', 'walkFiltered'];

const cases = fc.record({
  dim: fc.oneof(fc.constantFrom(...DIMS), fc.integer({ min: 1, max: 80 })),
  rows: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 30, max: 300 })),
  shape: fc.constantFrom<Shape>('normal', 'coarse', 'sparse', 'huge', 'tiny', 'mixed', 'extreme', 'offset', 'duplicates', 'ones'),
  metric: fc.constantFrom(...METRICS),
  kind: fc.constantFrom(...KINDS),
  m: fc.constantFrom(2, 3, 5, 16, 64),
  efConstruction: fc.constantFrom(1, 10, 100),
  k: fc.constantFrom(0, 1, 3, 10, 50, 400),
  ef: fc.constantFrom(1, 10, 64, 500),
  plan: fc.constantFrom(...PLANS),
  density: fc.constantFrom(undefined, undefined, 0, 0.02, 0.3, 1),
  linked: fc.constantFrom(0, 0.5, 1, 1),
  seed: fc.integer(),
});

function build(kernel: Kernel, options: HnswOptions, vectors: Float32Array, linked = 1): HnswIndex {
  const index = createHnsw(kernel, options);
  index.add(vectors);
  const block = options.codes === 'b1' ? blockOf(kernel, options.dim, vectors) : undefined;
  const wanted = Math.floor(linked * index.rows);
  while (index.linked < wanted) index.buildStep(Math.min(7, wanted - index.linked), block);
  block?.free();
  return index;
}

function blockOf(kernel: Kernel, dim: number, vectors: Float32Array): VectorBlock {
  const block = kernel.createBlock({ dim, screen: false });
  block.append(vectors);
  return block;
}

describe.each(BUILDS)('graph index (%s)', { timeout: 240_000 }, (build_) => {
  const runs = build_ === 'kernel.wasm' ? 600 : 200;

  test('gives min(k, survivors) different surviving rows, best first, whatever the rows, options and plan', async () => {
    const kernel = await freshKernel(build_);
    let hits = 0;
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, kind, m, efConstruction, k, ef, plan, density, linked, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 });
        const index = build(kernel, { dim, metric, m, efConstruction, seed: seed >>> 0, ...kind }, vectors, linked);
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const survivors = Array.from({ length: rows }, (_, row) => row).filter((row) => isSet(bitmap, row));
        const block = seed & 1 ? blockOf(kernel, dim, vectors) : undefined;
        const found = index.search({ query, k, ef, plan, ...(bitmap && { bitmap }), ...(block && { block }) });
        expect(found.offsets.length).toBe(Math.min(k, survivors.length));
        expect(new Set(found.offsets).size).toBe(found.offsets.length);
        for (const [at, offset] of found.offsets.entries()) {
          if (offset >= rows || !isSet(bitmap, offset)) throw new Error(`row ${offset} is none of the survivors`);
          const [score, before] = [found.scores[at]!, found.scores[at - 1] ?? Infinity];
          if (!(score < before || (score === before && (at === 0 || offset > found.offsets[at - 1]!))))
            throw new Error(`hit ${at} is out of order`);
        }
        hits += found.offsets.length;
        index.free();
        block?.free();
      }),
      propertyRuns(runs),
    );
    expect(hits).toBeGreaterThan(500);
    expect(kernel.usedBytes).toBe(0);
  });

  test('scores float32 rows, and candidates re-ranked from a block, exactly as an exact scan does', async () => {
    const kernel = await freshKernel(build_);
    let compared = 0;
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, kind, m, k, ef, plan, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 });
        const block = blockOf(kernel, dim, vectors);
        const index = build(kernel, { dim, metric, m, efConstruction: 20, ...kind }, vectors);
        const found = index.search({ query, k, ef, plan, ...(kind.codes === 'f32' && seed & 1 ? {} : { block }) });
        expect([...found.scores]).toEqual([...block.scores({ query, metric, offsets: found.offsets })]);
        const fetched = Float32Array.from([...found.offsets].flatMap((offset) => [...vectors.subarray(offset * dim, (offset + 1) * dim)]));
        expect(index.rescore({ query, k, offsets: found.offsets, vectors: fetched })).toEqual(found);
        compared += found.scores.length;
        index.free();
        block.free();
      }),
      propertyRuns(runs / 2),
    );
    expect(compared).toBeGreaterThan(300);
  });

  test('float32 scans of the index return exactly the best rows', async () => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, k, density, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 });
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const block = blockOf(kernel, dim, vectors);
        const index = createHnsw(kernel, { dim, metric, codes: 'f32' });
        index.add(vectors);
        const scores = block.scores({ query, metric, offsets: Uint32Array.from({ length: rows }, (_, offset) => offset) });
        const wanted = oracleHits(scores, { query, metric, k, ...(bitmap && { bitmap }) });
        const found = index.search({ query, k, plan: 'scan', ...(bitmap && { bitmap }) });
        expect([...found.offsets]).toEqual(wanted.offsets);
        expect([...found.scores]).toEqual(wanted.scores);
        index.free();
        block.free();
      }),
      propertyRuns(runs / 2),
    );
  });

  test('the same seed and rows give the same bytes, however they were added and linked; another seed gives others', async () => {
    const kernel = await freshKernel(build_);
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, kind, m, efConstruction, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const options = { dim, metric, m, efConstruction, seed: seed >>> 0, ...kind };
        const once = build(kernel, { ...options, capacity: rows }, vectors);
        const pieces = createHnsw(kernel, options);
        const block = blockOf(kernel, dim, vectors);
        for (let row = 0; row < rows; row += 40) {
          if (row % 80 === 0) pieces.add(vectors.subarray(row * dim, (row + 40) * dim));
          else pieces.addFrom(block, Math.min(40, rows - row));
          pieces.buildStep(23, block);
          if (row === 40) pieces.save();
        }
        while (pieces.linked < rows) pieces.buildStep(1000, block);
        expect(Buffer.from(pieces.save()).equals(once.save())).toBe(true);
        for (const owner of [once, pieces, block]) owner.free();
      }),
      propertyRuns(runs / 4),
    );
    const vectors = makeVectors({ shape: 'normal', rows: 100, dim: 8, seed: 1 });
    const [one, two] = [1, 2].map((seed) => build(kernel, { dim: 8, metric: 'L2', seed }, vectors).save());
    expect(Buffer.from(one!).equals(two!)).toBe(false);
  });

  test('open(save(index)) has the same bytes and hits, and grows the same way', async () => {
    const [kernel, other] = [await freshKernel(build_), await freshKernel(build_)];
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, metric, kind, m, efConstruction, k, ef, linked, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const more = makeVectors({ shape, rows: 20, dim, seed: seed ^ 3 });
        const index = build(kernel, { dim, metric, m, efConstruction, ...kind }, vectors, linked);
        const opened = openHnsw(other, index.save());
        expect([opened.rows, opened.linked, opened.metric, opened.dim]).toEqual([rows, index.linked, metric, dim]);
        const all = [vectors];
        for (const both of [0, 1]) {
          const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 77 ^ both });
          expect(opened.search({ query, k, ef, plan: 'walk' })).toEqual(index.search({ query, k, ef, plan: 'walk' }));
          all.push(more);
          for (const [each, home] of [
            [index, kernel],
            [opened, other],
          ] as const) {
            each.add(more);
            const block = blockOf(home, dim, all[0]!);
            for (const part of all.slice(1)) block.append(part);
            while (each.linked < each.rows) each.buildStep(50, block);
            block.free();
          }
          expect(Buffer.from(opened.save()).equals(index.save())).toBe(true);
        }
        index.free();
        opened.free();
      }),
      propertyRuns(runs / 4),
    );
    expect(kernel.usedBytes + other.usedBytes).toBe(0);
  });
});
