import { type CollectionDefinition, checkCollection, DbError, type MetaEntry, type MetaStore, newLogEpoch, type Rng } from '@terndb/core';
import { decodeRecord, encodeRecord, invalidRecord, type RecordFields, textOf } from '@terndb/engine/parts';

/**
 * Records of a node in the meta store: UTF-8 JSON objects under compare-and-set, in the engine's envelope `{ format: 1, … }`.
 *   node                               { logEpoch, slots }: the universe (R14); slots are fixed when it is made
 *   database/<database>                { createdAtMs, properties }
 *   collection/<database>/<name>       { collectionId, version, definition, createdAtMs, properties, movedFrom? }
 *   alias/<database>/<alias>           { collectionId }
 *   partition/<collectionId>/<name>    { partitionId }
 *   slot/<slot>                        { leaderEpoch }: of the last leader
 *   cuts/<slot>                        { cuts: [[sequence, atMs], …] }: up to where manifests covered the log, and since when
 *   manifest/<channel>                 the engine's pointer to the newest manifest
 * A rename writes the new collection record with `movedFrom`, then deletes the old one: after a crash between, the new one counts.
 * History: 1 first version. Unknown format -> FORMAT_VERSION_UNSUPPORTED.
 */
export type Properties = Readonly<Record<string, string>>;

export interface NodeRecord {
  readonly logEpoch: string;
  readonly slots: number;
}

export interface DatabaseRecord {
  readonly name: string;
  readonly createdAtMs: number;
  readonly properties: Properties;
  readonly revision: number;
}

export interface CollectionRecord {
  readonly database: string;
  readonly name: string;
  readonly collectionId: string;
  readonly version: number;
  readonly definition: CollectionDefinition;
  readonly createdAtMs: number;
  readonly properties: Properties;
  readonly movedFrom?: string;
  readonly revision: number;
}

export const DATABASE_PREFIX = 'database/';
export const COLLECTION_PREFIX = 'collection/';
export const ALIAS_PREFIX = 'alias/';
export const PARTITION_PREFIX = 'partition/';
const NODE_KEY = 'node';

export const collectionKey = (database: string, name: string): string => `${COLLECTION_PREFIX}${database}/${name}`;
export const aliasKey = (database: string, alias: string): string => `${ALIAS_PREFIX}${database}/${alias}`;
export const partitionKey = (collectionId: string, name: string): string => `${PARTITION_PREFIX}${collectionId}/${name}`;

/** The node's record, made at the first open; with `newEpoch` it becomes another universe. */
export async function ensureNodeRecord(meta: MetaStore, rng: Rng, options: { slots: number; newEpoch: boolean }): Promise<NodeRecord> {
  const entry = await meta.get(NODE_KEY);
  const known = entry && decodeRecord(entry);
  if (entry !== undefined && known !== undefined && !options.newEpoch) {
    return { logEpoch: textOf(entry, known, 'logEpoch'), slots: integerOf(entry, known, 'slots') };
  }
  const slots = entry !== undefined && known !== undefined ? integerOf(entry, known, 'slots') : options.slots;
  const made: NodeRecord = { logEpoch: newLogEpoch(rng), slots };
  await mustSet(meta, NODE_KEY, entry?.revision ?? 0, { ...made });
  return made;
}

/** A number above every leader epoch of the slot so far; fences whoever led before (R17). APPEND_CONFLICT. */
export async function takeLeaderEpoch(meta: MetaStore, slot: number): Promise<number> {
  const key = `slot/${slot}`;
  const entry = await meta.get(key);
  const leaderEpoch = (entry === undefined ? 0 : integerOf(entry, decodeRecord(entry), 'leaderEpoch')) + 1;
  await mustSet(meta, key, entry?.revision ?? 0, { leaderEpoch });
  return leaderEpoch;
}

export function readDatabase(entry: MetaEntry): DatabaseRecord {
  const fields = decodeRecord(entry);
  return {
    name: entry.key.slice(DATABASE_PREFIX.length),
    createdAtMs: integerOf(entry, fields, 'createdAtMs'),
    properties: propertiesOf(entry, fields),
    revision: entry.revision,
  };
}

export function readCollection(entry: MetaEntry): CollectionRecord {
  const fields = decodeRecord(entry);
  const [database = '', name = ''] = entry.key.slice(COLLECTION_PREFIX.length).split('/');
  const { movedFrom } = fields;
  let definition: CollectionDefinition;
  try {
    definition = checkCollection(name, fields['definition']);
  } catch (error) {
    throw invalidRecord(entry, 'definition: a collection definition expected', error);
  }
  return {
    database,
    name,
    collectionId: textOf(entry, fields, 'collectionId'),
    version: integerOf(entry, fields, 'version'),
    definition,
    createdAtMs: integerOf(entry, fields, 'createdAtMs'),
    properties: propertiesOf(entry, fields),
    ...(typeof movedFrom === 'string' ? { movedFrom } : {}),
    revision: entry.revision,
  };
}

/** One value of the meta store. */
const MAX_RECORD_BYTES = 65_536;

/** OPTION_INVALID when the meta store cannot hold it. */
export function checkRoomFor({ database: _, name, revision: __, ...fields }: CollectionRecord): void {
  const { byteLength } = encodeRecord(fields);
  if (byteLength <= MAX_RECORD_BYTES) return;
  const details = { option: 'properties', expected: MAX_RECORD_BYTES, got: byteLength };
  throw new DbError(
    'OPTION_INVALID',
    `${name}: definition and properties of at most ${MAX_RECORD_BYTES} bytes expected, got ${byteLength}`,
    { details },
  );
}

/** Writes it in the place of `revision` (0: it is new). @returns the record as it is now. APPEND_CONFLICT; OPTION_INVALID when it is too large. */
export async function storeCollection(meta: MetaStore, record: CollectionRecord): Promise<CollectionRecord> {
  checkRoomFor(record);
  const { database, name, revision, ...fields } = record;
  return { ...record, revision: await mustSet(meta, collectionKey(database, name), revision, fields) };
}

/** @returns the new revision. APPEND_CONFLICT when another writer was there first. */
export async function mustSet(meta: MetaStore, key: string, expectedRevision: number, fields: RecordFields): Promise<number> {
  const revision = await meta.compareAndSet(key, expectedRevision, encodeRecord(fields));
  if (revision !== undefined) return revision;
  throw new DbError('APPEND_CONFLICT', `catalog record ${key}: revision ${expectedRevision} expected, got another writer's`, {
    details: { key, expected: expectedRevision },
  });
}

/** Absent is no error. */
export async function remove(meta: MetaStore, key: string): Promise<void> {
  for (;;) {
    const entry = await meta.get(key);
    if (entry === undefined || (await meta.delete(key, entry.revision))) return;
  }
}

export function integerOf(entry: MetaEntry, fields: RecordFields, name: string): number {
  const value = fields[name];
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidRecord(entry, `${name}: an integer from 0 expected`);
}

function propertiesOf(entry: MetaEntry, fields: RecordFields): Properties {
  const { properties } = fields;
  const isGood =
    typeof properties === 'object' && properties !== null && Object.values(properties).every((value) => typeof value === 'string');
  if (isGood) return properties as Properties;
  throw invalidRecord(entry, 'properties: an object of strings expected');
}
