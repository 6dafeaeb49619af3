/**
 * Decides how a search with a bitmap finds its candidates. Everything is counted in distances, which is what the time goes into.
 *
 * - scanning the survivors costs one distance each, read mostly forwards;
 * - walking without a filter costs `WALK_BASE + WALK_PER_EF · ef` distances at random places;
 * - walking with a bitmap goes on until `ef` survivors are found, so with a share s of survivors it costs about that of ef / s.
 *
 * So scan when `survivors ≤ WALK_WEIGHT · (WALK_BASE + WALK_PER_EF · ef / s)`; else walk. A walk with a bitmap that computes more distances than
 * scanning would have gives up and the survivors are scanned: the worst case is twice the best, whatever the data look like.
 */
import type { SearchPlan } from './types.ts';

/** Measured constants; `npm run bench -- kernel` prints what they come from (`docs/benchmarks/kernel.md`, "filter planner"). */
const WALK_BASE = 200;
const WALK_PER_EF = 14;
const WALK_WEIGHT = 1.5;
/** From this share of survivors on, walking with a larger `ef` and checking afterwards beats keeping two queues. */
const CHECK_SHARE = 0.5;

export interface PlannedSearch {
  readonly plan: Exclude<SearchPlan, 'auto'>;
  /** `ef` of the walk: larger for `walk` with a bitmap, whose survivors are picked afterwards. */
  readonly ef: number;
  /** Distances after which a filtered walk gives up. */
  readonly limit: number;
}

export interface PlanInput {
  readonly rows: number;
  readonly survivors: number;
  readonly ef: number;
  readonly filtered: boolean;
  readonly plan: SearchPlan;
}

export function planSearch({ rows, survivors, ef, filtered, plan }: PlanInput): PlannedSearch {
  const share = survivors / rows;
  const limit = Math.max(64, survivors);
  const widened = Math.ceil(ef / share);
  const chosen = plan === 'auto' ? choose() : plan;
  return { plan: chosen, ef: chosen === 'walk' && filtered ? widened : ef, limit };

  function choose(): Exclude<SearchPlan, 'auto'> {
    if (survivors <= WALK_WEIGHT * (WALK_BASE + WALK_PER_EF * widened)) return 'scan';
    return !filtered || share >= CHECK_SHARE ? 'walk' : 'walkFiltered';
  }
}
