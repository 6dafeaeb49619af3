import {
  type Clock,
  type CollectionDefinition,
  checkCollection,
  DbError,
  MAX_COLLECTIONS,
  MAX_PARTITIONS,
  type MetaStore,
  newCatalogId,
  type Rng,
  schemaHash,
} from '@terndb/core';
import { DEFAULT_PARTITION } from '@terndb/engine';
import { type CatalogCollection, checkPartitionName, JobQueue } from '@terndb/engine/parts';
import type { NodeChannel } from '../channels/node-channel.ts';
import type { CatalogCollectionInfo, NodeCatalog } from '../types.ts';
import { type CatalogState, type ChannelPlace, infoOf, type StoredCollection } from './catalog-state.ts';
import { alterDatabase, createDatabase, type DatabaseParts, dropDatabase } from './databases.ts';
import { additive, unionOf } from './definitions.ts';
import { checkCollectionRoom } from './limit-properties.ts';
import { loadCatalog } from './load-catalog.ts';
import { checkName, checkProperties, DEFAULT_DATABASE, taken, tooMany, unknownCollection, unknownPartition } from './names.ts';
import { aliasKey, collectionKey, mustSet, type Properties, partitionKey, remove, storeCollection } from './records.ts';
import { type Replacement, replaceEmpty } from './replace-empty.ts';
import { channelName } from './slots.ts';

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
  /** Everything sent to them before the call is folded when it resolves. True: there was nothing, ever. */
  readonly areEmpty: (channels: readonly string[]) => Promise<boolean>;
}

