import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHnsw } from '../index/open.ts';
import { makeBitmap } from '../testing/bitmap.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { propertyRuns } from '../testing/seed.ts';
import { createUniform, makeVectors, type Shape } from '../testing/vectors.ts';
import type { Metric } from '../types.ts';
import {
  decodeElements,
  type ElementType,
  encodeElements,
  fromBfloat16,
  fromFloat16,
  fromInt8,
  toBfloat16,
  toFloat16,
  toInt8,
} from './elements.ts';

const METRICS: readonly Metric[] = ['COSINE', 'IP', 'L2'];
const ELEMENTS: readonly ElementType[] = ['float16', 'bfloat16', 'int8'];
const DIMS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 384, 385, 2047, 2048];

/** float32 of every size, and those near the limits of float16. */
const floats = fc.oneof(
  fc.float({ noNaN: true }),
  fc.float({ min: -70_000, max: 70_000, noNaN: true }),
  fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
  fc.constantFrom(
    0,
    -0,
    65_504,
    65_519,
    65_520,
    2 ** -24,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -14,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    127.5,
    -128.5,
    2.5,
  ),
);

/** The neighbour that is nearest, the even one when both are; by exact arithmetic. `step` counts bit patterns of one sign. */
function nearest(value: number, below: number, low: number, high: number): number {
  const [down, up] = [Math.abs(value) - low, high - Math.abs(value)];
  return down < up || (down === up && below % 2 === 0) ? below : below + 1;
}

describe('conversions', () => {
  test('every float16 comes back from float32 as it was', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const back = toFloat16(fromFloat16(all));
    for (const half of all) {
      const isNaN_ = (half & 0x7fff) > 0x7c00;
      if (isNaN_ ? (back[half]! & 0x7fff) <= 0x7c00 : back[half] !== half) throw new Error(`${half} became ${back[half]}`);
    }
  });

  test('every bfloat16 comes back from float32 as it was', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, index) => index).filter((half) => (half & 0x7fff) <= 0x7f80);
    expect(toBfloat16(fromBfloat16(all))).toEqual(all);
    expect(fromBfloat16(toBfloat16(Float32Array.of(Number.NaN)))[0]).toBeNaN();
  });

  test('float16 is the nearest one, halves to even', () => {
    fc.assert(
      fc.property(floats, (value) => {
        const half = toFloat16(Float32Array.of(value))[0]!;
        expect(half >>> 15).toBe(Object.is(Math.sign(value), -0) || value < 0 ? 1 : 0);
        const magnitude = half & 0x7fff;
        if (Math.abs(value) >= 65_520) {
          expect(magnitude).toBe(0x7c00);
          return;
        }
        const [low, high] = [Math.max(0, magnitude - 1), magnitude + 1].map((bits) => fromFloat16(Uint16Array.of(bits))[0]!);
        const own = fromFloat16(Uint16Array.of(magnitude))[0]!;
        const below = own <= Math.abs(value) ? magnitude : magnitude - 1;
        const [from, to] = below === magnitude ? [own, high === Infinity ? 65_536 : high!] : [low!, own];
        expect(magnitude).toBe(nearest(value, below, from, to));
      }),
      propertyRuns(5000),
    );
  });

  test('bfloat16 is the nearest one, halves to even', () => {
    fc.assert(
      fc.property(floats, (value) => {
        const half = toBfloat16(Float32Array.of(value))[0]!;
        const below = new Uint32Array(Float32Array.of(Math.abs(value)).buffer)[0]! >>> 16;
        const [low, high] = fromBfloat16(Uint16Array.of(below, below + 1));
        if (!(high! < Infinity)) return;
        expect(half & 0x7fff).toBe(nearest(value, below, low!, high!));
      }),
      propertyRuns(5000),
    );
  });

  test('int8 is the nearest whole number in reach, halves to even, NaN 0', () => {
    expect([...toInt8(Float32Array.of(0.5, 1.5, 2.5, -0.5, -1.5, 127.4, 200, -300, Number.NaN, -Infinity))]).toEqual([
      0, 2, 2, 0, -2, 127, 127, -128, 0, -128,
    ]);
    expect([...fromInt8(Int8Array.of(-128, 0, 127))]).toEqual([-128, 0, 127]);
  });
});

const cases = fc.record({
  dim: fc.oneof(fc.constantFrom(...DIMS), fc.integer({ min: 1, max: 100 })),
  rows: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 30, max: 150 })),
  elements: fc.constantFrom(...ELEMENTS),
  shape: fc.constantFrom<Shape>('normal', 'coarse', 'sparse', 'tiny', 'mixed', 'offset', 'duplicates', 'ones'),
  metric: fc.constantFrom(...METRICS),
  k: fc.constantFrom(0, 1, 3, 10, 200),
  density: fc.constantFrom(undefined, undefined, 0, 0.1, 0.6, 1),
  cut: fc.integer({ min: 1, max: 900 }),
  seed: fc.integer(),
});

