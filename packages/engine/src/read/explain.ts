import { type CollectionDefinition, type FilterNode, keyFieldOf, printFilter } from '@terndb/core';
import { countBits } from '../bitmap/bitmap.ts';
import type { ExplainedBlock, ExplainedFilter, ExplainRequest, ExplainResult } from '../database/types.ts';
import { isIndexWorth } from '../text/match-rows.ts';
import type { RowBlock } from '../view/view.ts';
import { compileFilter } from './compile-filter.ts';
import type { ReadContext } from './context.ts';
import { totalOf } from './explain-total.ts';
import { filterMask } from './filter/evaluate.ts';
import { indexedRows } from './filter/indexed.ts';
import { presentRows } from './filter/present.ts';
import { estimateShare } from './filter/selectivity.ts';
import { verdictOf } from './filter/statistics.ts';
import type { Leaf } from './filter/value-test.ts';
import { runInline } from './search/jobs.ts';
import { planSearch } from './search/plan.ts';
import { accuracy } from './search/ranking.ts';
import { openRanker } from './search.ts';

/**
 * What a filter (and a search by vector) would do here, block by block and over all: how each condition by itself is answered, of how many rows indexes and
 * statistics think it is true, and of how many it is. Costs what running it costs, once per condition. Errors: those of a count, and of a search where there is something to search by.
 */
export function runExplain(context: ReadContext, request: ExplainRequest): ExplainResult {
  const { definition, collection } = context;
  const node = compileFilter(definition, collection, request);
  const isSearch = [request.vector, request.text, request.like, request.vectors].some((value) => value !== undefined && value !== null);
  const plan = isSearch ? planSearch(definition, request) : undefined;
  const blocks = context.partitions.flatMap(({ partition, view }, index) =>
    view.blocks.map((block): ExplainedBlock => {
      const filter = explainNode(block, node, definition);
      const explained = { partition, id: block.id, rows: block.rows, live: countBits(block.live), filter };
      if (plan === undefined) return explained;
      const how = accuracy(!plan.exact, plan.effort);
      const matched = [{ block, partition: index, mask: filterMask(block, node, definition) }];
      runInline(openRanker(context, plan, matched, how)(context, matched, plan.page.offset + plan.page.limit));
      return { ...explained, search: how.isApproximate ? 'index' : 'scan' };
    }),
  );
  return { filter: printFilter(node, definition), blocks, ...totalOf(blocks) };
}

function explainNode(block: RowBlock, node: FilterNode, definition: CollectionDefinition): ExplainedFilter {
  const explained = {
    filter: printFilter(node, definition),
    estimated: Math.round(estimateShare(block, node, definition) * countBits(block.live)),
    passing: countBits(filterMask(block, node, definition)),
  };
  switch (node.type) {
    case 'and':
    case 'or':
      return { ...explained, parts: node.nodes.map((part) => explainNode(block, part, definition)) };
    case 'not':
      return { ...explained, parts: [explainNode(block, node.node, definition)] };
    case 'true':
      return { ...explained, how: 'all' };
    case 'compareFields':
      return { ...explained, how: 'columns' };
    default:
      return { ...explained, how: leafPlan(block, node, definition) };
  }
}

function leafPlan(block: RowBlock, leaf: Leaf, definition: CollectionDefinition): NonNullable<ExplainedFilter['how']> {
  if (leaf.field === keyFieldOf(definition).name) return 'keys';
  const column = block.column(leaf.field);
  if (column === undefined) return 'default';
  if (leaf.type === 'isNull') return 'validity';
  if (column.kind !== 'list' && verdictOf(leaf, block.stats?.(leaf.field)) !== 'some') return 'statistics';
  const present = countBits(presentRows(column, block.live, block.rows));
  const indexed = indexedRows(block, leaf);
  if (indexed?.paysOver(present)) return indexed.structure;
  if (leaf.type === 'match' && isIndexWorth(block, leaf.field, present)) return 'text index';
  return column.kind === 'keyword' ? 'dictionary' : 'columns';
}
