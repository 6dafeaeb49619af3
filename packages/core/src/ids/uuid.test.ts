import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DbError } from '../errors/db-error.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { seededRng } from '../testing/seeded-rng.ts';
import { newCatalogId, newClientId, newLogEpoch } from './ids.ts';
import { createKeyGenerator, nextKeyTick } from './uuid.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('createKeyGenerator', () => {
  it('makes version 7 UUIDs that begin with the milliseconds', () => {
    const clock = new ManualClock(0x0123456789ab);
    const key = createKeyGenerator(clock, seededRng(1)).next();
    expect(key).toMatch(UUID_V7);
    expect(key.slice(0, 13)).toBe('01234567-89ab');
  });

  it('ascends strictly whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5000 }), { maxLength: 60 }), fc.integer(), (jumps, seed) => {
        const clock = new ManualClock();
        const generator = createKeyGenerator(clock, seededRng(seed));
        let previous = generator.next();
        for (const jump of jumps) {
          clock.jumpTo(clock.nowMs() + jump);
          const key = generator.next();
          expect(key).toMatch(UUID_V7);
          expect(key > previous).toBe(true);
          previous = key;
        }
      }),
      propertyOptions(200),
    );
  });

  it('starts the counter in the lower half of its range and counts up from there', () => {
    const clock = new ManualClock(1000);
    // All bits set: the counter starts at its highest seed, 2^25 - 1, which leaves room for 2^25 more keys.
    const generator = createKeyGenerator(clock, { nextUint32: () => 0xffffffff });
    const first = generator.next();
    expect(first).toBe('00000000-03e8-77ff-bfff-ffffffffffff');
    expect(generator.next()).toBe('00000000-03e8-7800-8000-ffffffffffff');
  });

  it('carries into the milliseconds when the counter is full, and leaves 48 bits never', () => {
    const full = { ms: 1000, counter: 2 ** 26 - 1 };
    expect(nextKeyTick({ ms: 1000, counter: 2 ** 26 - 2 }, 1000, 5)).toEqual(full);
    expect(nextKeyTick(full, 1000, 5)).toEqual({ ms: 1001, counter: 5 });
    expect(nextKeyTick(full, 900, 0xffffffff)).toEqual({ ms: 1001, counter: 2 ** 25 - 1 });
    expect(nextKeyTick(full, 2000, 5)).toEqual({ ms: 2000, counter: 5 });
    expect(() => nextKeyTick(full, 2 ** 48, 5)).toThrow(DbError);
  });

  it('gives different keys on devices with the same clock', () => {
    const clock = new ManualClock();
    const keys = Array.from({ length: 1000 }, (_, seed) => createKeyGenerator(clock, seededRng(seed)).next());
    expect(new Set(keys).size).toBe(1000);
  });
});

describe('ids', () => {
  it('have their lengths and alphabets, and repeat from a seed', () => {
    expect(newClientId(seededRng(7))).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
    expect(newCatalogId(seededRng(7))).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
    expect(newLogEpoch(seededRng(7))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(newClientId(seededRng(7))).toBe(newClientId(seededRng(7)));
    expect(newClientId(seededRng(7))).not.toBe(newClientId(seededRng(8)));
  });
});
