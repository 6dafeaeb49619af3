import { type CollectionDefinition, checkCollection, type MetaStore } from '@terndb/core';
import type { CatalogCollectionInfo } from '../types.ts';
import { type CatalogState, infoOf, type StoredCollection } from './catalog-state.ts';
import { checkProperties } from './names.ts';
import type { CatalogHooks } from './node-catalog.ts';
import { checkRoomFor, collectionKey, mustSet, type Properties, partitionKey, readCollection, remove, storeCollection } from './records.ts';
import { channelName } from './slots.ts';

export interface Replacement {
  readonly definition: CollectionDefinition;
  readonly properties: Properties;
}

interface ReplaceParts {
  readonly meta: MetaStore;
  readonly state: CatalogState;
  readonly hooks: CatalogHooks;
  readonly newId: () => string;
  /** Channels that take nothing while it is decided whether they are empty. */
  readonly closing: Set<string>;
}

/**
 * Another definition for a collection that nothing was ever written to: other ids and channels under the same name, swapped by one compare-and-set of
 * its record, so that a crash leaves either. Undefined, and nothing changed: it has a record, an alias, or a device has it open. Runs as one change of
 * the catalog. Writes that came before are waited for and counted, those that come meanwhile are refused: an acknowledged one is never lost.
 */
export async function replaceEmpty(
  parts: ReplaceParts,
  collection: StoredCollection,
  replace: (info: CatalogCollectionInfo) => Replacement,
): Promise<CatalogCollectionInfo | undefined> {
  const { meta, state, hooks, newId, closing } = parts;
  const { record, aliases, partitions } = collection;
  const next = replace(infoOf(collection));
  const definition = checkCollection(record.name, next.definition);
  const properties = checkProperties('properties', next.properties);
  if (aliases.size > 0) return undefined;
  const collectionId = newId();
  const wanted = { ...record, collectionId, definition, properties, version: 1 };
  // Refused later it would look like an answer that was lost, and the channels would stay closed.
  checkRoomFor(wanted);
  const channels = [...partitions.values()];
  const stored = new Map<string, string>();
  for (const channel of channels) closing.add(channel);
  let isDecided = true;
  try {
    if (!(await hooks.areEmpty(channels))) return undefined;
    // Before the collection: what a crash leaves of them is swept at open.
    for (const partition of partitions.keys()) {
      const partitionId = newId();
      await mustSet(meta, partitionKey(collectionId, partition), 0, { partitionId });
      stored.set(partition, channelName(collectionId, partitionId));
    }
    isDecided = false;
    const made = await storeOrReadBack(meta, wanted);
    isDecided = true;
    hooks.dropped(state.removeCollection(collection));
    const replaced = state.addCollection(made);
    for (const [partition, channel] of stored) hooks.added([state.addPartition(replaced, partition, channel)]);
    for (const partition of partitions.keys()) await remove(meta, partitionKey(record.collectionId, partition));
    return infoOf(replaced);
  } finally {
    // Nobody knows which one a restart will find: until then the old channels take nothing.
    if (isDecided) for (const channel of channels) closing.delete(channel);
  }
}

/** An answer that is lost says nothing: the record tells whether it was written. */
async function storeOrReadBack(meta: MetaStore, wanted: StoredCollection['record']): Promise<StoredCollection['record']> {
  try {
    return await storeCollection(meta, wanted);
  } catch (error) {
    const entry = await meta.get(collectionKey(wanted.database, wanted.name));
    const found = entry && readCollection(entry);
    if (found?.collectionId === wanted.collectionId) return found;
    throw error;
  }
}
