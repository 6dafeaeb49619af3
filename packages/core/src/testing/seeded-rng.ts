import type { Rng } from '../ports/clock.ts';

/** A generator whose whole run repeats from one seed: sfc32 (Doty-Humphrey, PractRand; public domain). Not for secrets. */
export function seededRng(seed: number): Rng {
  let a = seed >>> 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  function next(): number {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  }
  // The first outputs still show the seed's bits.
  for (let round = 0; round < 12; round++) next();
  return { nextUint32: next };
}
