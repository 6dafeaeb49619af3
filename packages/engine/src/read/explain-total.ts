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
  const share = (of: 'estimated' | 'passing'): number => (live === 0 ? 0 : same.reduce((sum, one) => sum + one[of], 0) / live);
  const how: Partial<Record<NonNullable<ExplainedFilter['how']>, number>> = {};
  for (const one of same) if (one.how !== undefined) how[one.how] = (how[one.how] ?? 0) + 1;
  const [{ filter, parts }] = same as readonly [ExplainedFilter];
  return {
    filter,
    how,
    estimated: share('estimated'),
    passing: share('passing'),
    ...(parts === undefined
      ? {}
      : {
          parts: parts.map((_, i) =>
            added(
              same.map((one) => one.parts![i]!),
              live,
            ),
          ),
        }),
  };
}
