import type { Rng } from '@terndb/core';

/** One call of getRandomValues costs about as much as a hundred words; keys are made in batches. */
const POOL_WORDS = 256;

/** Words from the platform's secure generator. */
export function createBrowserRng(): Rng {
  const pool = new Uint32Array(POOL_WORDS);
  let next = POOL_WORDS;
  return {
    nextUint32() {
      if (next === POOL_WORDS) {
        crypto.getRandomValues(pool);
        next = 0;
      }
      return pool[next++]!;
    },
  };
}
