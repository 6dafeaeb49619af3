import {
  type Clock,
  type CollectionDefinition,
  checkCollection,
  compareDefinitions,
  DbError,
  fieldOf,
  MAX_COLLECTIONS,
  MAX_PARTITIONS,
  type MetaStore,
  newCatalogId,
  type Rng,
  schemaConflict,
  schemaHash,
} from '@terndb/core';
import { DEFAULT_PARTITION } from '@terndb/engine';
import { type CatalogCollection, checkPartitionName, decodeRecord, JobQueue, readManifestPointers, textOf } from '@terndb/engine/parts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { CatalogCollectionInfo, NodeCatalog } from '../types.ts';
import {
  checkName,
  checkProperties,
  DEFAULT_DATABASE,
  MAX_DATABASES,
  taken,
  unknownCollection,
  unknownDatabase,
  unknownPartition,
} from './names.ts';
import {
  ALIAS_PREFIX,
  aliasKey,
  COLLECTION_PREFIX,
  type CollectionRecord,
  collectionKey,
  DATABASE_PREFIX,
  type DatabaseRecord,
  mustSet,
  PARTITION_PREFIX,
  type Properties,
  partitionKey,
  readCollection,
  readDatabase,
  remove,
  storeCollection,
} from './records.ts';
import { channelName } from './slots.ts';

/** Where a channel belongs. Names may change, ids do not. */
export interface ChannelPlace {
  readonly channel: string;
  readonly collectionId: string;
  readonly partition: string;
}

/** What the rest of the node does when the catalog has changed, before the change is answered. */
export interface CatalogHooks {
  /** Empty channels, before anybody can ask for them. */
  readonly added: (places: readonly ChannelPlace[]) => void;
  /** They are gone from the catalog already. */
  readonly dropped: (channels: readonly string[]) => void;
  /**
   * The collection may have another definition: its channels must know it before the change is answered. Rejects when not all do; the change is in the
   * catalog all the same, and the node goes on trying (`isBehind`).
   */
  readonly altered: (collection: CatalogCollection) => Promise<void>;
}

interface Collection {
  record: CollectionRecord;
  /** For the engine; a new object with each change. */
  engine: CatalogCollection;
  readonly aliases: Set<string>;
  /** Partition name → channel. */
  readonly partitions: Map<string, string>;
  /** What is told of it, made once per change: reads ask for it each time. */
  info: CatalogCollectionInfo | undefined;
}

/**
 * The catalog of a node: read from memory, changed one at a time, each change a compare-and-set that is durable before it shows. Another writer
 * on the same store is noticed by its revisions and refused with APPEND_CONFLICT.
 */
export class StoredCatalog implements NodeCatalog {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #changes = new JobQueue();
  readonly #databases = new Map<string, DatabaseRecord>();
  readonly #collections = new Map<string, Collection>();
  /** `<database>/<name or alias>` → collection id. */
  readonly #names = new Map<string, string>();
  readonly #places = new Map<string, ChannelPlace>();
  #hooks: CatalogHooks = { added: () => {}, dropped: () => {}, altered: () => Promise.resolve() };

  private constructor(ports: { readonly meta: MetaStore; readonly clock: Clock; readonly rng: Rng }) {
    this.#meta = ports.meta;
    this.#clock = ports.clock;
    this.#rng = ports.rng;
  }

