import type { Contender } from './contender.ts';
import { LEVELS, operatingPoints, type Runner, speeds, type Truth } from './measure.ts';

/** Of one contender: what it reaches each level at, and the whole way there. */
export interface Compared {
  readonly search: object[];
  readonly curve: readonly object[];
}

/** QPS and percentiles of everybody who reaches each level, measured in turns. */
export function compare(
  contenders: readonly Contender[],
  truth: Truth,
  searchOf: (contender: Contender) => Runner['search'],
  rounds: number,
): Map<Contender, Compared> {
  const points = new Map(contenders.map((contender) => [contender, operatingPoints(contender, searchOf(contender), truth)]));
  const results = new Map<Contender, Compared>(contenders.map((one) => [one, { search: [], curve: points.get(one)!.curve }]));
  LEVELS.forEach((level, at) => {
    const runners = contenders.flatMap((contender) => {
      const point = points.get(contender)!.levels[at];
      return point ? [{ contender, ef: point.ef, search: searchOf(contender) }] : [];
    });
    const measured = speeds(runners, truth.length, rounds);
    for (const contender of contenders) {
      const runner = runners.find((candidate) => candidate.contender === contender);
      const point = points.get(contender)!.levels[at];
      results.get(contender)!.search.push(runner && point ? { level, ...point, ...measured.get(runner)! } : { level, reached: false });
    }
  });
  return results;
}
