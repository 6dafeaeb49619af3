import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../errors/assert.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { propertyOptions } from '../testing/property-options.ts';
import { asTimestamp, createHlc, isTooFarAhead, MAX_AHEAD_MS, timestampFromMs } from './hlc.ts';
import { compareStamps, type Stamp, TICKS_PER_MS } from './timestamp.ts';

const NOW_MS = 1_795_000_000_000;

describe('createHlc', () => {
  it('gives the wall clock while that moves on', () => {
    const clock = new ManualClock(NOW_MS);
    const hlc = createHlc({ clock });
    expect(hlc.next()).toBe(NOW_MS * TICKS_PER_MS);
    clock.advance(3);
    expect(hlc.next()).toBe((NOW_MS + 3) * TICKS_PER_MS);
  });

  it('counts within a millisecond and carries into the next', () => {
    const clock = new ManualClock(NOW_MS);
    const hlc = createHlc({ clock });
    const stamps = Array.from({ length: TICKS_PER_MS + 1 }, () => hlc.next());
    expect(stamps[1]).toBe(NOW_MS * TICKS_PER_MS + 1);
    expect(stamps[TICKS_PER_MS]).toBe((NOW_MS + 1) * TICKS_PER_MS);
    clock.advance(1);
    expect(hlc.next()).toBe((NOW_MS + 1) * TICKS_PER_MS + 1);
  });

  it('goes on above the persisted last when the wall clock was set back', () => {
    const last = timestampFromMs(NOW_MS + 1_000_000);
    const hlc = createHlc({ clock: new ManualClock(NOW_MS), last });
    expect(hlc.next()).toBe(last + 1);
  });

  it('[R10] follows a stamp of the log however far ahead of its own clock it is, and never goes back', () => {
    const hlc = createHlc({ clock: new ManualClock(NOW_MS) });
    const ahead = timestampFromMs(NOW_MS + 24 * 3600_000);
    hlc.observe(ahead);
    expect(hlc.next()).toBe(ahead + 1);
    hlc.observe(timestampFromMs(5));
    expect(hlc.last).toBe(ahead + 1);
  });

  it('[R9] calls a stamp too far ahead that is more than five minutes above the wall clock', () => {
    const limit = timestampFromMs(NOW_MS + MAX_AHEAD_MS);
    expect(isTooFarAhead(limit, NOW_MS)).toBe(false);
    expect(isTooFarAhead(asTimestamp(limit + 1), NOW_MS)).toBe(true);
  });

  it('is strictly monotonic under clock jumps and observations, and above every followed stamp', () => {
    const step = fc.record({ jumpMs: fc.integer({ min: -1e9, max: 1e9 }), aheadTicks: fc.integer({ min: -1e9, max: 2e9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const clock = new ManualClock(NOW_MS);
        const hlc = createHlc({ clock });
        let previous = hlc.next();
        for (const { jumpMs, aheadTicks } of steps) {
          clock.jumpTo(Math.max(1e10, clock.nowMs() + jumpMs));
          const seen = asTimestamp(clock.nowMs() * TICKS_PER_MS + aheadTicks);
          hlc.observe(seen);
          const next = hlc.next();
          expect(next).toBeGreaterThan(previous);
          expect(next).toBeGreaterThan(seen);
          previous = next;
        }
      }),
      propertyOptions(200),
    );
  });

  it('stops rather than leave 53 bits', () => {
    const hlc = createHlc({ clock: new ManualClock(NOW_MS), last: Number.MAX_SAFE_INTEGER });
    expect(() => hlc.next()).toThrow(AssertionError);
    expect(() => createHlc({ clock: new ManualClock(), last: 0.5 })).toThrow(AssertionError);
    expect(() => createHlc({ clock: new ManualClock(2 ** 43) }).next()).toThrow(AssertionError);
  });

  it('is good until the year 2109', () => {
    expect(createHlc({ clock: new ManualClock(Date.UTC(2109, 0, 1)) }).next()).toBeLessThan(Number.MAX_SAFE_INTEGER);
  });
});

describe('compareStamps', () => {
  const stamps = fc.option(fc.record<Stamp>({ hlc: fc.nat(3).map(asTimestamp), clientId: fc.constantFrom('a', 'b', 'B', 'é') }), {
    nil: undefined,
  });

  it('is a total order by timestamp, then client id; nothing is older than everything', () => {
    fc.assert(
      fc.property(stamps, stamps, stamps, (a, b, c) => {
        expect(Math.sign(compareStamps(a, b))).toBe(-Math.sign(compareStamps(b, a)) + 0);
        if (compareStamps(a, b) <= 0 && compareStamps(b, c) <= 0) expect(compareStamps(a, c)).toBeLessThanOrEqual(0);
        if (compareStamps(a, b) === 0) expect(a).toEqual(b);
      }),
      propertyOptions(200),
    );
  });
});
