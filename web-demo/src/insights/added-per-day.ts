import type { Passages } from '../library/open-library.ts';

export interface DayCount {
  /** The first moment of the day, here. */
  readonly day: Date;
  readonly added: number;
}

export const DAYS = 14;

/** The last `DAYS` days that end with `now`'s, oldest first. */
export function lastDays(now: Date): readonly Date[] {
  return Array.from({ length: DAYS }, (_, i) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - (DAYS - 1 - i)));
}

export async function readAddedPerDay(passages: Passages, now: Date): Promise<readonly DayCount[]> {
  const days = lastDays(now);
  const counts = days.map((day, i) =>
    passages.count({ where: { added: { gte: day, ...(i + 1 < days.length ? { lt: days[i + 1]! } : {}) } } }),
  );
  return (await Promise.all(counts)).map(({ count }, i) => ({ day: days[i]!, added: count }));
}
