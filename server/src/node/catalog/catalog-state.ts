import { schemaHash } from '@terndb/core';
import type { CatalogCollection } from '@terndb/engine/parts';
import type { CatalogCollectionInfo } from '../types.ts';
import { taken, unknownCollection, unknownDatabase } from './names.ts';
import type { CollectionRecord, DatabaseRecord } from './records.ts';

/** Where a channel belongs. Names may change, ids do not. */
export interface ChannelPlace {
  readonly channel: string;
  readonly collectionId: string;
  readonly partition: string;
}

export interface StoredCollection {
  record: CollectionRecord;
  /** For the engine; a new object with each change. */
  engine: CatalogCollection;
  readonly aliases: Set<string>;
  /** Partition name → channel. */
  readonly partitions: Map<string, string>;
  /** What is told of it, made once per change: reads ask for it each time. */
  info: CatalogCollectionInfo | undefined;
}

/** The catalog in memory: what the records say, found by name, id and channel. It is changed when a record has been, and never before. */
export class CatalogState {
  readonly databases: Map<string, DatabaseRecord> = new Map();
  readonly collections: Map<string, StoredCollection> = new Map();
  /** `<database>/<name or alias>` → collection id. */
  readonly #names = new Map<string, string>();
  readonly #places = new Map<string, ChannelPlace>();

  /* ---------- finding ---------- */
  find(database: string, name: string): StoredCollection | undefined {
    const collectionId = this.#names.get(`${database}/${name}`);
    return collectionId === undefined ? undefined : this.collections.get(collectionId);
  }

  /** OPTION_INVALID, COLLECTION_UNKNOWN. */
  mustFind(database: string, name: string): StoredCollection {
    this.mustGetDatabase(database);
    const collection = this.find(database, name);
    if (collection !== undefined) return collection;
    const known = this.collectionsOf(database).map(({ record }) => record.name);
    throw unknownCollection(database, name, known.sort());
  }

  /** OPTION_INVALID. */
  mustGetDatabase(database: string): DatabaseRecord {
    const found = this.databases.get(database);
    if (found === undefined) throw unknownDatabase(database);
    return found;
  }

  /** OPTION_INVALID: a collection or an alias has the name. */
  mustBeFree(database: string, name: string): void {
    if (this.#names.has(`${database}/${name}`)) throw taken('collection', name);
  }

  collectionsOf(database: string): readonly StoredCollection[] {
    return [...this.collections.values()].filter(({ record }) => record.database === database);
  }

  place(channel: string): ChannelPlace | undefined {
    return this.#places.get(channel);
  }

  places(): readonly ChannelPlace[] {
    return [...this.#places.values()];
  }

  /* ---------- changing ---------- */
  addCollection(record: CollectionRecord): StoredCollection {
    const collection: StoredCollection = { record, engine: engineOf(record), aliases: new Set(), partitions: new Map(), info: undefined };
    this.collections.set(record.collectionId, collection);
    this.#addName(record.database, record.name, record.collectionId);
    return collection;
  }

  /** It has another record: another definition, name or database. */
  replace(collection: StoredCollection, record: CollectionRecord): void {
    const { database, name } = collection.record;
    if (database !== record.database || name !== record.name) {
      this.#removeName(database, name);
      this.#addName(record.database, record.name, record.collectionId);
    }
    collection.record = record;
    collection.engine = engineOf(record);
    collection.info = undefined;
  }

  /** @returns the channels that it had. */
  removeCollection({ record, partitions }: StoredCollection): readonly string[] {
    this.#removeName(record.database, record.name);
    this.collections.delete(record.collectionId);
    const channels = [...partitions.values()];
    for (const channel of channels) this.#places.delete(channel);
    return channels;
  }

  addPartition(collection: StoredCollection, partition: string, channel: string): ChannelPlace {
    const place = { channel, collectionId: collection.record.collectionId, partition };
    collection.partitions.set(partition, channel);
    collection.info = undefined;
    this.#places.set(channel, place);
    return place;
  }

  removePartition(collection: StoredCollection, partition: string, channel: string): void {
    collection.partitions.delete(partition);
    collection.info = undefined;
    this.#places.delete(channel);
  }

  /** Of another collection's it becomes this one's. */
  addAlias(collection: StoredCollection, database: string, alias: string): void {
    const before = this.find(database, alias);
    if (before !== undefined) this.removeAlias(before, database, alias);
    collection.aliases.add(alias);
    collection.info = undefined;
    this.#addName(database, alias, collection.record.collectionId);
  }

  removeAlias(collection: StoredCollection, database: string, alias: string): void {
    collection.aliases.delete(alias);
    collection.info = undefined;
    this.#removeName(database, alias);
  }

  #addName(database: string, name: string, collectionId: string): void {
    this.#names.set(`${database}/${name}`, collectionId);
  }

  #removeName(database: string, name: string): void {
    this.#names.delete(`${database}/${name}`);
  }
}

/** What is told of a collection: the same object until it changes. */
export function infoOf(collection: StoredCollection): CatalogCollectionInfo {
  collection.info ??= makeInfo(collection);
  return collection.info;
}

function engineOf({ name, collectionId, definition, version }: CollectionRecord): CatalogCollection {
  return { name, collectionId, definition, schemaVersion: version, schemaHash: schemaHash(definition) };
}

function makeInfo({ record, aliases, partitions }: StoredCollection): CatalogCollectionInfo {
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
