import type { MetaStore } from '@terndb/core';
import { decodeRecord, readManifestPointers, textOf } from '@terndb/engine/parts';
import { CatalogState } from './catalog-state.ts';
import {
  ALIAS_PREFIX,
  COLLECTION_PREFIX,
  type CollectionRecord,
  collectionKey,
  DATABASE_PREFIX,
  PARTITION_PREFIX,
  readCollection,
  readDatabase,
  remove,
} from './records.ts';
import { channelName } from './slots.ts';

/** Reads all records, and removes what crashes left of drops, creates and renames. FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED. */
export async function loadCatalog(meta: MetaStore): Promise<CatalogState> {
  const state = new CatalogState();
  for (const entry of await meta.list(DATABASE_PREFIX)) {
    const database = readDatabase(entry);
    state.databases.set(database.name, database);
  }
  const records = (await meta.list(COLLECTION_PREFIX)).map(readCollection);
  for (const record of records) {
    if (isMoved(record, records)) await remove(meta, collectionKey(record.database, record.name));
    else state.addCollection(record);
  }
  await loadPartitions(meta, state);
  await sweepManifests(meta, state);
  await loadAliases(meta, state);
  return state;
}

/** A rename wrote the new record, and crashed before it removed this one. */
function isMoved({ database, name, collectionId }: CollectionRecord, records: readonly CollectionRecord[]): boolean {
  const key = collectionKey(database, name);
  return records.some((other) => other.movedFrom === key && other.collectionId === collectionId);
}

/** A partition of a collection that is gone is what a crash left of a drop or a create. */
async function loadPartitions(meta: MetaStore, state: CatalogState): Promise<void> {
  for (const entry of await meta.list(PARTITION_PREFIX)) {
    const partitionId = textOf(entry, decodeRecord(entry), 'partitionId');
    const [collectionId = '', partition = ''] = entry.key.slice(PARTITION_PREFIX.length).split('/');
    const collection = state.collections.get(collectionId);
    if (collection === undefined) await remove(meta, entry.key);
    else state.addPartition(collection, partition, channelName(collectionId, partitionId));
  }
}

/** A seal that ended while its channel was dropped may have published once more. */
async function sweepManifests(meta: MetaStore, state: CatalogState): Promise<void> {
  for (const channel of (await readManifestPointers(meta)).keys())
    if (state.place(channel) === undefined) await remove(meta, `manifest/${channel}`);
}

async function loadAliases(meta: MetaStore, state: CatalogState): Promise<void> {
  for (const entry of await meta.list(ALIAS_PREFIX)) {
    const [database = '', alias = ''] = entry.key.slice(ALIAS_PREFIX.length).split('/');
    const collection = state.collections.get(textOf(entry, decodeRecord(entry), 'collectionId'));
    if (collection !== undefined) state.addAlias(collection, database, alias);
  }
}
