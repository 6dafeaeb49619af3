import type { Arena } from '../memory/arena.ts';
import { bitBytesOf, isOneBit, type Layout, rowBytesOf, type Section, type Shape } from './layout.ts';
import { MAX_EF, WORKSPACE_HEAP, type Workspace } from './workspace.ts';

const PLAN_WORDS = 39;
export const GRAPH_PLAN_BYTES: number = PLAN_WORDS * 4;

/** Writes what `assembly/graph/plan.ts` reads: 32-bit words in this order. */
export function writeGraphPlan(
  arena: Arena,
  address: number,
  index: { readonly base: number; readonly rows: number; readonly shape: Shape; readonly layout: Layout },
  workspace: Workspace,
): void {
  const { base, shape, layout } = index;
  const section = (name: Section): number => (layout.places[name].bytes === 0 ? 0 : base + layout.places[name].offset);
  const present = (name: Section, wanted: boolean): number => (wanted ? base + layout.places[name].offset : 0);
  const places = workspace.places;
  arena
    .u32(address, PLAN_WORDS)
    .set([
      base,
      index.rows,
      shape.metric,
      shape.codes,
      shape.m,
      shape.efConstruction,
      shape.seed,
      Number(shape.rotated),
      shape.dim,
      base + layout.places.upperStart.offset,
      present('scales', !isOneBit(shape) && (shape.codes !== 0 || shape.metric === 0)),
      section('squares'),
      section('fineSquares'),
      base + layout.places.links.offset,
      base + layout.places.upper.offset,
      base + layout.places.vectors.offset,
      rowBytesOf(shape),
      present('residuals', shape.residual),
      places.visited,
      workspace.visitedBytes,
      places.query,
      places.queryCodes,
      places.batch,
      places.keys,
      places.selected,
      places.kept,
      places.sorted,
      places.pool,
      MAX_EF,
      places.heap,
      WORKSPACE_HEAP,
      bitBytesOf(shape),
      present('centroid', isOneBit(shape)),
      places.rest,
      0,
      0,
      0,
      0,
      0,
    ]);
}

const SCREEN_WORD = 34;

/** Lets a written plan over float32 rows bound scores by codes of the same rows first; undefined: no longer. */
export function screenBy(
  arena: Arena,
  address: number,
  codes: { codes: number; codeBytes: number; scales: number; margins: number; squares: number } | undefined,
): void {
  const { codes: at = 0, codeBytes = 0, scales = 0, margins = 0, squares = 0 } = codes ?? {};
  arena.u32(address, PLAN_WORDS).set([at, codeBytes, scales, margins, squares], SCREEN_WORD);
}

/** Words of the plan that say where rows lie. */
const CODES_WORD = 3;
const SCALES_WORD = 10;
const VECTORS_WORD = 15;

/** Makes a written plan one over float32 rows elsewhere: what one-bit codes are linked by. `norms`: what COSINE divides by, else 0. */
export function readRowsFrom(
  arena: Arena,
  address: number,
  rows: { readonly address: number; readonly strideBytes: number; readonly norms: number },
): void {
  const words = arena.u32(address, PLAN_WORDS);
  words[CODES_WORD] = 0;
  words[SCALES_WORD] = rows.norms;
  words.set([rows.address, rows.strideBytes], VECTORS_WORD);
}
