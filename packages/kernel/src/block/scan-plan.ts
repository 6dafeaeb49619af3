import type { Arena } from '../memory/arena.ts';

/** What a scan works on, as `assembly/scan/plan.ts` reads it: 32-bit words in this order. Addresses, counts and floats. */
export interface ScanPlan {
  readonly metric: number;
  readonly query: number;
  readonly vectors: number;
  readonly rowBytes: number;
  readonly norms: number;
  readonly rows: number;
  readonly bitmap: number;
  readonly minScore: number;
  readonly maxScore: number;
  readonly hits: number;
  readonly k: number;
  readonly screen: ScreenPlan | undefined;
  /** The number of what rows are made of. */
  readonly elements: number;
  /** Set bits of a binary query, else 0. */
  readonly queryBits: number;
}

export interface ScreenPlan {
  readonly codes: number;
  readonly codeBytes: number;
  readonly scales: number;
  readonly margins: number;
  readonly squares: number;
  readonly queryCodes: number;
  readonly queryScale: number;
  readonly queryNorm: number;
  readonly querySquare: number;
}

const PLAN_WORDS = 22;
/** Behind them the module keeps rows that wait for each other. */
const WAITING_WORDS = 4;
export const PLAN_BYTES: number = (PLAN_WORDS + WAITING_WORDS) * 4;

export function writePlan(arena: Arena, address: number, plan: ScanPlan): void {
  const words = arena.u32(address, PLAN_WORDS);
  const floats = arena.f32(address, PLAN_WORDS);
  words.set([plan.metric, plan.query, plan.vectors, plan.rowBytes, plan.norms, plan.rows, plan.bitmap]);
  floats.set([plan.minScore, plan.maxScore], 7);
  words.set([plan.hits, plan.k], 9);
  words.fill(0, 11);
  words[20] = plan.elements;
  floats[21] = plan.queryBits;
  const { screen } = plan;
  if (!screen) return;
  words.set([screen.codes, screen.codeBytes, screen.scales, screen.margins, screen.squares, screen.queryCodes], 11);
  floats.set([screen.queryScale, screen.queryNorm, screen.querySquare], 17);
}
