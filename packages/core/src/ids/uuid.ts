import { DbError } from '../errors/db-error.ts';
import type { Clock, Rng } from '../ports/clock.ts';

function hex32(word: number): string {
  return word.toString(16).padStart(8, '0');
}

/** 128 bits as four unsigned words, most significant first, in the text form of RFC 9562. */
export function formatUuid(a: number, b: number, c: number, d: number): string {
  const [second, third] = [hex32(b), hex32(c)];
  return `${hex32(a)}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${hex32(d)}`;
}

export interface KeyGenerator {
  /** A new key, greater (code units) than every key this generator gave before. */
  next(): string;
}

/** 26 bits: RFC 9562 section 6.2, method 1. */
const COUNTER_LIMIT = 2 ** 26;
/** The highest counter bit starts as 0, so that a millisecond has room for at least 33 million keys. */
const COUNTER_SEED_LIMIT = 2 ** 25;
const MAX_MS = 2 ** 48;

/** What makes keys ascend: a millisecond and a counter within it. */
export interface KeyTick {
  readonly ms: number;
  readonly counter: number;
}

/** The tick after `last` at wall clock `nowMs`. `seed`, 32 random bits, starts the counter of a new millisecond. */
export function nextKeyTick(last: KeyTick, nowMs: number, seed: number): KeyTick {
  if (nowMs <= last.ms && last.counter + 1 < COUNTER_LIMIT) return { ms: last.ms, counter: last.counter + 1 };
  const ms = Math.max(nowMs, last.ms + 1);
  // In the year 10889, or on a device that believes so.
  if (!(ms < MAX_MS)) throw new DbError('INTERNAL', `key generator: 48 bits of milliseconds expected, got ${ms}`);
  return { ms, counter: seed % COUNTER_SEED_LIMIT };
}

/**
 * UUID version 7 (RFC 9562): 48 bits of milliseconds, a 26-bit counter that starts anew at a random value each millisecond (12 bits before,
 * 14 after the variant), 48 random bits. Time-ordered across devices as far as their clocks agree; strictly ascending within one generator,
 * also when the clock stands still, jumps back or the counter overflows (it then carries into the milliseconds).
 */
export function createKeyGenerator(clock: Clock, rng: Rng): KeyGenerator {
  let tick: KeyTick = { ms: -1, counter: 0 };
  return {
    next(): string {
      tick = nextKeyTick(tick, Math.floor(clock.nowMs()), rng.nextUint32());
      const { ms, counter } = tick;
      const b = (ms % 0x10000) * 0x10000 + (0x7000 | (counter >>> 14));
      const c = ((0x80000000 | ((counter & 0x3fff) << 16)) >>> 0) + (rng.nextUint32() >>> 16);
      return formatUuid(Math.floor(ms / 0x10000), b, c, rng.nextUint32());
    },
  };
}
