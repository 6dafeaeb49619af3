/**
 * Decides how a search finds its candidates. Everything is counted in distances, which is what the time goes into.
 *
 * - Scanning the survivors costs one distance each, read mostly forwards.
 * - Walking the graph costs `WALK_BASE + WALK_PER_EF · ef` distances at random places, each some `WALK_WEIGHT` times as dear.
 * - To end with `ef` survivors out of a share s of the rows, a walk has to go as far as one with ef / s.
 *
 * So scan when `survivors ≤ WALK_WEIGHT · (WALK_BASE + WALK_PER_EF · ef / s)`, else walk. A filtered walk that computes more distances than
 * scanning would have gives up and the survivors are scanned: its worst case is some four times a scan, whatever the data look like.
 */
import type { SearchPlan } from './types.ts';

/**
 * Measured with `npm run bench -- kernel` (int8 codes, 384 dimensions, re-ranked; tables "Filter planner" in `docs/benchmarks/kernel.md`).
 * 10,000 rows: a walk with ef 36 computes 500 (text) to 780 (clusters) distances, with ef 143 1,560 to 2,170: 140 to 300 and 10 to 13 per ef.
 * A scanned distance takes 17 to 27 ns and one of a walk 40 to 50; with 100,000 rows, out of the caches, 28 to 35 and 75 to 110.
 */
const WALK_BASE = 200;
const WALK_PER_EF = 12;
const WALK_WEIGHT = 3;
/** From this share of survivors on, walking with a larger `ef` and checking afterwards is not slower than keeping two queues, often faster. */
const CHECK_SHARE = 0.5;
/** Not worth giving up for. */
const SMALLEST_LIMIT = 64;

export interface PlannedSearch {
  readonly plan: Exclude<SearchPlan, 'auto'>;
  /** `ef` of the walk: larger for `walk` with a bitmap, whose survivors are picked afterwards. */
  readonly ef: number;
  /** Distances after which a filtered walk gives up. */
  readonly limit: number;
}

export interface PlanInput {
  readonly rows: number;
  /** Rows that pass the bitmap, above 0; `rows` without one. */
  readonly survivors: number;
  readonly ef: number;
  readonly filtered: boolean;
  readonly plan: SearchPlan;
}

export function planSearch({ rows, survivors, ef, filtered, plan }: PlanInput): PlannedSearch {
  const widened = Math.ceil((ef * rows) / survivors);
  const chosen = plan === 'auto' ? choosePlan(survivors, widened, filtered && survivors < CHECK_SHARE * rows) : plan;
  return { plan: chosen, ef: chosen === 'walk' && filtered ? widened : ef, limit: Math.max(SMALLEST_LIMIT, survivors) };
}

function choosePlan(survivors: number, widened: number, sparse: boolean): PlannedSearch['plan'] {
  if (survivors <= WALK_WEIGHT * (WALK_BASE + WALK_PER_EF * widened)) return 'scan';
  return sparse ? 'walkFiltered' : 'walk';
}
