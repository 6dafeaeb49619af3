import { assert } from '../errors/assert.ts';
import type { Clock } from '../ports/clock.ts';
import { TICKS_PER_MS, type Timestamp } from './timestamp.ts';

/** A stamp further ahead of the wall clock than this is nobody's honest time: it is not followed (and a leader bounces it, R9). */
export const MAX_AHEAD_MS: number = 5 * 60 * 1000;

export interface Hlc {
  /** The highest timestamp given out or followed; 0 before the first. Persist it and give it back as `last`. */
  readonly last: Timestamp;
  /** A new timestamp, greater than every one given out or followed before: `max(nowMs * 2048, last + 1)`. */
  next(): Timestamp;
  /** Follows a timestamp seen in a record or a manifest (R10). False when it is too far ahead to be followed: nothing changed. */
  observe(timestamp: Timestamp): boolean;
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
    observe(timestamp: Timestamp): boolean {
      if (timestamp <= last) return true;
      if (isTooFarAhead(timestamp, clock.nowMs())) return false;
      last = asTimestamp(timestamp);
      return true;
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
