import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { homeOf } from '../kernel.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { damaged, damages } from '../testing/damage.ts';
import { propertyRuns } from '../testing/seed.ts';
import { makeVectors } from '../testing/vectors.ts';
import type { Kernel, Metric } from '../types.ts';
import { CHECKED_FROM, CHECKSUM_AT, HEADER_BYTES } from './layout.ts';
import { createHnsw, openHnsw } from './open.ts';
import type { HnswOptions } from './types.ts';

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

/** As a writer of wrong bytes would: with the right checksum. */
function withChecksum(kernel: Kernel, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length < HEADER_BYTES) return bytes;
  const { arena, wasm } = homeOf(kernel);
  const region = arena.allocate(bytes.length);
  const inside = arena.u8(region.address, bytes.length);
  inside.set(bytes);
  wasm.writeChecksum(region.address + CHECKED_FROM, bytes.length - CHECKED_FROM, region.address + CHECKSUM_AT);
  const out = inside.slice();
  arena.release(region);
  return out;
}

/** True when it opened; then every kind of use must work. */
function opensAndWorks(kernel: Kernel, bytes: Uint8Array): boolean {
  let index: ReturnType<typeof openHnsw>;
  try {
    index = openHnsw(kernel, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    expect((error as KernelError).code).toBe('INDEX_CORRUPT');
    return false;
  }
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
  return true;
}

const damage = damages(HEADER_BYTES / 4);

describe.each(BUILDS)('damaged index bytes (%s)', { timeout: 240_000 }, (build) => {
  test('are refused as INDEX_CORRUPT when any byte differs', async () => {
    const kernel = await freshKernel(build);
    const saved = savedBy(kernel);
    fc.assert(
      fc.property(fc.nat(saved.length - 1), fc.nat(saved.length - 1), damage, (which, other, how) => {
        const bytes = damaged(saved[which]!, saved[other]!, how);
        fc.pre(!Buffer.from(bytes).equals(saved[which]!));
        expect(opensAndWorks(kernel, bytes)).toBe(false);
      }),
      propertyRuns(1500),
    );
    expect(kernel.usedBytes).toBe(0);
  });

  test('with a right checksum are refused or searched without reading out of range', async () => {
    const kernel = await freshKernel(build);
    const saved = savedBy(kernel);
    let opened = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(saved.length - 1), fc.nat(saved.length - 1), damage, (which, other, how) => {
        if (opensAndWorks(kernel, withChecksum(kernel, damaged(saved[which]!, saved[other]!, how)))) opened++;
        else refused++;
      }),
      propertyRuns(3000),
    );
    expect(opened).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(200);
    expect(kernel.usedBytes).toBe(0);
  });

  test('every word of the header matters, and every wrong link is found', async () => {
    const kernel = await freshKernel(build);
    const bytes = savedBy(kernel)[0]!;
    for (const saved of savedBy(kernel)) expect(opensAndWorks(kernel, saved)).toBe(true);
    for (let word = 2; word < HEADER_BYTES / 4; word++) {
      const changed = bytes.slice();
      new Uint32Array(changed.buffer)[word]! ^= 0x40;
      expect(opensAndWorks(kernel, changed), `word ${word}`).toBe(false);
    }
    for (let byte = HEADER_BYTES; byte < bytes.length; byte += 1) {
      const changed = bytes.slice();
      changed[byte]! ^= 0x10;
      expect(opensAndWorks(kernel, changed), `byte ${byte}`).toBe(false);
    }
  });
});

test('the metrics of an opened index are those it was saved with', async () => {
  const kernel = await freshKernel('kernel.wasm');
  for (const metric of ['COSINE', 'IP', 'L2'] satisfies Metric[]) {
    const index = createHnsw(kernel, { dim, metric });
    expect(openHnsw(kernel, index.save()).metric).toBe(metric);
  }
});
