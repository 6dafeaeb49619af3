import { createHnsw } from '../index/open.ts';
import { buildLists } from '../lists/open.ts';
import type { Kernel } from '../types.ts';
import { createUniform } from './vectors.ts';

const DIM = 17;

/** The index whose bytes are stored in `src/index/fixtures/hnsw-1.bin`: coded, rotated, with residual codes, 50 of 60 rows linked. */
export function fixtureIndex(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const index = createHnsw(kernel, { dim: DIM, metric: 'L2', m: 3, efConstruction: 30, seed: 7, residual: true, rotate: true });
  const uniform = createUniform(11);
  index.add(Float32Array.from({ length: 60 * DIM }, () => uniform() * 2 - 1));
  index.buildStep(50);
  const bytes = index.save();
  index.free();
  return bytes;
}

/** Of the stored bytes, for where no file can be read. */
export const FIXTURE_SHA256 = '3ee698307341ec161324cb856633e977ee3da484986af640c7246a972e00097e';

/** That of `src/index/fixtures/hnsw-2.bin`: one-bit codes, 50 of 60 rows linked. */
export function fixtureOneBit(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const uniform = createUniform(13);
  const block = kernel.createBlock({ dim: DIM });
  block.append(Float32Array.from({ length: 60 * DIM }, () => uniform() * 2 - 1));
  const index = createHnsw(kernel, { dim: DIM, metric: 'COSINE', m: 3, efConstruction: 30, seed: 7, codes: 'b1' });
  index.addFrom(block);
  index.buildStep(50, block);
  const bytes = index.save();
  index.free();
  block.free();
  return bytes;
}

export const ONE_BIT_FIXTURE_SHA256 = 'e8cd958c59b1b2fc720de8ccfeb97b59fec832c45acb7b05772948ce7453c1c3';

/** The index whose bytes are stored in `src/lists/fixtures/ivf-1.bin`: one-bit codes of 70 rows in 4 lists. */
export function fixtureLists(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const uniform = createUniform(12);
  const block = kernel.createBlock({ dim: DIM });
  block.append(Float32Array.from({ length: 70 * DIM }, () => uniform() * 2 - 1));
  const build = buildLists(kernel, { block, metric: 'L2', codes: 'b1', lists: 4, seed: 7 });
  while (!build.step(1000).done);
  const index = build.finish();
  const bytes = index.save();
  index.free();
  block.free();
  return bytes;
}

export const LISTS_FIXTURE_SHA256 = '2b87c34c2690789c14e466a241e13ea3740bdc6ce8ee89904afbc23d2048a825';
