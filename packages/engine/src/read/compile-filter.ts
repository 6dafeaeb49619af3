import { type CollectionDefinition, compileWhere, type FilterNode, parseFilter } from '@terndb/core';
import type { FilterRequest } from '../database/types.ts';

/**
 * `where` and `filter` of a request as one tree: both must hold, nothing named is true.
 * FILTER_INVALID.
 */
export function compileFilter(definition: CollectionDefinition, collection: string, request: FilterRequest): FilterNode {
  const where = compileWhere(definition, collection, request.where);
  if (request.filter === undefined) return where;
  const filter = parseFilter(definition, collection, request.filter, request.filterParams);
  if (where.type === 'true') return filter;
  return filter.type === 'true' ? where : { type: 'and', nodes: [where, filter] };
}
