import { median, round } from '../lib/numbers.ts';
import { type Contender, timed } from './contender.ts';

/** The operating point is the smallest of these that reaches the recall. */
const GRID = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768];
export const LEVELS = [0.95, 0.99] as const;
const SLICE_ROWS = 1_000;
/** Browsers round their clocks. */
const LEAST_MS = 0.001;
/** Queries of one turn, and turns of each contender, when speeds are compared. */
const TURN_QUERIES = 50;

export type Truth = readonly ReadonlySet<number>[];

export interface Point {
  readonly ef: number;
  readonly recall: number;
}
/** `qps`: of the median query of the one pass that measured the recall; for a picture, not for a table. */
export interface CurvePoint extends Point {
  readonly qps: number;
}

/** Seconds that each took; they build slice by slice in turns, so that a slow moment of the machine touches all. */
export function buildAll(contenders: readonly Contender[], rows: number): Map<Contender, number> {
  const seconds = new Map(contenders.map((contender) => [contender, 0]));
  for (let from = 0; from < rows; from += SLICE_ROWS) {
    for (const contender of contenders) {
      const { ms } = timed(() => contender.build(Math.min(SLICE_ROWS, rows - from)));
      seconds.set(contender, seconds.get(contender)! + ms / 1000);
    }
  }
  return seconds;
}

export function recallOf(search: (query: number) => ArrayLike<number>, truth: Truth): number {
  let [found, wanted] = [0, 0];
  truth.forEach((best, query) => {
    wanted += best.size;
    for (const offset of Array.from(search(query))) if (best.has(offset)) found++;
  });
  return wanted === 0 ? 1 : found / wanted;
}

/** For each level the first point of the grid that reaches it; and every point up to there. */
export function operatingPoints(
  contender: Contender,
  search: (query: number) => ArrayLike<number>,
  truth: Truth,
): { readonly levels: readonly (Point | undefined)[]; readonly curve: readonly CurvePoint[] } {
  const levels: (Point | undefined)[] = LEVELS.map(() => undefined);
  const curve: CurvePoint[] = [];
  for (const ef of GRID) {
    contender.setEf(ef);
    const taken: number[] = [];
    const result = recallOf((query) => {
      const one = timed(() => search(query));
      taken.push(one.ms);
      return one.result;
    }, truth);
    const recall = round(result, 4);
    curve.push({ ef, recall, qps: Math.round(1000 / Math.max(median(taken), LEAST_MS)) });
    LEVELS.forEach((level, at) => {
      if (result >= level) levels[at] ??= { ef, recall };
    });
    if (levels.every((point) => point !== undefined)) break;
  }
  return { levels, curve };
}

export interface Runner {
  readonly contender: Contender;
  readonly ef: number;
  search(query: number): ArrayLike<number>;
}

/** Queries per second (median turn) and percentiles of single queries in µs, taking turns. */
export function speeds(runners: readonly Runner[], queries: number, turns: number): Map<Runner, { qps: number; p50: number; p99: number }> {
  const samples = new Map<Runner, { turns: number[]; single: number[] }>(runners.map((runner) => [runner, { turns: [], single: [] }]));
  for (let turn = 0; turn < turns; turn++) {
    const first = (turn * TURN_QUERIES) % queries;
    for (const runner of runners) {
      runner.contender.setEf(runner.ef);
      runner.search(first);
      const taken = samples.get(runner)!;
      const count = Math.min(TURN_QUERIES, queries - first);
      const { ms } = timed(() => {
        for (let query = first; query < first + count; query++) taken.single.push(timed(() => runner.search(query)).ms * 1000);
      });
      taken.turns.push((count * 1000) / ms);
    }
  }
  return new Map(
    [...samples].map(([runner, { turns: rates, single }]) => {
      const sorted = single.sort((a, b) => a - b);
      return [
        runner,
        { qps: Math.round(median(rates)), p50: round(median(sorted), 1), p99: round(sorted[Math.floor(sorted.length * 0.99)] ?? 0, 1) },
      ];
    }),
  );
}