export interface CatalogPorts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly rng: Rng;
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
  readonly #state: CatalogState;
  readonly #closing = new Set<string>();
  /** Of one database. */
  readonly #maxCollections: number;
  #hooks: CatalogHooks = { added: () => {}, dropped: () => {}, altered: () => Promise.resolve(), areEmpty: () => Promise.resolve(true) };

  private constructor(ports: CatalogPorts, state: CatalogState, maxCollections: number) {
    this.#state = state;
    this.#maxCollections = maxCollections;
    this.#meta = ports.meta;
    this.#clock = ports.clock;
    this.#rng = ports.rng;
  }

  /** FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED, STORAGE_UNAVAILABLE. */
  static async open(ports: CatalogPorts, maxCollections: number = MAX_COLLECTIONS): Promise<StoredCatalog> {
    const catalog = new StoredCatalog(ports, await loadCatalog(ports.meta), maxCollections);
    if (!catalog.#state.databases.has(DEFAULT_DATABASE)) await catalog.createDatabase(DEFAULT_DATABASE);
    return catalog;
  }

  set hooks(hooks: CatalogHooks) {
    this.#hooks = hooks;
  }

  /* ---------- reading ---------- */
  databases(): readonly string[] {
    return [...this.#state.databases.keys()].sort();
  }

  collections(database: string): readonly CatalogCollectionInfo[] {
    this.#state.mustGetDatabase(database);
    return this.#state
      .collectionsOf(database)
      .map(infoOf)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(database: string, name: string): CatalogCollectionInfo | undefined {
    const collection = this.#find(database, name);
    return collection && infoOf(collection);
  }

  placeOf(channel: string): { database: string; collection: string; partition: string } | undefined {
    const place = this.#state.place(channel);
    const record = place && this.#state.collections.get(place.collectionId)?.record;
    return place && record && { database: record.database, collection: record.name, partition: place.partition };
  }

  places(): readonly ChannelPlace[] {
    return this.#state.places();
  }

  has(channel: string): boolean {
    return this.#state.place(channel) !== undefined;
  }

  /** As the engine takes it. Undefined when it was dropped. */
  engineCollection(collectionId: string): CatalogCollection | undefined {
    return this.#state.collections.get(collectionId)?.engine;
  }

  /** Whether a channel still shows itself under an older definition: a schema change is under way, or its last try failed. */
  isBehind({ channel }: NodeChannel): boolean {
    const { collectionId, schemaHash: shown } = channel.collection;
    return (this.engineCollection(collectionId)?.schemaHash ?? shown) !== shown;
  }

  /** It takes nothing: its collection may be about to be replaced. */
  isClosing(channel: string): boolean {
    return this.#closing.has(channel);
  }

  /** OPTION_INVALID, COLLECTION_UNKNOWN. */
  mustFind(database: string, name: string): CatalogCollectionInfo {
    return infoOf(this.#mustFind(database, name));
  }

  /* ---------- changing ---------- */
  createDatabase(name: string, properties?: Properties): Promise<void> {
    return this.#changes.run(() => createDatabase(this.#parts(), name, properties));
  }

  /** OPTION_INVALID for a database that is not there. */
  databaseProperties(name: string): Properties {
    return this.#state.mustGetDatabase(name).properties;
  }

  /** The properties as a whole. OPTION_INVALID. */
  alterDatabase(name: string, properties: Properties): Promise<void> {
    return this.#changes.run(() => alterDatabase(this.#parts(), name, properties));
  }

  dropDatabase(name: string): Promise<void> {
    return this.#changes.run(() => dropDatabase(this.#parts(), name));
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
    this.#state.mustGetDatabase(database);
    if (shards !== 1)
      throw new DbError('OPTION_INVALID', `${name}: 1 shard expected, got ${shards}`, { details: { option: 'shards', got: shards } });
    const definition = checkCollection(name, given);
    checkProperties('properties', properties);
    this.#state.mustBeFree(database, name);
    if (this.#state.collections.size >= MAX_COLLECTIONS) throw tooMany('collections', MAX_COLLECTIONS);
    this.#checkRoom(database);
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
    const collection = this.#state.addCollection(record);
    this.#addPartition(collection, DEFAULT_PARTITION, partitionId);
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
    this.#state.replace(collection, await storeCollection(this.#meta, { ...record, definition, properties, version }));
    // Also when nothing is new: an earlier change may not have reached every channel.
    await this.#hooks.altered(collection.engine);
    return infoOf(collection);
  }

  replaceEmpty(
    database: string,
    name: string,
    replace: (info: CatalogCollectionInfo) => Replacement,
  ): Promise<CatalogCollectionInfo | undefined> {
    return this.#changes.run(() => {
      const parts = { meta: this.#meta, state: this.#state, hooks: this.#hooks, closing: this.#closing };
      return replaceEmpty({ ...parts, newId: () => newCatalogId(this.#rng) }, this.#mustFind(database, name), replace);
    });
  }

  renameCollection(database: string, name: string, to: { readonly database?: string; readonly name: string }): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      const target = { database: to.database ?? database, name: checkName('collection', to.name) };
      this.#state.mustGetDatabase(target.database);
      this.#state.mustBeFree(target.database, target.name);
      if (target.database !== database) this.#checkRoom(target.database);
      if (target.database !== database && collection.aliases.size > 0)
        throw taken('alias of the collection', [...collection.aliases].join(', '));
      const { record } = collection;
      const movedFrom = collectionKey(record.database, record.name);
      const moved = await storeCollection(this.#meta, { ...record, ...target, movedFrom, revision: 0 });
      await remove(this.#meta, movedFrom);
      this.#state.replace(collection, moved);
    });
  }

  dropCollection(database: string, name: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      const { record, aliases } = collection;
      if (aliases.size > 0)
        throw new DbError('OPTION_INVALID', `${name}: no alias expected, got ${[...aliases].join(', ')}`, {
          details: { option: 'collection', got: [...aliases] },
        });
      await remove(this.#meta, collectionKey(record.database, record.name));
      const channels = this.#state.removeCollection(collection);
      this.#hooks.dropped(channels);
      for (const partition of collection.partitions.keys()) await remove(this.#meta, partitionKey(record.collectionId, partition));
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
      this.#state.removePartition(collection, partition, channel);
      this.#hooks.dropped([channel]);
      await this.#forgetManifests([channel]);
    });
  }

  setAlias(database: string, alias: string, name: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#mustFind(database, name);
      checkName('alias', alias);
      const before = this.#find(database, alias);
      if (before !== undefined && !before.aliases.has(alias)) throw taken('collection', alias);
      const { collectionId } = collection.record;
      const entry = await this.#meta.get(aliasKey(database, alias));
      await mustSet(this.#meta, aliasKey(database, alias), entry?.revision ?? 0, { collectionId });
      this.#state.addAlias(collection, database, alias);
    });
  }

  dropAlias(database: string, alias: string): Promise<void> {
    return this.#changes.run(async () => {
      const collection = this.#find(database, alias);
      if (collection === undefined || !collection.aliases.has(alias)) throw unknownCollection(database, alias, []);
      await remove(this.#meta, aliasKey(database, alias));
      this.#state.removeAlias(collection, database, alias);
    });
  }

  /** When no change is under way. */
  idle(): Promise<void> {
    return this.#changes.idle();
  }

  /* ---------- inside ---------- */
  async #createPartition(collection: StoredCollection, partition: string): Promise<void> {
    if (collection.partitions.size >= MAX_PARTITIONS) throw tooMany('partitions', MAX_PARTITIONS);
    const partitionId = await this.#storePartition(collection.record.collectionId, partition);
    this.#addPartition(collection, partition, partitionId);
  }

  async #storePartition(collectionId: string, partition: string): Promise<string> {
    const partitionId = newCatalogId(this.#rng);
    await mustSet(this.#meta, partitionKey(collectionId, partition), 0, { partitionId });
    return partitionId;
  }

  #addPartition(collection: StoredCollection, partition: string, partitionId: string): void {
    const channel = channelName(collection.record.collectionId, partitionId);
    this.#hooks.added([this.#state.addPartition(collection, partition, channel)]);
  }

  async #forgetManifests(channels: readonly string[]): Promise<void> {
    for (const channel of channels) await remove(this.#meta, `manifest/${channel}`);
  }

  #checkRoom(database: string): void {
    const there = this.#state.collectionsOf(database).length;
    checkCollectionRoom(database, this.databaseProperties(database), { there, most: this.#maxCollections });
  }

  #find(database: string, name: string): StoredCollection | undefined {
    return this.#state.find(database, name);
  }

  #mustFind(database: string, name: string): StoredCollection {
    return this.#state.mustFind(database, name);
  }

  #parts(): DatabaseParts {
    return { meta: this.#meta, state: this.#state, nowMs: this.#nowMs() };
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs());
  }
}
