import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelError } from '../errors.ts';
import { homeOf } from '../kernel.ts';
import { BUILDS, freshKernel } from '../testing/builds.ts';
import { damaged, damages } from '../testing/damage.ts';
import { propertyRuns } from '../testing/seed.ts';
import { makeVectors } from '../testing/vectors.ts';
import type { Kernel } from '../types.ts';
import { CHECKED_FROM, CHECKSUM_AT, HEADER_BYTES } from './layout.ts';
import { buildLists, openLists } from './open.ts';
import type { ListIndex, ListOptions } from './types.ts';

const dim = 9;
const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: 9 });
const variants: readonly (Omit<ListOptions, 'block'> & { rows: number })[] = [
  { metric: 'COSINE', codes: 'none', lists: 5, rows: 90 },
  { metric: 'L2', codes: 'sq8', lists: 3, rows: 60 },
  { metric: 'IP', codes: 'b1', lists: 4, rows: 70 },
  { metric: 'L2', codes: 'b1', rows: 0 },
];
const damage = damages(HEADER_BYTES / 4);

function savedBy(kernel: Kernel): Uint8Array<ArrayBuffer>[] {
  return variants.map(({ rows, ...options }) => {
    const block = kernel.createBlock({ dim });
    block.append(makeVectors({ shape: 'normal', rows, dim, seed: 4 }));
    const build = buildLists(kernel, { ...options, block });
    while (!build.step(1000).done);
    const index = build.finish();
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

/** True when it opened; then every kind of search must work. */
function opensAndWorks(kernel: Kernel, bytes: Uint8Array): boolean {
  let index: ListIndex;
  try {
    index = openLists(kernel, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(KernelError);
    expect((error as KernelError).code).toBe('INDEX_CORRUPT');
    return false;
  }
  const bitmap = new Uint32Array(Math.ceil(index.rows / 32)).fill(0x55555555);
  const asked = index.dim === dim ? query : new Float32Array(index.dim).fill(0.5);
  const block = kernel.createBlock({ dim: index.dim, capacity: index.rows });
  block.append(new Float32Array(index.rows * index.dim).fill(0.25));
  for (const nprobe of [1, 1000]) {
    for (const extra of [{ block }, { block, candidates: 20 }, ...(index.codes === 'none' ? [] : [{}])]) {
      const { offsets } = index.search({ query: asked, k: 20, nprobe, bitmap, ...extra });
      expect(offsets.every((offset) => offset < index.rows && offset % 2 === 0)).toBe(true);
      expect(new Set(offsets).size).toBe(offsets.length);
    }
  }
  index.free();
  block.free();
  return true;
}

describe.each(BUILDS)('damaged list index bytes (%s)', { timeout: 240_000 }, (build) => {
  test('are refused as INDEX_CORRUPT when any byte differs', async () => {
    const kernel = await freshKernel(build);
    const saved = savedBy(kernel);
    for (const bytes of saved) expect(opensAndWorks(kernel, bytes)).toBe(true);
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
    let [opened, refused] = [0, 0];
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

  test('every byte matters', async () => {
    const kernel = await freshKernel(build);
    const bytes = savedBy(kernel)[2]!;
    for (let byte = 0; byte < bytes.length; byte++) {
      const changed = bytes.slice();
      changed[byte]! ^= 0x10;
      expect(opensAndWorks(kernel, changed), `byte ${byte}`).toBe(false);
    }
  });
});
