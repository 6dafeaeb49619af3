import { type CollectionDefinition, type FilterNode, MAX_GET_KEYS, normalizeKey, type PrimaryKey } from '@terndb/core';
import { setOffsets } from '../bitmap/bitmap.ts';
import type { EntityRecord, GetRequest, GetResult, PartitionView } from '../database/types.ts';
import type { ReadContext } from './context.ts';
import { filterView } from './filter/evaluate.ts';
import { entityReader } from './materialize.ts';
import { checkScope, invalidOption, readSelect } from './request.ts';

/**
 * Entities in the order of the keys, undefined for absent ones; a key that several partitions hold is read from the first of them.
 * KEY_INVALID, QUERY_INVALID, FIELD_UNKNOWN, NOT_CONNECTED.
 */
export function runGet(context: ReadContext, request: GetRequest): GetResult {
  const { definition, collection } = context;
  checkScope(request);
  if (!Array.isArray(request.keys)) throw invalidOption(collection, 'keys', 'an array of keys', request.keys);
  if (request.keys.length > MAX_GET_KEYS) throw invalidOption(collection, 'keys', `at most ${MAX_GET_KEYS}`, request.keys.length);
  const read = entityReader(context, readSelect(definition, collection, request.select));
  const keys = request.keys.map((key) => normalizeKey(definition, collection, key));
  return { ...context.info, entities: keys.map((key) => getOne(context, key, read)) };
}

function getOne(context: ReadContext, key: PrimaryKey, read: ReturnType<typeof entityReader>): EntityRecord | undefined {
  for (const [partition, { view }] of context.partitions.entries()) {
    const at = view.find(key);
    if (at !== undefined) return read({ key, partition, ...at });
  }
  return undefined;
}

/** Keys of the visible entities that pass, partition by partition; what a delete by filter deletes. */
export function matchKeys(
  partitions: readonly PartitionView[],
  node: FilterNode,
  definition: CollectionDefinition,
): { readonly partition: string; readonly keys: readonly PrimaryKey[] }[] {
  return partitions.map(({ partition, view }) => {
    const keys = filterView(view, node, definition).flatMap(({ block, mask }) =>
      Array.from(setOffsets(mask), (offset) => block.keyAt(offset)),
    );
    return { partition, keys };
  });
}
