/** Time comes from outside, so that logic can be simulated. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary start. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`, unless cancelled. Returns the cancel. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Randomness comes from outside, so that one seed repeats a run. */
export interface Rng {
  /** Uniform in [0, 2^32). */
  nextUint32(): number;
}
