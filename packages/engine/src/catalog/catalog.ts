import {
  type CollectionDefinition,
  checkCollection,
  compareDefinitions,
  DbError,
  MAX_PARTITIONS,
  type MetaEntry,
  type MetaStore,
  mergeDefinitions,
  newCatalogId,
  type Rng,
  type SchemaDefinition,
  schemaConflict,
  schemaHash,
} from '@terndb/core';
import { channelOf, checkPartitionName, DEFAULT_PARTITION } from './channels.ts';
import { type DatabaseRecord, ensureDatabaseRecord } from './database-record.ts';
import { decodeRecord, encodeRecord, invalidRecord, textOf } from './meta-record.ts';

/**
 * The catalog of one database: who it is, its collections and their partitions. Kept in the meta store under compare-and-set (records:
 * meta-record.ts) and held here in memory; only the leader of the database writes it.
 */
export interface CatalogCollection {
  readonly name: string;
  readonly collectionId: string;
  readonly definition: CollectionDefinition;
  readonly schemaVersion: number;
  readonly schemaHash: string;
}

interface CollectionRecord {
  readonly entry: MetaEntry;
  readonly name: string;
  readonly collectionId: string;
  readonly version: number;
  readonly definition: CollectionDefinition;
}

const COLLECTION_PREFIX = 'collection/';
const PARTITION_PREFIX = 'partition/';

export class Catalog {
  readonly database: DatabaseRecord;
  /** What is wanted, brought together with what is stored. */
  readonly schema: SchemaDefinition;
  readonly #meta: MetaStore;
  readonly #rng: Rng;
  readonly #collections: ReadonlyMap<string, CatalogCollection>;
  /** Collection name → partition name → channel. */
  readonly #partitions: ReadonlyMap<string, Map<string, string>>;
  readonly #storing = new Set<Promise<void>>();

  constructor(options: {
    readonly database: DatabaseRecord;
    readonly schema: SchemaDefinition;
    readonly meta: MetaStore;
    readonly rng: Rng;
    readonly collections: ReadonlyMap<string, CatalogCollection>;
    readonly partitions: ReadonlyMap<string, Map<string, string>>;
  }) {
    this.database = options.database;
    this.schema = options.schema;
    this.#meta = options.meta;
    this.#rng = options.rng;
    this.#collections = options.collections;
    this.#partitions = options.partitions;
  }

  collections(): Iterable<CatalogCollection> {
    return this.#collections.values();
  }

