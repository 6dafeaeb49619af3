import type { Config } from '../../config/config.ts';
import { type LimitProperty, limitOf } from '../../node/catalog/limit-properties.ts';
import type { CatalogCollectionInfo } from '../../node/types.ts';

/** What is held to a rate. Writes are counted in bytes, searches in vectors, the rest in requests. */
export type RateKind = 'ddl' | 'insert' | 'upsert' | 'delete' | 'search' | 'query';

/** One bucket that a request takes from. */
export interface Rate {
  /** Of the bucket: a scope and what is counted there. */
  readonly key: string;
  readonly perSecond: number;
  /** For people. */
  readonly what: string;
}

/** How much a database or a collection may hold. */
export interface Quota {
  readonly scope: 'database' | 'collection';
  readonly unit: 'rows' | 'bytes';
  readonly most: number;
}

export type PlaceLimits = Pick<
  Config['limits'],
  | 'databaseDdlPerSecond'
  | 'databaseReadsPerSecond'
  | 'databaseWriteBytesPerSecond'
  | 'databaseRows'
  | 'databaseBytes'
  | 'collectionReadsPerSecond'
  | 'collectionWriteBytesPerSecond'
  | 'collectionRows'
  | 'collectionBytes'
>;
type Properties = Readonly<Record<string, string>>;

const MIB = 1024 * 1024;
const OWN_RATES: Readonly<Record<Exclude<RateKind, 'ddl'>, LimitProperty>> = {
  insert: 'collection.insertRate.max.mb',
  upsert: 'collection.upsertRate.max.mb',
  delete: 'collection.deleteRate.max.mb',
  search: 'collection.searchRate.max.vps',
  query: 'collection.queryRate.max.qps',
};
export const isWrite = (kind: RateKind): boolean => kind === 'insert' || kind === 'upsert' || kind === 'delete';

/** Every rate that a request of this kind is held to: the server's for the database and the collection, and the collection's own. */
export function ratesOf(limits: PlaceLimits, kind: RateKind, database: string, collection: CatalogCollectionInfo | undefined): Rate[] {
  if (kind === 'ddl') return rate(`${database} ddl`, limits.databaseDdlPerSecond, `changes of the catalog of database ${database}`);
  const isOfWrites = isWrite(kind);
  const inDatabase = isOfWrites ? limits.databaseWriteBytesPerSecond : limits.databaseReadsPerSecond;
  const unit = isOfWrites ? 'bytes written to' : 'reads of';
  const lane = isOfWrites ? 'write' : 'read';
  const rates = rate(`${database} ${lane}`, inDatabase, `${unit} database ${database}`);
  if (collection === undefined) return rates;
  const { collectionId, name, properties } = collection;
  const inCollection = isOfWrites ? limits.collectionWriteBytesPerSecond : limits.collectionReadsPerSecond;
  const own = (limitOf(properties, OWN_RATES[kind]) ?? 0) * (isOfWrites ? MIB : 1);
  return [
    ...rates,
    ...rate(`${collectionId} ${lane}`, inCollection, `${unit} collection ${name}`),
    ...rate(`${collectionId} own ${kind}`, own, `${unit} collection ${name} (${kind})`),
  ];
}

/** 0: no limit. */
function rate(key: string, perSecond: number, what: string): Rate[] {
  return perSecond > 0 ? [{ key, perSecond, what }] : [];
}

/** The settings are ceilings: a property may only be lower. */
export function quotasOf(limits: PlaceLimits, ofDatabase: Properties, ofCollection: Properties): Quota[] {
  const { databaseRows, databaseBytes, collectionRows, collectionBytes } = limits;
  return [
    ...quota('database', 'rows', databaseRows, limitOf(ofDatabase, 'database.rows.max')),
    ...quota('database', 'bytes', databaseBytes, mib(limitOf(ofDatabase, 'database.diskQuota.mb'))),
    ...quota('collection', 'rows', collectionRows, limitOf(ofCollection, 'collection.rows.max')),
    ...quota('collection', 'bytes', collectionBytes, mib(limitOf(ofCollection, 'collection.diskProtection.diskQuota.mb'))),
  ];
}

function quota(scope: Quota['scope'], unit: Quota['unit'], setting: number, property: number | undefined): Quota[] {
  const most = Math.min(setting > 0 ? setting : Number.POSITIVE_INFINITY, property ?? Number.POSITIVE_INFINITY);
  return most === Number.POSITIVE_INFINITY ? [] : [{ scope, unit, most }];
}

const mib = (amount: number | undefined): number | undefined => (amount === undefined ? undefined : amount * MIB);
