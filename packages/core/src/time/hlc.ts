import { assert } from '../errors/assert.ts';
import type { Clock } from '../ports/clock.ts';
import { TICKS_PER_MS, type Timestamp } from './timestamp.ts';

/** A stamp further ahead of the wall clock than this is nobody's honest time: a leader bounces it (R9). */
export const MAX_AHEAD_MS: number = 5 * 60 * 1000;

export interface Hlc {
  /** The highest timestamp given out or followed; 0 before the first. Persist it and give it back as `last`. */
  readonly last: Timestamp;
  /** A new timestamp, greater than every one given out or followed before: `max(nowMs * 2048, last + 1)`. */
  next(): Timestamp;
  /**
   * Follows a timestamp seen in a record or a manifest of a log (R10), whatever this clock says: R9 let it in, and a write that saw it must win
   * over it. Never to be called with a stamp that is in no log yet.
   */
  observe(timestamp: Timestamp): void;
}

/** A hybrid logical clock (Kulkarni et al. 2014) over the wall clock; see `Timestamp`. */
export function createHlc(options: { readonly clock: Clock; readonly last?: number }): Hlc {
  const { clock } = options;
  let last = asTimestamp(options.last ?? 0);
  return {
    get last(): Timestamp {
      return last;
    },
    next(): Timestamp {
      last = asTimestamp(Math.max(Math.floor(clock.nowMs()) * TICKS_PER_MS, last + 1));
      return last;
    },
    observe(timestamp: Timestamp): void {
      if (timestamp > last) last = asTimestamp(timestamp);
    },
  };
}

/** More than MAX_AHEAD_MS ahead of this wall clock. */
export function isTooFarAhead(timestamp: Timestamp, nowMs: number): boolean {
  return timestamp > (Math.floor(nowMs) + MAX_AHEAD_MS) * TICKS_PER_MS;
}

/** Any number of 53 bits as a Timestamp; a bug elsewhere if it is not one. */
export function asTimestamp(value: number): Timestamp {
  assert(Number.isSafeInteger(value) && value >= 0, () => `timestamp: a safe integer from 0 expected, got ${value}`);
  return value as Timestamp;
}

/** The first timestamp of a millisecond. */
export function timestampFromMs(ms: number): Timestamp {
  return asTimestamp(Math.floor(ms) * TICKS_PER_MS);
}

/** The milliseconds of a timestamp, without its counter. */
export function timestampToMs(timestamp: Timestamp): number {
  return Math.floor(timestamp / TICKS_PER_MS);
}
