import { createHnsw } from '../index/open.ts';
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
