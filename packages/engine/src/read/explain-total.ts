import type { ExplainedBlock, ExplainedFilter, ExplainedTotal } from '../database/types.ts';

/** The blocks' filters, which are of one shape, as one: shares of all live rows, and how many blocks answer a condition in which way. */
export function totalOf(blocks: readonly ExplainedBlock[]): { readonly total?: ExplainedTotal } {
  const live = blocks.reduce((sum, block) => sum + block.live, 0);
  return blocks.length === 0
    ? {}
    : {
        total: added(
          blocks.map(({ filter }) => filter),
          live,
        ),
      };
}

function added(same: readonly ExplainedFilter[], live: number): ExplainedTotal {
  const how: Partial<Record<NonNullable<ExplainedFilter['how']>, number>> = {};
  let estimated = 0;
  let passing = 0;
  for (const one of same) {
    if (one.how !== undefined) how[one.how] = (how[one.how] ?? 0) + 1;
    // Without live rows both are 0.
    estimated += one.estimated / (live || 1);
    passing += one.passing / (live || 1);
  }
  const { filter, parts } = same[0]!;
  const each = parts?.map((_, i) => same.map((one) => one.parts![i]!));
  return { filter, how, estimated, passing, ...(each && { parts: each.map((part) => added(part, live)) }) };
}
