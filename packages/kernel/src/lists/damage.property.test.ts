import { expect } from 'vitest';
import { describeDamage } from '../testing/damage-suite.ts';
import { makeVectors } from '../testing/vectors.ts';
import type { Kernel } from '../types.ts';
import { CHECKED_FROM, CHECKSUM_AT, HEADER_BYTES } from './layout.ts';
import { buildLists, openLists } from './open.ts';
import type { ListIndex, ListOptions } from './types.ts';

const dim = 9;
const query = makeVectors({ shape: 'normal', rows: 1, dim, seed: 9 });
const variants: readonly (Omit<ListOptions, 'block'> & { rows: number })[] = [
  { metric: 'IP', codes: 'b1', lists: 4, rows: 70 },
  { metric: 'COSINE', codes: 'none', lists: 5, rows: 90 },
  { metric: 'L2', codes: 'sq8', lists: 3, rows: 60 },
  { metric: 'L2', codes: 'b1', rows: 0 },
];

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

function use(kernel: Kernel, index: ListIndex): void {
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
}

describeDamage({
  name: 'list index',
  header: { bytes: HEADER_BYTES, checksumAt: CHECKSUM_AT, checkedFrom: CHECKED_FROM },
  savedBy,
  open: openLists,
  use,
});
