import type { Clock, Rng } from '@terndb/core';

/** The machine's clock and chance, for an adapter that is given none. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export const systemRng: Rng = { nextUint32: () => Math.floor(Math.random() * 2 ** 32) };