  /** FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, STORAGE_UNAVAILABLE. */
  static async open(ports: { readonly meta: MetaStore; readonly clock: Clock; readonly rng: Rng }): Promise<StoredCatalog> {
    const catalog = new StoredCatalog(ports);
    await catalog.#load();
    if (!catalog.#databases.has(DEFAULT_DATABASE)) await catalog.createDatabase(DEFAULT_DATABASE);
    return catalog;
  }

  set hooks(hooks: CatalogHooks) {
    this.#hooks = hooks;
  }

  /* ---------- reading ---------- */
  databases(): readonly string[] {
    return [...this.#databases.keys()].sort();
  }

  collections(database: string): readonly CatalogCollectionInfo[] {
    this.#mustGetDatabase(database);
    const found = [...this.#collections.values()].filter(({ record }) => record.database === database);
    return found.map(infoOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(database: string, name: string): CatalogCollectionInfo | undefined {
    const collection = this.#find(database, name);
    return collection && infoOf(collection);
  }

  placeOf(channel: string): { database: string; collection: string; partition: string } | undefined {
    const place = this.#places.get(channel);
    const record = place && this.#collections.get(place.collectionId)?.record;
    return place && record && { database: record.database, collection: record.name, partition: place.partition };
  }

  places(): readonly ChannelPlace[] {
    return [...this.#places.values()];
  }

  has(channel: string): boolean {
    return this.#places.has(channel);
  }

  /** As the engine takes it. Undefined when it was dropped. */
  engineCollection(collectionId: string): CatalogCollection | undefined {
    return this.#collections.get(collectionId)?.engine;
  }

  /** Whether a channel still shows itself under an older definition: a schema change is under way, or its last try failed. */
  isBehind({ channel }: NodeChannel): boolean {
    const { collectionId, schemaHash: shown } = channel.collection;
    return (this.engineCollection(collectionId)?.schemaHash ?? shown) !== shown;
  }

  /** OPTION_INVALID, COLLECTION_UNKNOWN. */
  mustFind(database: string, name: string): CatalogCollectionInfo {
    return infoOf(this.#mustFind(database, name));
  }

  /* ---------- changing ---------- */
  createDatabase(name: string, properties?: Properties): Promise<void> {
    return this.#changes.run(async () => {
      checkName('database', name);
      checkProperties('database properties', properties);
      if (this.#databases.has(name)) throw taken('database', name);
      if (this.#databases.size >= MAX_DATABASES) throw tooMany('databases', MAX_DATABASES);
      const record = { createdAtMs: this.#nowMs(), properties: properties ?? {} };
      const revision = await mustSet(this.#meta, `${DATABASE_PREFIX}${name}`, 0, record);
      this.#databases.set(name, { name, ...record, revision });
    });
  }

  dropDatabase(name: string): Promise<void> {
    return this.#changes.run(async () => {
      this.#mustGetDatabase(name);
      const held = [...this.#collections.values()].filter(({ record }) => record.database === name);
      if (held.length > 0 || name === DEFAULT_DATABASE) {
        const got = name === DEFAULT_DATABASE ? 'the default one' : `one with ${held.length} collections`;
        throw new DbError('OPTION_INVALID', `database ${name}: an empty one expected, got ${got}`, {
          details: { option: 'database', got },
        });
      }
      await remove(this.#meta, `${DATABASE_PREFIX}${name}`);
      this.#databases.delete(name);
    });
  }

  createCollection(
    database: string,
    name: string,
    definition: CollectionDefinition,
    options: { readonly shards?: number; readonly properties?: Properties } = {},
  ): Promise<CatalogCollectionInfo> {
    return this.#changes.run(() => this.#create(database, name, definition, options));
  }

  /** Like `createCollection`, but one that is there already is given back as it is. */
  ensureCollection(database: string, name: string, definition: CollectionDefinition): Promise<CatalogCollectionInfo> {
    return this.#changes.run(async () => {
      const known = this.#find(database, name);
      return known === undefined ? this.#create(database, name, definition, {}) : infoOf(known);
    });
  }

  async #create(
    database: string,
    name: string,
    given: CollectionDefinition,
    { shards = 1, properties }: { readonly shards?: number; readonly properties?: Properties },
  ): Promise<CatalogCollectionInfo> {
    this.#mustGetDatabase(database);
    if (shards !== 1)
      throw new DbError('OPTION_INVALID', `${name}: 1 shard expected, got ${shards}`, { details: { option: 'shards', got: shards } });
    const definition = checkCollection(name, given);
    checkProperties('properties', properties);
    this.#mustBeFree(database, name);
    if (this.#collections.size >= MAX_COLLECTIONS) throw tooMany('collections', MAX_COLLECTIONS);
    const collectionId = newCatalogId(this.#rng);
    // The partition first: a collection is never there without its default partition, and a partition without a collection is swept at open.
    const partitionId = await this.#storePartition(collectionId, DEFAULT_PARTITION);
    const record = await storeCollection(this.#meta, {
      database,
      name,
      collectionId,
      version: 1,
      definition,
      createdAtMs: this.#nowMs(),
      properties: properties ?? {},
      revision: 0,
    });
    const collection = collectionOf(record);
    this.#collections.set(collectionId, collection);
    this.#addPartition(collection, DEFAULT_PARTITION, partitionId);
    this.#names.set(`${database}/${name}`, collectionId);
    return infoOf(collection);
  }

  alterCollection(
    database: string,
    name: string,
    change: { readonly definition?: CollectionDefinition; readonly properties?: Properties },
  ): Promise<CatalogCollectionInfo> {
    return this.#changes.run(() => this.#alter(database, name, change));
  }

  /** Adds the fields that only `definition` has. SCHEMA_CONFLICT when a field of both is another, or a new one that old rows cannot do without. */
  addFields(database: string, name: string, definition: CollectionDefinition): Promise<CatalogCollectionInfo> {
    return this.#changes.run(() => {
      const known = this.#mustFind(database, name).record.definition;
      return this.#alter(database, name, { definition: unionOf(known, definition) });
    });
  }

  async #alter(
    database: string,
    name: string,
    change: { readonly definition?: CollectionDefinition; readonly properties?: Properties },
  ): Promise<CatalogCollectionInfo> {
    const collection = this.#mustFind(database, name);
    const { record } = collection;
    const definition = change.definition === undefined ? record.definition : additive(record, change.definition);
    const isNew = schemaHash(definition) !== collection.engine.schemaHash;
    const properties = checkProperties('properties', change.properties ?? record.properties);
    const version = record.version + (isNew ? 1 : 0);
    collection.record = await storeCollection(this.#meta, { ...record, definition, properties, version });
    collection.engine = engineOf(collection.record);
    collection.info = undefined;
    // Also when nothing is new: an earlier change may not have reached every channel.
    await this.#hooks.altered(collection.engine);
    return infoOf(collection);
  }

  renameCollection(database: string, name: string, to: { readonly database?: string; readonly name: string }): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      const target = { database: to.database ?? database, name: checkName('collection', to.name) };
      this.#mustGetDatabase(target.database);
      this.#mustBeFree(target.database, target.name);
      if (target.database !== database && collection.aliases.size > 0)
        throw taken('alias of the collection', [...collection.aliases].join(', '));
      const { record } = collection;
      const movedFrom = collectionKey(record.database, record.name);
      collection.record = await storeCollection(this.#meta, { ...record, ...target, movedFrom, revision: 0 });
      await remove(this.#meta, movedFrom);
      this.#names.delete(`${record.database}/${record.name}`);
      this.#names.set(`${target.database}/${target.name}`, record.collectionId);
      collection.engine = engineOf(collection.record);
      collection.info = undefined;
    });
  }

  dropCollection(database: string, name: string): Promise<void> {
    return this.#changes.run(async () => {
      const { record, aliases, partitions } = this.#mustFind(database, name);
      if (aliases.size > 0)
        throw new DbError('OPTION_INVALID', `${name}: no alias expected, got ${[...aliases].join(', ')}`, {
          details: { option: 'collection', got: [...aliases] },
        });
      await remove(this.#meta, collectionKey(record.database, record.name));
      this.#names.delete(`${record.database}/${record.name}`);
      this.#collections.delete(record.collectionId);
      const channels = [...partitions.values()];
      for (const channel of channels) this.#places.delete(channel);
      this.#hooks.dropped(channels);
      for (const partition of partitions.keys()) await remove(this.#meta, partitionKey(record.collectionId, partition));
      await this.#forgetManifests(channels);
    });
  }

  createPartition(database: string, name: string, partition: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      checkPartitionName(name, partition);
      if (collection.partitions.has(partition)) throw taken(`${name}: partition`, partition);
      await this.#createPartition(collection, partition);
    });
  }

  /** Like `createPartition`, but one that is there already is no error. */
  ensurePartition(database: string, name: string, partition: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      checkPartitionName(name, partition);
      if (!collection.partitions.has(partition)) await this.#createPartition(collection, partition);
    });
  }

