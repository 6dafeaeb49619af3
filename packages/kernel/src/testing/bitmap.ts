import { createUniform } from './vectors.ts';

/** Longer than needed, with bits set beyond the rows: they mean nothing. */
export function makeBitmap(rows: number, density: number, seed: number): Uint32Array {
  const uniform = createUniform(seed ^ 0x5bd1e995);
  const bitmap = new Uint32Array(Math.ceil(rows / 32) + 1);
  for (let row = 0; row < rows + 20; row++) if (uniform() < density) bitmap[row >> 5]! |= 1 << (row & 31);
  return bitmap;
}

export const isSet = (bitmap: Uint32Array | undefined, row: number): boolean => !bitmap || ((bitmap[row >> 5]! >>> (row & 31)) & 1) === 1;
