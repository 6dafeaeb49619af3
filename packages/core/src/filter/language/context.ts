import { DbError } from '../../errors/db-error.ts';
import { MAX_FILTER_NODES, MAX_FILTER_VALUES } from '../../limits.ts';
import type { CollectionDefinition } from '../../schema/definition.ts';

/** One filter being compiled: what it is about, and what is counted over the whole of it. */
export interface FilterContext {
  readonly definition: CollectionDefinition;
  readonly collection: string;
  readonly params: Readonly<Record<string, unknown>>;
  nodes: number;
  values: number;
}

/** To be thrown. `offset` counts UTF-16 units of the filter's text. */
export function invalid({ collection }: FilterContext, offset: number, expected: string, got: string): DbError {
  return new DbError('FILTER_INVALID', `filter at ${offset}: ${expected} expected, got ${got}`, {
    details: { collection, path: 'filter', offset, expected, got },
  });
}

/** Milvus' language has it and Tern does not (yet). */
export function unsupported({ collection }: FilterContext, offset: number, what: string, instead: string): DbError {
  return new DbError('FILTER_INVALID', `filter at ${offset}: ${what} is not supported: ${instead}`, {
    details: { collection, path: 'filter', offset, expected: instead, got: what, reason: 'unsupported' },
  });
}

/** Every condition is a pass over rows. */
export function countNode(context: FilterContext, offset: number): void {
  if (++context.nodes > MAX_FILTER_NODES) throw invalid(context, offset, `at most ${MAX_FILTER_NODES} conditions`, 'more');
}

export function countValues(context: FilterContext, offset: number, count: number): void {
  context.values += count;
  if (context.values > MAX_FILTER_VALUES)
    throw invalid(context, offset, `at most ${MAX_FILTER_VALUES} values in a filter`, `${context.values}`);
}