  dropPartition(database: string, name: string, partition: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      const channel = collection.partitions.get(partition);
      if (channel === undefined) throw unknownPartition(name, partition);
      if (partition === DEFAULT_PARTITION) {
        throw new DbError('OPTION_INVALID', `${name}: a partition other than ${partition} expected`, {
          details: { option: 'partition', got: partition },
        });
      }
      await remove(this.#meta, partitionKey(collection.record.collectionId, partition));
      collection.partitions.delete(partition);
      collection.info = undefined;
      this.#places.delete(channel);
      this.#hooks.dropped([channel]);
      await this.#forgetManifests([channel]);
    });
  }

  setAlias(database: string, alias: string, name: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      checkName('alias', alias);
      const known = this.#names.get(`${database}/${alias}`);
      const before = known === undefined ? undefined : this.#collections.get(known);
      if (before !== undefined && !before.aliases.has(alias)) throw taken('collection', alias);
      const { collectionId } = collection.record;
      const entry = await this.#meta.get(aliasKey(database, alias));
      await mustSet(this.#meta, aliasKey(database, alias), entry?.revision ?? 0, { collectionId });
      before?.aliases.delete(alias);
      collection.aliases.add(alias);
      if (before !== undefined) before.info = undefined;
      collection.info = undefined;
      this.#names.set(`${database}/${alias}`, collectionId);
    });
  }

  dropAlias(database: string, alias: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#find(database, alias);
      if (collection === undefined || !collection.aliases.has(alias)) throw unknownCollection(database, alias, []);
      await remove(this.#meta, aliasKey(database, alias));
      collection.aliases.delete(alias);
      collection.info = undefined;
      this.#names.delete(`${database}/${alias}`);
    });
  }

  /** When no change is under way. */
  idle(): Promise<void> {
    return this.#changes.idle();
  }

  /* ---------- inside ---------- */
  async #load(): Promise<void> {
    const meta = this.#meta;
    for (const entry of await meta.list(DATABASE_PREFIX)) {
      const database = readDatabase(entry);
      this.#databases.set(database.name, database);
    }
    const records = (await meta.list(COLLECTION_PREFIX)).map(readCollection);
    const moved = new Set(records.map(({ movedFrom }) => movedFrom));
    for (const record of records) {
      const key = collectionKey(record.database, record.name);
      const isOld = moved.has(key) && records.some((other) => other.movedFrom === key && other.collectionId === record.collectionId);
      if (isOld) {
        await remove(meta, key);
        continue;
      }
      this.#collections.set(record.collectionId, collectionOf(record));
      this.#names.set(`${record.database}/${record.name}`, record.collectionId);
    }
    for (const entry of await meta.list(PARTITION_PREFIX))
      await this.#loadPartition(entry.key, textOf(entry, decodeRecord(entry), 'partitionId'));
    await this.#sweepManifests();
    for (const entry of await meta.list(ALIAS_PREFIX)) {
      const [database = '', alias = ''] = entry.key.slice(ALIAS_PREFIX.length).split('/');
      const collection = this.#collections.get(textOf(entry, decodeRecord(entry), 'collectionId'));
      if (collection === undefined) continue;
      collection.aliases.add(alias);
      this.#names.set(`${database}/${alias}`, collection.record.collectionId);
    }
  }

  /** A seal that ended while its channel was dropped may have published once more. */
  async #sweepManifests(): Promise<void> {
    for (const channel of (await readManifestPointers(this.#meta)).keys())
      if (!this.#places.has(channel)) await this.#forgetManifests([channel]);
  }

  /** A partition of a collection that is gone is what a crash left of a drop or a create. */
  async #loadPartition(key: string, partitionId: string): Promise<void> {
    const [collectionId = '', partition = ''] = key.slice(PARTITION_PREFIX.length).split('/');
    const collection = this.#collections.get(collectionId);
    if (collection !== undefined) {
      this.#addPlace(collection, partition, channelName(collectionId, partitionId));
      return;
    }
    await remove(this.#meta, key);
  }

  async #createPartition(collection: Collection, partition: string): Promise<void> {
    if (collection.partitions.size >= MAX_PARTITIONS) throw tooMany('partitions', MAX_PARTITIONS);
    const partitionId = await this.#storePartition(collection.record.collectionId, partition);
    this.#addPartition(collection, partition, partitionId);
  }

  async #storePartition(collectionId: string, partition: string): Promise<string> {
    const partitionId = newCatalogId(this.#rng);
    await mustSet(this.#meta, partitionKey(collectionId, partition), 0, { partitionId });
    return partitionId;
  }

  #addPartition(collection: Collection, partition: string, partitionId: string): void {
    const channel = channelName(collection.record.collectionId, partitionId);
    this.#addPlace(collection, partition, channel);
    this.#hooks.added([this.#places.get(channel)!]);
  }

  #addPlace(collection: Collection, partition: string, channel: string): void {
    collection.partitions.set(partition, channel);
    collection.info = undefined;
    this.#places.set(channel, { channel, collectionId: collection.record.collectionId, partition });
  }

  async #forgetManifests(channels: readonly string[]): Promise<void> {
    for (const channel of channels) await remove(this.#meta, `manifest/${channel}`);
  }

  #find(database: string, name: string): Collection | undefined {
    const collectionId = this.#names.get(`${database}/${name}`);
    return collectionId === undefined ? undefined : this.#collections.get(collectionId);
  }

  #mustFind(database: string, name: string): Collection {
    this.#mustGetDatabase(database);
    const collection = this.#find(database, name);
    if (collection !== undefined) return collection;
    throw unknownCollection(
      database,
      name,
      this.collections(database).map((known) => known.name),
    );
  }

  #mustGetDatabase(database: string): void {
    if (!this.#databases.has(database)) throw unknownDatabase(database);
  }

  #mustBeFree(database: string, name: string): void {
    if (this.#names.has(`${database}/${name}`)) throw taken('collection', name);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs());
  }
}

