import { keyFieldOf, type PrimaryKey } from '@terndb/core';
import { setOffsets } from '../bitmap/bitmap.ts';
import type { QueryRequest, QueryResult } from '../database/types.ts';
import { type ReadContext, rowName } from '../read/context.ts';
import { planQuery, queryResult, queryWindow } from '../read/query.ts';
import { rowOrder, type SortValue, sortReader } from '../read/sort-values.ts';
import { type ChangedKeys, changedRows, sameList, type Watched } from './watched.ts';

/** What the last evaluation saw of the first `offset + limit` rows. */
interface Seen {
  readonly names: ReadonlySet<string>;
  /** The place of the last row, when there is no room behind it; without its block, as a watcher must not hold on to a released view. */
  readonly last: { readonly key: PrimaryKey; readonly values: readonly SortValue[]; readonly partition: string } | undefined;
}

/**
 * A change matters to a query when its entity was among the first `offset + limit` rows, or passes the filter now and comes before the last of
 * them (or there is room). A row that goes, or changes, behind them moves nothing.
 */
export function watchedQuery(request: QueryRequest): Watched<QueryResult> {
  let seen: Seen = { names: new Set(), last: undefined };
  return {
    evaluate(context) {
      const plan = planQuery(context, request);
      const window = queryWindow(context, plan);
      const nameOf = (partition: number) => context.partitions[partition]!.partition;
      const last = window.length < plan.page.offset + plan.page.limit ? undefined : window.at(-1);
      seen = {
        names: new Set(window.map((row) => rowName(nameOf(row.partition), row.key))),
        last: last && { key: last.key, values: last.values, partition: nameOf(last.partition) },
      };
      return queryResult(context, plan, window);
    },
    couldMatter(context, changed) {
      for (const [partition, keys] of changed) for (const key of keys) if (seen.names.has(rowName(partition, key))) return true;
      return entersWindow(context, request, changed, seen);
    },
    same: (a, b) =>
      sameList(a.keys, b.keys) &&
      sameList(a.versions, b.versions) &&
      sameList(a.pendingKeys, b.pendingKeys) &&
      a.coverage === b.coverage &&
      a.degraded === b.degraded,
  };
}

function entersWindow(context: ReadContext, request: QueryRequest, changed: ChangedKeys, { last }: Seen): boolean {
  const plan = planQuery(context, request);
  const keyField = keyFieldOf(context.definition).name;
  const order = rowOrder(plan.order);
  for (const { partition, block, mask } of changedRows(context, changed, plan.node)) {
    if (last === undefined) return true;
    const lastPartition = context.partitions.findIndex((candidate) => candidate.partition === last.partition);
    const readers = plan.order.map((term) => sortReader(block, term.field, keyField));
    for (const offset of setOffsets(mask)) {
      const row = { key: block.keyAt(offset), partition, values: readers.map((read) => read(offset)) };
      if (order(row, { ...last, partition: lastPartition }) < 0) return true;
    }
  }
  return false;
}
