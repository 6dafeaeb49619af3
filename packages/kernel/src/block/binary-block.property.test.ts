import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KernelError } from '../errors.ts';
import { isSet, makeBitmap } from '../testing/bitmap.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { propertyRuns } from '../testing/seed.ts';
import { createUniform } from '../testing/vectors.ts';
import type { BinaryMetric } from '../types.ts';

const METRICS: readonly BinaryMetric[] = ['HAMMING', 'JACCARD'];

/** Some rows are empty, some full, some copies; `density` of the others' bits is set. */
function makeRows(rows: number, rowBytes: number, density: number, seed: number): Uint8Array {
  const uniform = createUniform(seed);
  const out = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const kind = uniform();
    const [from, to] = [row * rowBytes, (row + 1) * rowBytes];
    if (kind < 0.05) continue;
    if (kind < 0.1) out.fill(255, from, to);
    else if (kind < 0.25 && row > 0) out.copyWithin(from, Math.floor(uniform() * row) * rowBytes, Math.floor(uniform() * row) * rowBytes);
    else for (let at = from; at < to; at++) for (let bit = 0; bit < 8; bit++) if (uniform() < density) out[at]! |= 1 << bit;
  }
  return out;
}

function count(byte: number): number {
  let set = 0;
  for (let bits = byte; bits > 0; bits >>= 1) set += bits & 1;
  return set;
}

/** The definition, bit by bit. */
function oracleScore(metric: BinaryMetric, query: Uint8Array, row: Uint8Array): number {
  let [differ, both, either] = [0, 0, 0];
  query.forEach((byte, at) => {
    differ += count(byte ^ row[at]!);
    both += count(byte & row[at]!);
    either += count(byte | row[at]!);
  });
  if (metric === 'HAMMING') return 0 - differ;
  return either === 0 ? 0 : 0 - Math.fround((either - both) / either);
}

const cases = fc.record({
  rowBytes: fc.oneof(fc.constantFrom(1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 48, 96, 128, 1000), fc.integer({ min: 1, max: 70 })),
  rows: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 20, max: 120 })),
  density: fc.constantFrom(0, 0.02, 0.5, 0.98),
  metric: fc.constantFrom(...METRICS),
  k: fc.constantFrom(0, 1, 2, 3, 10, 40, 200),
  share: fc.constantFrom(undefined, undefined, undefined, 0, 0.1, 0.6, 1),
  highWater: fc.constantFrom(undefined, undefined, 0, 0.5, 1.5),
  bounds: fc.boolean(),
  cut: fc.integer({ min: 1, max: 300 }),
  seed: fc.integer(),
});

describe.each(BUILDS)('a block of bits (%s)', { timeout: 240_000 }, (build) => {
  test('returns exactly the best rows by definition, equal ones by offset, within bitmap, high-water mark and bounds', async () => {
    const kernel = await freshKernel(build);
    let hits = 0;
    fc.assert(
      fc.property(cases, ({ rowBytes, rows, density, metric, k, share, highWater, bounds, cut, seed }) => {
        const bytes = makeRows(rows, rowBytes, density, seed);
        const query = seed & 1 && rows > 0 ? bytes.slice(0, rowBytes) : makeRows(1, rowBytes, 0.4, seed ^ 5);
        const block = kernel.createBinaryBlock({ dim: rowBytes * 8, capacity: 1 });
        if (seed & 2) block.append(bytes);
        else for (let from = 0; from < bytes.length; from += cut) block.appendBytes(bytes.subarray(from, from + cut));
        const all = Array.from({ length: rows }, (_, row) =>
          oracleScore(metric, query, bytes.subarray(row * rowBytes, (row + 1) * rowBytes)),
        );
        expect([...block.scores({ query, metric, offsets: Uint32Array.from(all.keys()) })]).toEqual(all);
        const bitmap = share === undefined ? undefined : makeBitmap(rows, share, seed);
        const limit = highWater === undefined ? rows : Math.floor(highWater * rows);
        const [low, high] = bounds && rows > 1 ? [Math.min(all[0]!, all[1]!), Math.max(all[0]!, all[1]!)] : [-Infinity, undefined];
        const wanted = [...all.keys()]
          .filter((row) => row < limit && isSet(bitmap, row) && all[row]! >= low && (high === undefined || all[row]! < high))
          .sort((a, b) => all[b]! - all[a]! || a - b)
          .slice(0, k);
        const found = block.scan({
          query,
          metric,
          k,
          rows: limit,
          minScore: low,
          ...(bitmap && { bitmap }),
          ...(high === undefined ? {} : { maxScore: high }),
        });
        expect([...found.offsets]).toEqual(wanted);
        expect([...found.scores]).toEqual(wanted.map((row) => all[row]!));
        if (rows > 0) expect(block.row(rows - 1)).toEqual(bytes.slice((rows - 1) * rowBytes));
        hits += wanted.length;
        block.free();
      }),
      propertyRuns(build === 'kernel.wasm' ? 1000 : 300),
    );
    expect(hits).toBeGreaterThan(500);
    expect(kernel.usedBytes).toBe(0);
  });

  test('counts the bits of the longest rows', async () => {
    const block = (await freshKernel(build)).createBinaryBlock({ dim: 262_144 });
    const [full, empty] = [new Uint8Array(32_768).fill(255), new Uint8Array(32_768)];
    block.append(full);
    block.append(empty);
    expect([...block.scan({ query: empty, metric: 'HAMMING', k: 2 }).scores]).toEqual([0, -262_144]);
    expect([...block.scan({ query: full, metric: 'JACCARD', k: 2 }).scores]).toEqual([0, -1]);
  });

  test('takes 4 bytes and its padded bits a row', async () => {
    const block = (await freshKernel(build)).createBinaryBlock({ dim: 384, capacity: 1000 });
    expect(block.bytes).toBeLessThanOrEqual(1000 * (48 + 4) + 128);
  });

  test('refuses bad input with a typed error', async () => {
    const kernel = await freshKernel(build);
    const block = kernel.createBinaryBlock({ dim: 16 });
    block.append(Uint8Array.of(1, 2));
    const codeOf = (action: () => unknown): unknown => {
      try {
        return action();
      } catch (error) {
        return (error as KernelError).code;
      }
    };
    const good = { query: Uint8Array.of(1, 2), metric: 'HAMMING', k: 1 } as const;
    expect(codeOf(() => block.append(Uint8Array.of(1)))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => block.scan({ ...good, query: Uint8Array.of(1) }))).toBe('DIMENSION_MISMATCH');
    expect(codeOf(() => block.scan({ ...good, metric: 'L2' as 'HAMMING' }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.scan({ ...good, k: -1 }))).toBe('QUERY_INVALID');
    expect(codeOf(() => block.row(1))).toBe('OPTION_INVALID');
    for (const dim of [0, 4, 12, 262_152]) expect(codeOf(() => kernel.createBinaryBlock({ dim }))).toBe('OPTION_INVALID');
    block.appendBytes(Uint8Array.of(7));
    expect(codeOf(() => block.append(Uint8Array.of(1, 2)))).toBe('OPTION_INVALID');
    block.free();
    expect(codeOf(() => block.scan(good))).toBe('INTERNAL');
    expect(kernel.usedBytes).toBe(0);
  });
});