function additive(record: CollectionRecord, given: CollectionDefinition): CollectionDefinition {
  const { name } = record;
  const definition = checkCollection(name, given);
  const schema = (of: CollectionDefinition) => ({ format: 1, version: record.version, collections: { [name]: of } }) as const;
  const difference = compareDefinitions(schema(record.definition), schema(definition));
  if (difference.type === 'older' || difference.type === 'conflict') throw schemaConflict(difference);
  return definition;
}

/** Everything of both; where both have a field, that of `wanted`, so that a difference in it is seen. */
export function unionOf(stored: CollectionDefinition, wanted: CollectionDefinition): CollectionDefinition {
  return { fields: [...wanted.fields, ...stored.fields.filter((field) => fieldOf(wanted, field.name) === undefined)] };
}

function collectionOf(record: CollectionRecord): Collection {
  return { record, engine: engineOf(record), aliases: new Set(), partitions: new Map(), info: undefined };
}

function engineOf({ name, collectionId, definition, version }: CollectionRecord): CatalogCollection {
  return { name, collectionId, definition, schemaVersion: version, schemaHash: schemaHash(definition) };
}

function infoOf(collection: Collection): CatalogCollectionInfo {
  collection.info ??= makeInfo(collection);
  return collection.info;
}

function makeInfo({ record, aliases, partitions }: Collection): CatalogCollectionInfo {
  const { database, name, collectionId, version, definition, createdAtMs, properties } = record;
  return {
    database,
    name,
    collectionId,
    schemaVersion: version,
    definition,
    aliases: [...aliases].sort(),
    partitions: new Map([...partitions].map(([partition, channel]) => [partition, [channel]])),
    createdAtMs,
    properties,
  };
}

function tooMany(what: string, most: number): DbError {
  return new DbError('OPTION_INVALID', `at most ${most} ${what} expected, got one more`, { details: { option: what, expected: most } });
}
