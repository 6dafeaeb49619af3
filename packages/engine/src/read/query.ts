import { DEFAULT_QUERY_LIMIT, type FilterNode, keyFieldOf } from '@terndb/core';
import { countBits, setOffsets } from '../bitmap/bitmap.ts';
import type { CountRequest, CountResult, QueryRequest, QueryResult } from '../database/types.ts';
import { compileFilter } from './compile-filter.ts';
import type { ReadContext } from './context.ts';
import { type BlockMask, filterView } from './filter/evaluate.ts';
import { edgeRows } from './filter/mask.ts';
import { entityReader } from './materialize.ts';
import { checkScope, type OrderTerm, type Page, readOrder, readPage, readSelect, type Selection } from './request.ts';
import { compareSortValues, rowOrder, type SortedRow, sortReader } from './sort-values.ts';
import { TopK } from './top-k.ts';

/** A checked query. */
export interface QueryPlan {
  readonly node: FilterNode;
  readonly order: readonly OrderTerm[];
  readonly page: Page;
  readonly select: Selection;
}

/** QUERY_INVALID, FILTER_INVALID, FIELD_UNKNOWN, NOT_CONNECTED. */
export function planQuery(context: ReadContext, request: QueryRequest): QueryPlan {
  const { definition, collection } = context;
  checkScope(request);
  return {
    node: compileFilter(definition, collection, request),
    order: readOrder(definition, collection, request.orderBy),
    page: readPage(collection, request, DEFAULT_QUERY_LIMIT),
    select: readSelect(definition, collection, request.select),
  };
}

/** Ordered by `orderBy`, nulls last; ties and the default by key, then by partition. */
export function runQuery(context: ReadContext, request: QueryRequest): QueryResult {
  const plan = planQuery(context, request);
  return queryResult(context, plan, queryWindow(context, plan));
}

/** COLLECTION-wide count of what passes. Cost: none without a filter, else one filter evaluation. */
export function runCount(context: ReadContext, request: CountRequest): CountResult {
  checkScope(request);
  const node = compileFilter(context.definition, context.collection, request);
  let count = 0;
  for (const { view } of context.partitions) {
    if (node.type === 'true') count += view.liveRows;
    else for (const { mask } of filterView(view, node, context.definition)) count += countBits(mask);
  }
  return { ...context.info, count };
}

/** The rows that pass, block by block. FILTER_INVALID, NOT_CONNECTED. */
export function matchedBlocks(context: ReadContext, request: CountRequest): BlockMask[] {
  checkScope(request);
  const node = compileFilter(context.definition, context.collection, request);
  return context.partitions.flatMap(({ view }) => filterView(view, node, context.definition));
}

/** The first `offset + limit` rows in order: what decides whether a change can touch the page. */
export function queryWindow(context: ReadContext, plan: QueryPlan): SortedRow[] {
  const { order, page } = plan;
  const top = new TopK<SortedRow>(page.offset + page.limit, rowOrder(order));
  context.partitions.forEach(({ view }, partition) => {
    for (const found of filterView(view, plan.node, context.definition)) collectRows(context, plan, partition, found, top);
  });
  return top.sorted();
}

/** The page of a window as entities. */
export function queryResult(context: ReadContext, plan: QueryPlan, window: readonly SortedRow[]): QueryResult {
  const rows = window.slice(plan.page.offset);
  const read = entityReader(context, plan.select);
  const { isPending } = context;
  const pending = isPending === undefined ? [] : rows.filter((row) => isPending(context.partitions[row.partition]!.partition, row.key));
  return {
    ...context.info,
    entities: rows.map((row) => read(row)),
    keys: rows.map((row) => row.key),
    versions: rows.map((row) => row.block.revisionAt(row.offset)),
    pendingKeys: pending.map((row) => row.key),
  };
}

function collectRows(context: ReadContext, plan: QueryPlan, partition: number, found: BlockMask, top: TopK<SortedRow>): void {
  const { block } = found;
  const keyField = keyFieldOf(context.definition).name;
  const readers = plan.order.map((term) => sortReader(block, term.field, keyField));
  const [first] = readers;
  const descending = plan.order[0]?.descending ?? false;
  for (const offset of rowsToVisit(plan, found, keyField)) {
    const { worst } = top;
    if (worst !== undefined && first !== undefined && compareSortValues(first(offset), worst.values[0]!, descending) > 0) continue;
    top.push({ key: block.keyAt(offset), partition, block, offset, values: readers.map((read) => read(offset)) });
  }
}

/** In a block sorted by key, an order by key alone is decided by its first or last rows. */
function rowsToVisit(plan: QueryPlan, found: BlockMask, keyField: string): Iterable<number> {
  const [first] = plan.order;
  const byKey = first === undefined || first.field === keyField;
  if (!byKey || !found.block.sortedByKey) return setOffsets(found.mask);
  return edgeRows(found.mask, plan.page.offset + plan.page.limit, first?.descending === true ? 'last' : 'first');
}
