import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { seededRng } from './seeded-rng.ts';

describe('ManualClock', () => {
  it('moves only when told to, and runs timers at their time, in order', () => {
    const clock = new ManualClock(1000);
    const ran: string[] = [];
    const note = (name: string) => (): void => {
      ran.push(`${name} at ${clock.nowMs()}`);
    };
    clock.after(20, note('late'));
    clock.after(5, () => {
      note('early')();
      clock.after(5, note('added'));
    });
    clock.after(5, note('early too'));
    const cancel = clock.after(6, note('cancelled'));
    cancel();
    clock.advance(15);
    expect(ran).toEqual(['early at 1005', 'early too at 1005', 'added at 1010']);
    expect([clock.nowMs(), clock.monotonicMs(), clock.pendingTimers]).toEqual([1015, 15, 1]);
  });

  it('lets the wall clock jump without timers or monotonic time noticing', () => {
    const clock = new ManualClock(1000);
    let ran = 0;
    clock.after(10, () => {
      ran += 1;
    });
    clock.jumpTo(5);
    expect([clock.nowMs(), clock.monotonicMs(), ran]).toEqual([5, 0, 0]);
    clock.advance(10);
    expect([clock.nowMs(), ran]).toEqual([15, 1]);
  });
});

describe('seededRng', () => {
  it('repeats from a seed, differs between seeds and fills 32 bits', () => {
    const draw = (seed: number): number[] => {
      const rng = seededRng(seed);
      return Array.from({ length: 1000 }, () => rng.nextUint32());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const values = draw(3);
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length / 2 ** 32;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.55);
    expect(values.reduce((bits, value) => bits | value, 0) >>> 0).toBe(0xffffffff);
  });
});
