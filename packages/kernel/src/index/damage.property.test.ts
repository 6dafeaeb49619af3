import { expect, test } from 'vitest';
import { freshKernel } from '../testing/builds.ts';
import { describeDamage } from '../testing/damage-suite.ts';
import { makeVectors } from '../testing/vectors.ts';
import type { Kernel, Metric } from '../types.ts';
import { CHECKED_FROM, CHECKSUM_AT, HEADER_BYTES } from './layout.ts';
import { createHnsw, openHnsw } from './open.ts';
import type { HnswIndex, HnswOptions } from './types.ts';

const dim = 9;
const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: 9 });
const variants: readonly (HnswOptions & { rows: number; linked: number })[] = [
  { dim, metric: 'COSINE', codes: 'f32', m: 2, rows: 90, linked: 90 },
  { dim, metric: 'L2', residual: true, m: 3, rows: 60, linked: 40 },
  { dim, metric: 'IP', m: 4, rows: 1, linked: 1 },
  { dim, metric: 'L2', rotate: true, m: 4, rows: 5, linked: 0 },
  { dim, metric: 'COSINE', codes: 'b1', m: 3, rows: 50, linked: 40 },
];

function savedBy(kernel: Kernel): Uint8Array<ArrayBuffer>[] {
  return variants.map(({ rows, linked, ...options }) => {
    const index = createHnsw(kernel, { ...options, efConstruction: 20 });
    const vectors = makeVectors({ shape: 'normal', rows, dim, seed: 4 });
    const block = kernel.createBlock({ dim });
    block.append(vectors);
    index.add(vectors);
    if (linked > 0) index.buildStep(linked, block);
    const bytes = index.save();
    index.free();
    block.free();
    return bytes;
  });
}

function use(kernel: Kernel, index: HnswIndex): void {
  const bitmap = new Uint32Array(Math.ceil(index.rows / 32)).fill(0x55555555);
  const asked = index.dim === dim ? query : new Float32Array(index.dim).fill(0.5);
  for (const plan of ['walk', 'walkFiltered', 'scan', 'auto'] as const) {
    const { offsets } = index.search({ query: asked, k: 20, plan, bitmap });
    expect(offsets.every((offset) => offset < index.rows)).toBe(true);
  }
  index.add(new Float32Array(index.dim * 3).fill(0.25));
  const block = kernel.createBlock({ dim: index.dim, capacity: index.rows });
  block.append(new Float32Array(index.rows * index.dim).fill(0.5));
  while (index.linked < index.rows) index.buildStep(20, block);
  block.free();
  index.free();
}

describeDamage({
  name: 'graph index',
  header: { bytes: HEADER_BYTES, checksumAt: CHECKSUM_AT, checkedFrom: CHECKED_FROM },
  savedBy,
  open: openHnsw,
  use,
});

test('the metrics of an opened index are those it was saved with', async () => {
  const kernel = await freshKernel('kernel.wasm');
  for (const metric of ['COSINE', 'IP', 'L2'] satisfies Metric[]) {
    const index = createHnsw(kernel, { dim, metric });
    expect(openHnsw(kernel, index.save()).metric).toBe(metric);
  }
});
