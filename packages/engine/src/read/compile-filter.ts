import { type CollectionDefinition, compileWhere, DbError, type FilterNode } from '@terndb/core';
import type { FilterRequest } from '../database/types.ts';

/**
 * `where` and `filter` of a request as one tree; nothing named is true. The seam for the filter language: it will compile `filter` here.
 * FILTER_INVALID.
 */
export function compileFilter(definition: CollectionDefinition, collection: string, request: FilterRequest): FilterNode {
  if (request.filter !== undefined) {
    throw new DbError('FILTER_INVALID', `${collection}: filter: the filter language comes later; use where`, {
      details: { collection, option: 'filter' },
    });
  }
  return compileWhere(definition, collection, request.where);
}