  /** COLLECTION_UNKNOWN. */
  mustGetCollection(name: string): CatalogCollection {
    const collection = this.#collections.get(name);
    if (collection !== undefined) return collection;
    const known = [...this.#collections.keys()];
    throw new DbError('COLLECTION_UNKNOWN', `collection: one of ${known.join(', ')} expected, got ${JSON.stringify(name) ?? 'nothing'}`, {
      details: { collection: String(name), expected: known },
    });
  }

  /** Partition name → channel, in order of creation or, after a reopen, by name. */
  partitionsOf(collection: string): ReadonlyMap<string, string> {
    return this.#partitions.get(this.mustGetCollection(collection).name)!;
  }

  /** PARTITION_UNKNOWN. */
  mustGetChannel(collection: string, partition: string): string {
    const channel = this.partitionsOf(collection).get(partition);
    if (channel !== undefined) return channel;
    throw new DbError('PARTITION_UNKNOWN', `${collection}: partition ${JSON.stringify(partition)} does not exist`, {
      details: { collection, partition: String(partition) },
    });
  }

  /**
   * Makes a partition. It is there at once; `stored` resolves when it is durable, and nothing may be appended to its channel before that.
   * @throws OPTION_INVALID for a bad name or one partition too many. `stored` rejects with APPEND_CONFLICT when another writer made it.
   */
  createPartition(collection: string, partition: string): { readonly channel: string; readonly stored: Promise<void> } {
    const { collectionId } = this.mustGetCollection(collection);
    checkPartitionName(collection, partition);
    const partitions = this.#partitions.get(collection)!;
    if (partitions.size >= MAX_PARTITIONS) {
      throw new DbError('OPTION_INVALID', `${collection}: at most ${MAX_PARTITIONS} partitions expected, got one more: ${partition}`, {
        details: { collection, partition, expected: MAX_PARTITIONS },
      });
    }
    const partitionId = newCatalogId(this.#rng);
    const channel = channelOf(collectionId, partitionId);
    partitions.set(partition, channel);
    const stored = storePartition(this.#meta, { collectionId, partition, partitionId });
    this.#storing.add(stored);
    const done = (): boolean => this.#storing.delete(stored);
    stored.then(done, done);
    return { channel, stored };
  }

  /** Reads the partitions again: those that could not be stored are gone. */
  async reload(): Promise<void> {
    await Promise.allSettled(this.#storing);
    for (const { name, collectionId } of this.#collections.values()) {
      const stored = await readPartitions(this.#meta, collectionId);
      const known = this.#partitions.get(name)!;
      for (const partition of [...known.keys()]) if (!stored.has(partition)) known.delete(partition);
      for (const [partition, channel] of stored) known.set(partition, channel);
    }
  }
}

/** Reads the catalog and brings it to the wanted schema. SCHEMA_CONFLICT, FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, APPEND_CONFLICT. */
export async function openCatalog(options: {
  readonly meta: MetaStore;
  readonly rng: Rng;
  readonly schema: SchemaDefinition;
}): Promise<Catalog> {
  const { meta, rng, schema: wanted } = options;
  const database = await ensureDatabaseRecord(meta, rng);
  const records = (await meta.list(COLLECTION_PREFIX)).map(readCollection);
  const schema = fitSchema(records, wanted);
  const collections = new Map<string, CatalogCollection>();
  const partitions = new Map<string, Map<string, string>>();
  for (const name of Object.keys(wanted.collections)) {
    const definition = schema.collections[name]!;
    const record = records.find((candidate) => candidate.name === name);
    const stored = await ensureCollection({ meta, rng, name, record, definition, version: schema.version });
    collections.set(name, { name, ...stored, definition, schemaHash: schemaHash(definition) });
    const known = await readPartitions(meta, stored.collectionId);
    partitions.set(name, known);
  }
  const catalog = new Catalog({ database, schema, meta, rng, collections, partitions });
  for (const [name, known] of partitions) if (!known.has(DEFAULT_PARTITION)) await catalog.createPartition(name, DEFAULT_PARTITION).stored;
  return catalog;
}

function fitSchema(records: readonly CollectionRecord[], wanted: SchemaDefinition): SchemaDefinition {
  const stored: SchemaDefinition = {
    format: 1,
    version: records.reduce((version, record) => Math.max(version, record.version), 1),
    collections: Object.fromEntries(records.map((record) => [record.name, record.definition])),
  };
  const difference = compareDefinitions(stored, wanted);
  if (difference.type === 'older' || difference.type === 'conflict') throw schemaConflict(difference);
  const merged = mergeDefinitions(stored, wanted);
  // A change that forgot to raise its version still gets one of its own: records name the version they were written under.
  const changed = difference.type === 'additive' && records.length > 0 && wanted.version <= stored.version;
  return changed ? { ...merged, version: stored.version + 1 } : merged;
}

async function ensureCollection(options: {
  readonly meta: MetaStore;
  readonly rng: Rng;
  readonly name: string;
  readonly record: CollectionRecord | undefined;
  readonly definition: CollectionDefinition;
  readonly version: number;
}): Promise<{ collectionId: string; schemaVersion: number }> {
  const { meta, rng, name, record, definition, version } = options;
  if (record !== undefined && schemaHash(record.definition) === schemaHash(definition)) {
    return { collectionId: record.collectionId, schemaVersion: record.version };
  }
  const collectionId = record?.collectionId ?? newCatalogId(rng);
  const value = encodeRecord({ collectionId, version, definition });
  await mustSet(meta, `${COLLECTION_PREFIX}${name}`, record?.entry.revision ?? 0, value);
  return { collectionId, schemaVersion: version };
}

function readCollection(entry: MetaEntry): CollectionRecord {
  const name = entry.key.slice(COLLECTION_PREFIX.length);
  const fields = decodeRecord(entry);
  const { version } = fields;
  if (!Number.isSafeInteger(version) || (version as number) < 1) throw invalidRecord(entry, 'version: an integer from 1 expected');
  const collectionId = textOf(entry, fields, 'collectionId');
  try {
    return { entry, name, collectionId, version: version as number, definition: checkCollection(name, fields['definition']) };
  } catch (error) {
    throw invalidRecord(entry, 'definition: a collection definition expected', error);
  }
}

async function readPartitions(meta: MetaStore, collectionId: string): Promise<Map<string, string>> {
  const prefix = `${PARTITION_PREFIX}${collectionId}/`;
  const partitions = new Map<string, string>();
  for (const entry of await meta.list(prefix)) {
    partitions.set(entry.key.slice(prefix.length), channelOf(collectionId, textOf(entry, decodeRecord(entry), 'partitionId')));
  }
  return partitions;
}

async function storePartition(meta: MetaStore, made: { collectionId: string; partition: string; partitionId: string }): Promise<void> {
  await mustSet(meta, `${PARTITION_PREFIX}${made.collectionId}/${made.partition}`, 0, encodeRecord({ partitionId: made.partitionId }));
}

async function mustSet(meta: MetaStore, key: string, expectedRevision: number, value: Uint8Array): Promise<void> {
  if ((await meta.compareAndSet(key, expectedRevision, value)) !== undefined) return;
  throw new DbError('APPEND_CONFLICT', `catalog record ${key}: revision ${expectedRevision} expected, got another writer's`, {
    details: { key, expected: expectedRevision },
  });
}