describe.each(BUILDS)('rows of other elements (%s)', { timeout: 240_000 }, (build) => {
  test('score, to the last bit, what float32 rows of the same values score, however they were appended', async () => {
    const kernel = await freshKernel(build);
    let hits = 0;
    fc.assert(
      fc.property(cases, ({ dim, rows, elements, shape, metric, k, density, cut, seed }) => {
        const vectors = makeVectors({ shape, rows, dim, seed });
        if (elements === 'int8') for (let at = 0; at < vectors.length; at++) vectors[at]! *= 100;
        const bytes = encodeElements(elements, vectors);
        const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: seed ^ 77 });
        const bitmap = density === undefined ? undefined : makeBitmap(rows, density, seed);
        const wide = kernel.createBlock({ dim, screen: false });
        wide.append(decodeElements(elements, bytes));
        const [appended, loaded] = [0, 1].map(() => kernel.createBlock({ dim, elements, capacity: 1 }));
        appended!.append(vectors);
        for (let from = 0; from < bytes.length; from += cut) loaded!.appendBytes(bytes.subarray(from, from + cut));
        const options = { query, metric, k, ...(bitmap && { bitmap }) };
        const offsets = Uint32Array.from({ length: rows }, (_, row) => rows - 1 - row);
        for (const block of [appended!, loaded!]) {
          expect(block.rows).toBe(rows);
          expect(block.scan(options)).toEqual(wide.scan(options));
          expect(block.scores({ query, metric, offsets })).toEqual(wide.scores({ query, metric, offsets }));
          if (rows > 0) expect(block.row(rows - 1)).toEqual(wide.row(rows - 1));
        }
        hits += wide.scan(options).offsets.length;
        for (const block of [wide, appended!, loaded!]) block.free();
      }),
      propertyRuns(build === 'kernel.wasm' ? 800 : 250),
    );
    expect(hits).toBeGreaterThan(500);
    expect(kernel.usedBytes).toBe(0);
  });

  test('feed and re-rank a graph as their float32 values do', async () => {
    const kernel = await freshKernel(build);
    for (const elements of ELEMENTS) {
      const [dim, rows] = [45, 300];
      const vectors = makeVectors({ shape: 'normal', rows, dim, seed: 3 }).map((value) => value * 100);
      const narrow = kernel.createBlock({ dim, elements });
      narrow.append(vectors);
      const wide = kernel.createBlock({ dim });
      wide.append(decodeElements(elements, encodeElements(elements, vectors)));
      const indexes = [narrow, wide].map((block) => {
        const index = createHnsw(kernel, { dim, metric: 'COSINE', m: 4, efConstruction: 40 });
        index.addFrom(block);
        index.buildStep(rows);
        return index;
      });
      const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: 8 });
      expect(Buffer.from(indexes[0]!.save()).equals(indexes[1]!.save())).toBe(true);
      const found = indexes[0]!.search({ query, k: 10, plan: 'walk', block: narrow });
      expect(found).toEqual(indexes[1]!.search({ query, k: 10, plan: 'walk', block: wide }));
      expect(found.offsets.length).toBe(10);
    }
  });

  test('of any bytes are scanned without harm', async () => {
    const kernel = await freshKernel(build);
    fc.assert(
      fc.property(cases, ({ dim, rows, elements, metric, k, seed }) => {
        const uniform = createUniform(seed);
        const block = kernel.createBlock({ dim, elements });
        const rowBytes = dim * (elements === 'int8' ? 1 : 2);
        block.appendBytes(Uint8Array.from({ length: rows * rowBytes }, () => uniform() * 256));
        const query = makeVectors({ shape: 'normal', rows: 1, dim, seed });
        const { offsets, scores } = block.scan({ query, metric, k });
        expect(offsets.length).toBe(Math.min(k, rows));
        expect(scores.some(Number.isNaN)).toBe(false);
        block.free();
      }),
      propertyRuns(150),
    );
  });

  test('are refused when unknown, and when screening is asked of them', async () => {
    const kernel = await freshKernel(build);
    expect(() => kernel.createBlock({ dim: 4, elements: 'float64' as 'int8' })).toThrow(/float64/);
    expect(() => kernel.createBlock({ dim: 4, elements: 'toString' as 'int8' })).toThrow(/toString/);
    expect(() => kernel.createBlock({ dim: 400, elements: 'int8', screen: true })).toThrow(/screening/);
  });
});
