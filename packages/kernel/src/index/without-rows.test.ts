import { describe, expect, test } from 'vitest';
import { buildLists, openLists } from '../lists/open.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { mixture } from '../testing/vectors.ts';
import type { Kernel, ScanHits } from '../types.ts';
import { createHnsw, openHnsw } from './open.ts';
import type { RescoreOptions } from './types.ts';

/** mixture(seed 3): 2,000 × 384, 40 queries of the same data that are no rows, COSINE, k 10. */
const [dim, rows, k, metric] = [384, 2_000, 10, 'COSINE'] as const;
const all = mixture(rows + 40, dim, 3);
const stored = all.subarray(0, rows * dim);
const queries = Array.from({ length: 40 }, (_, at) => all.slice((rows + at) * dim, (rows + at + 1) * dim));
const floatBytes = rows * dim * 4;

async function truth(): Promise<ScanHits[]> {
  const block = (await freshKernel('kernel.wasm')).createBlock({ dim });
  block.append(stored);
  return queries.map((query) => block.scan({ query, metric, k }));
}

/** Rows of the caller: from a disk, from IndexedDB. */
function fetchRows(offsets: Uint32Array): Float32Array {
  const vectors = new Float32Array(offsets.length * dim);
  for (const [at, offset] of offsets.entries()) vectors.set(stored.subarray(offset * dim, (offset + 1) * dim), at * dim);
  return vectors;
}

function recall(found: readonly ScanHits[], best: readonly ScanHits[]): number {
  const hits = found.map(({ offsets }, at) => offsets.filter((offset) => best[at]!.offsets.includes(offset)).length);
  return hits.reduce((sum, count) => sum + count, 0) / (best.length * k);
}

interface Searched {
  search(options: { query: Float32Array; k: number; ef?: number; candidates?: number }): ScanHits;
  rescore(options: RescoreOptions): ScanHits;
}

/** Candidates by codes alone, scored again from rows that were fetched. */
function rescored(index: Searched, candidates: number): ScanHits[] {
  return queries.map((query) => {
    const { offsets } = index.search({ query, k: candidates, ef: 100 });
    return index.rescore({ query, k, offsets, vectors: fetchRows(offsets) });
  });
}

describe.each(BUILDS)('without float32 rows in memory (%s)', (build) => {
  test.each([
    { codes: 'sq8', residual: false, bytesPerRow: 525, floor: 0.99 },
    { codes: 'sq8', residual: true, bytesPerRow: 909, floor: 0.99 },
    { codes: 'b1', residual: false, bytesPerRow: 202, floor: 0.95 },
  ] as const)(
    'a graph with $codes (residual: $residual) is searched in $bytesPerRow bytes a row',
    async ({ codes, residual, bytesPerRow, floor }) => {
      const builder = await freshKernel('kernel.wasm');
      const block = builder.createBlock({ dim });
      block.append(stored);
      const made = createHnsw(builder, { dim, metric, codes, residual, efConstruction: 100 });
      made.addFrom(block);
      made.buildStep(rows, block);

      const kernel = await freshKernel(build);
      const index = openHnsw(kernel, made.save());
      expect(kernel.usedBytes / rows).toBeLessThan(bytesPerRow);
      expect(kernel.usedBytes).toBeLessThan(floatBytes * 0.6);
      const best = await truth();
      const found = rescored(index, 50);
      expect(recall(found, best)).toBeGreaterThanOrEqual(floor);
      expectExact(found, best);
      if (residual) {
        const byResidual = queries.map((query) => index.search({ query, k, ef: 100, candidates: 100 }));
        expect(recall(byResidual, best)).toBeGreaterThanOrEqual(0.99);
      }
      expect(kernel.usedBytes / rows).toBeLessThan(bytesPerRow); // fetched rows are given back
    },
  );

  test('codes are taken in piece by piece: no float32 row stays', async () => {
    const kernel = await freshKernel(build);
    const index = createHnsw(kernel, { dim, metric, capacity: rows, efConstruction: 40, rotate: true, residual: true });
    for (let row = 0; row < rows; row += 250) index.add(stored.subarray(row * dim, (row + 250) * dim));
    index.buildStep(rows);
    expect(kernel.usedBytes / rows).toBeLessThan(909);
    expect(recall(rescored(index, 50), await truth())).toBeGreaterThanOrEqual(0.99);
  });

  test('a flat scan of one-bit codes takes 64 bytes a row', async () => {
    const kernel = await freshKernel(build);
    const index = openLists(kernel, await oneBitScan());
    expect(kernel.usedBytes / rows).toBeLessThan(67); // one centroid
    const best = await truth();
    const found = rescored(index, 100);
    expect(recall(found, best)).toBeGreaterThanOrEqual(0.95);
    expectExact(found, best);
  });
});

async function oneBitScan(): Promise<Uint8Array> {
  const kernel: Kernel = await freshKernel('kernel.wasm');
  const block = kernel.createBlock({ dim });
  block.append(stored);
  const building = buildLists(kernel, { block, metric, codes: 'b1', lists: 1 });
  while (!building.step(rows).done);
  return building.finish().save();
}

/** A row that both found has the same score, to the last bit. */
function expectExact(found: readonly ScanHits[], best: readonly ScanHits[]): void {
  for (const [at, hits] of found.entries()) {
    const scores = new Map(Array.from(best[at]!.offsets, (offset, place) => [offset, best[at]!.scores[place]]));
    for (const [place, offset] of hits.offsets.entries()) expect(hits.scores[place]).toBe(scores.get(offset) ?? hits.scores[place]);
  }
}
