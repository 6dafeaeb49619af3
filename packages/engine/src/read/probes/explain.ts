import { type CollectionDefinition, type FilterNode, keyFieldOf, printFilter } from '@terndb/core';
import { countBits } from '../../bitmap/bitmap.ts';
import type { ExplainedBlock, ExplainedFilter, ExplainRequest, ExplainResult } from '../../database/types.ts';
import type { RowBlock } from '../../view/view.ts';
import type { ReadContext } from '../context.ts';
import type { Leaf } from '../filter/value-test.ts';
import { totalOf } from './explain-total.ts';
import type { ProbedReads } from './reads.ts';

/**
 * What a filter (and a search by vector) would do here, block by block and over all: how each condition by itself is answered, of how many rows indexes and
 * statistics think it is true, and of how many it is. Costs what running it costs, once per condition. Errors: those of a count, and of a search where there is something to search by.
 */
export function runExplain(context: ReadContext, request: ExplainRequest, reads: ProbedReads): ExplainResult {
  const { accuracy, compileFilter, filterMask, openRanker, planSearch, runInline } = reads;
  const { definition, collection } = context;
  const explained: Explained = { definition, reads };
  const node = compileFilter(definition, collection, request);
  const isSearch = [request.vector, request.text, request.like, request.vectors].some((value) => value !== undefined && value !== null);
  const plan = isSearch ? planSearch(definition, request) : undefined;
  const blocks = context.partitions.flatMap(({ partition, view }, index) =>
    view.blocks.map((block): ExplainedBlock => {
      const filter = explainNode(block, node, explained);
      const told = { partition, id: block.id, rows: block.rows, live: countBits(block.live), filter };
      if (plan === undefined) return told;
      const how = accuracy(!plan.exact, plan.effort);
      const matched = [{ block, partition: index, mask: filterMask(block, node, definition) }];
      runInline(openRanker(context, plan, matched, how)(context, matched, plan.page.offset + plan.page.limit));
      return { ...told, search: how.isApproximate ? 'index' : 'scan' };
    }),
  );
  return { filter: printFilter(node, definition), blocks, ...totalOf(blocks) };
}

interface Explained {
  readonly definition: CollectionDefinition;
  readonly reads: ProbedReads;
}

function explainNode(block: RowBlock, node: FilterNode, explained: Explained): ExplainedFilter {
  const { definition, reads } = explained;
  const told = {
    filter: printFilter(node, definition),
    estimated: Math.round(reads.estimateShare(block, node, definition) * countBits(block.live)),
    passing: countBits(reads.filterMask(block, node, definition)),
  };
  switch (node.type) {
    case 'and':
    case 'or':
      return { ...told, parts: node.nodes.map((part) => explainNode(block, part, explained)) };
    case 'not':
      return { ...told, parts: [explainNode(block, node.node, explained)] };
    case 'true':
      return { ...told, how: 'all' };
    case 'compareFields':
      return { ...told, how: 'columns' };
    default:
      return { ...told, how: leafPlan(block, node, explained) };
  }
}

function leafPlan(block: RowBlock, leaf: Leaf, { definition, reads }: Explained): NonNullable<ExplainedFilter['how']> {
  if (leaf.field === keyFieldOf(definition).name) return 'keys';
  const column = block.column(leaf.field);
  if (column === undefined) return 'default';
  if (leaf.type === 'isNull') return 'validity';
  if (column.kind !== 'list' && reads.verdictOf(leaf, block.stats?.(leaf.field)) !== 'some') return 'statistics';
  const present = countBits(reads.presentRows(column, block.live, block.rows));
  const indexed = reads.indexedRows(block, leaf);
  if (indexed?.paysOver(present)) return indexed.structure;
  if (leaf.type === 'match' && reads.isIndexWorth(block, leaf.field, present)) return 'text index';
  return column.kind === 'keyword' ? 'dictionary' : 'columns';
}
