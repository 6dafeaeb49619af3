import { type CollectionDefinition, checkCollection, compareDefinitions, DbError, schemaConflict, schemaHash } from '@terndb/core';
import { checkPartitionName } from '@terndb/engine/parts';
import type { ResolveAnswer, ResolvedChannel, ResolveRequest } from '@terndb/sync';
import type { CatalogCollectionInfo, ResolveGrants } from '../types.ts';
import { unionOf } from './definitions.ts';
import { DEFAULT_DATABASE } from './names.ts';
import type { StoredCatalog } from './node-catalog.ts';

/** Partitions and collections of one request: each may cost a write. */
const MAX_RESOLVED = 1_024;

/**
 * Which channels a device follows (design 4): a schema that is known goes, an unknown one is created if the token grants `schema`, an additive
 * difference becomes a new version. Fields that only the server has are no difference: the device adopts them.
 * @throws SCHEMA_UNKNOWN, SCHEMA_CONFLICT, SCHEMA_INVALID, OPTION_INVALID.
 */
export async function resolveDevice(
  catalog: StoredCatalog,
  request: ResolveRequest,
  grants: ResolveGrants,
  logEpoch: string,
): Promise<ResolveAnswer> {
  const { collections: wanted, partitions } = request;
  const database = grants.database ?? DEFAULT_DATABASE;
  if (wanted.length * partitions.length > MAX_RESOLVED) {
    throw new DbError('OPTION_INVALID', `resolve: at most ${MAX_RESOLVED} channels expected, got ${wanted.length * partitions.length}`);
  }
  for (const partition of partitions) checkPartitionName('resolve', partition);
  const collections: CatalogCollectionInfo[] = [];
  for (const collection of wanted) {
    if (collection.definition !== undefined) collections.push(await ensureSchema(catalog, database, collection, grants));
    else collections.push(...named(catalog.find(database, collection.name), collection.name));
  }
  const channels: ResolvedChannel[] = [];
  const granted = new Set<string>();
  for (const { name } of collections) {
    for (const partition of partitions) {
      if (!grants.canRead(name, partition)) continue;
      granted.add(partition);
      const canWrite = grants.canWrite(name, partition);
      if (canWrite) await catalog.ensurePartition(database, name, partition);
      const [channel] = catalog.mustFind(database, name).partitions.get(partition) ?? [];
      if (channel !== undefined) channels.push({ collection: name, partition, channel, access: canWrite ? 'write' : 'read' });
    }
  }
  return {
    logEpoch,
    collections: collections.map(({ name, collectionId, schemaVersion, definition }) => ({
      name,
      collectionId,
      schemaVersion,
      definition,
    })),
    channels,
    denied: collections.length === 0 ? [] : partitions.filter((partition) => !granted.has(partition)),
  };
}

type Wanted = Exclude<ResolveRequest['collections'][number], { readonly definition?: undefined }>;

/** Not by an alias: devices keep collections under their names. */
function named(known: CatalogCollectionInfo | undefined, name: string): CatalogCollectionInfo[] {
  return known?.name === name ? [known] : [];
}

async function ensureSchema(
  catalog: StoredCatalog,
  database: string,
  wanted: Wanted,
  grants: ResolveGrants,
): Promise<CatalogCollectionInfo> {
  const { name } = wanted;
  const known = catalog.find(database, name);
  if (known === undefined) {
    if (!grants.schema) throw unknownSchema(name, 'a collection that the server knows');
    await catalog.ensureCollection(database, name, wanted.definition);
    // Another device may have been there first, with another schema.
    return ensureSchema(catalog, database, wanted, grants);
  }
  if (wanted.schemaHash === schemaHash(known.definition)) return known;
  const together = unionOf(known.definition, checkCollection(name, wanted.definition));
  const schema = (of: CollectionDefinition) => ({ format: 1, version: 1, collections: { [name]: of } }) as const;
  const difference = compareDefinitions(schema(known.definition), schema(together));
  if (difference.type === 'older' || difference.type === 'conflict') throw schemaConflict(difference);
  if (difference.type === 'equal') return known;
  if (!grants.schema) throw unknownSchema(name, 'fields that the server knows');
  // Against what is known then: another device may have been there first.
  return catalog.addFields(database, name, wanted.definition);
}

function unknownSchema(collection: string, expected: string): DbError {
  const got = 'others, and a token that does not grant schema';
  return new DbError('SCHEMA_UNKNOWN', `${collection}: ${expected} expected, got ${got}`, { details: { collection, expected, got } });
}
