import type { Arena } from '../memory/arena.ts';
import { type Layout, rowBytesOf, type Section, type Shape } from './layout.ts';
import { MAX_EF, WORKSPACE_HEAP, type Workspace } from './workspace.ts';

const PLAN_WORDS = 32;
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
      Number(shape.coded),
      shape.m,
      shape.efConstruction,
      shape.seed,
      Number(shape.rotated),
      shape.dim,
      base + layout.places.upperStart.offset,
      present('scales', shape.coded || shape.metric === 0),
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
    ]);
}
