import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILDS, freshKernel } from './testing/builds.ts';
import { oracleHits, oracleScore } from './testing/oracle.ts';
import { propertyRuns } from './testing/seed.ts';
import { createUniform, makeVectors, SHAPES, type Shape } from './testing/vectors.ts';
import type { Metric } from './types.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];
/** Odd ones, ones around the widths of registers and codes, and those of real models. */
const DIMS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 384, 385, 768, 1536, 2047, 2048];

const dims = fc.oneof(fc.constantFrom(...DIMS), fc.integer({ min: 1, max: 200 }));
const shapes: fc.Arbitrary<Shape> = fc.constantFrom(...SHAPES);
/** Usually absent: an option that cuts nearly everything away leaves little to compare. */
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const share = fc.double({ min: 0, max: 1, noNaN: true });

const cases = fc.record({
  dim: dims,
  rows: fc.oneof({ weight: 1, arbitrary: fc.integer({ min: 0, max: 12 }) }, { weight: 4, arbitrary: fc.integer({ min: 40, max: 200 }) }),
  shape: shapes,
  queryShape: shapes,
  metric: fc.constantFrom(...METRICS),
  k: fc.constantFrom(0, 1, 1, 2, 3, 5, 10, 10, 10, 20, 64, 250),
  density: rarely(fc.constantFrom(0, 0.02, 0.5, 1)),
  highWater: rarely(fc.double({ min: 0, max: 1.2, noNaN: true })),
  low: rarely(share),
  high: rarely(share),
  fromRow: fc.boolean(),
  seed: fc.integer(),
});

/** One of the given scores, so that bounds fall on scores exactly. */
function scoreAt(sorted: readonly number[], share: number | undefined): number | undefined {
  return share === undefined ? undefined : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function makeBitmap(rows: number, density: number | undefined, seed: number): Uint32Array | undefined {
  if (density === undefined) return undefined;
  const uniform = createUniform(seed ^ 0x5bd1e995);
  const bitmap = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row++) if (uniform() < density) bitmap[row >> 5]! |= 1 << (row & 31);
  return bitmap;
}

describe.each(BUILDS)('scan (%s)', { timeout: 120_000 }, (build) => {
  test('returns exactly the best rows by the kernel’s own scores, with and without screening', async () => {
    const kernel = await freshKernel(build);
    let hits = 0;
    fc.assert(
      fc.property(cases, ({ dim, rows, shape, queryShape, metric, k, density, highWater, low, high, fromRow, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = fromRow && rows > 0 ? vectors.slice(0, dim) : makeVectors({ shape: queryShape, rows: 1, dim, seed: seed ^ 77 });
        const [plain, screened] = [false, true].map((screen) => {
          const block = kernel.createBlock({ dim, screen, capacity: 1 });
          block.append(vectors);
          return block;
        });
        const scores = plain!.scores({ query, metric, offsets: Uint32Array.from({ length: rows }, (_, offset) => offset) });
        const sorted = [...scores].sort((a, b) => a - b);
        const [minScore, maxScore, bitmap] = [scoreAt(sorted, low), scoreAt(sorted, high), makeBitmap(rows, density, seed)];
        const options = {
          query,
          metric,
          k,
          ...(highWater === undefined ? {} : { rows: Math.floor(highWater * rows) }),
          ...(bitmap && { bitmap }),
          ...(minScore === undefined ? {} : { minScore }),
          ...(maxScore === undefined ? {} : { maxScore }),
        };
        const wanted = oracleHits(scores, options);
        for (const block of [plain!, screened!]) {
          const found = block.scan(options);
          expect([...found.offsets]).toEqual(wanted.offsets);
          expect([...found.scores]).toEqual(wanted.scores);
          block.free();
        }
        hits += wanted.offsets.length;
      }),
      propertyRuns(build === 'kernel.wasm' ? 1500 : 500),
    );
    expect(hits).toBeGreaterThan(200);
    expect(kernel.usedBytes).toBe(0);
  });

  test('scores agree with float64 arithmetic within float32’s error', async () => {
    const kernel = await freshKernel(build);
    const ordinary = fc.constantFrom<Shape>('normal', 'coarse', 'sparse', 'mixed', 'offset', 'duplicates');
    const inputs = fc.record({ dim: dims, shape: ordinary, metric: fc.constantFrom(...METRICS), seed: fc.integer() });
    fc.assert(
      fc.property(inputs, ({ dim, shape, metric, seed }) => {
        const rows = 9;
        const vectors = makeVectors({ shape, rows, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 99 });
        const block = kernel.createBlock({ dim });
        block.append(vectors);
        const offsets = Uint32Array.from({ length: rows }, (_, offset) => offset);
        block.scores({ query, metric, offsets }).forEach((score, offset) => {
          const wanted = oracleScore(metric, query, vectors.subarray(offset * dim, (offset + 1) * dim));
          expect(Math.abs(score - wanted.score)).toBeLessThanOrEqual(wanted.magnitude * (dim + 8) * 2 ** -23 + 1e-30);
        });
        block.free();
      }),
      propertyRuns(200),
    );
  });

  test('a row scores the same wherever it lies and however it is reached', async () => {
    const kernel = await freshKernel(build);
    fc.assert(
      fc.property(dims, shapes, fc.constantFrom(...METRICS), fc.integer(), (dim, shape, metric, seed) => {
        const row = makeVectors({ shape, rows: 1, dim, seed });
        const query = makeVectors({ shape, rows: 1, dim, seed: seed ^ 5 });
        const filler = makeVectors({ shape: 'normal', rows: 13, dim, seed: seed ^ 6 });
        const block = kernel.createBlock({ dim });
        for (let offset = 0; offset < 7; offset++) {
          block.append(row);
          block.append(filler.subarray(0, offset * dim));
        }
        const places = Array.from({ length: 7 }, (_, index) => index + (index * (index - 1)) / 2);
        const seen = new Set(block.scores({ query, metric, offsets: Uint32Array.from(places) }));
        const all = block.scan({ query, metric, k: block.rows });
        all.offsets.forEach((offset, index) => {
          if (places.includes(offset)) seen.add(all.scores[index]!);
        });
        for (const place of places) {
          const bitmap = new Uint32Array(1 + (place >> 5));
          bitmap[place >> 5] = 1 << (place & 31);
          const found = block.scan({ query, metric, k: 1, bitmap });
          expect([...found.offsets]).toEqual([place]);
          seen.add(found.scores[0]!);
        }
        expect(seen.size).toBe(1);
        block.free();
      }),
      propertyRuns(150),
    );
  });
});
