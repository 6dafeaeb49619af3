import { expect, it } from 'vitest';
import { DAYS, lastDays } from './added-per-day.ts';

it('gives days that follow each other, also over a change of the clocks and of the month', () => {
  for (const now of [new Date(2026, 2, 30, 1, 30), new Date(2026, 10, 2, 23, 59), new Date(2024, 2, 1)]) {
    const days = lastDays(now);
    expect(days).toHaveLength(DAYS);
    expect(days.at(-1)!.getDate()).toBe(now.getDate());
    expect(new Set(days.map((day) => day.toDateString())).size).toBe(DAYS);
    expect(days.every((day) => day.getHours() === 0)).toBe(true);
  }
});
