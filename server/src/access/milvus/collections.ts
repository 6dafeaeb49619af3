import { type CollectionDefinition, compareDefinitions } from '@terndb/core';
import { holds } from '../auth/principal.ts';
import {
  checkDatabase,
  DONE,
  grantedPartitions,
  isVisible,
  type MilvusAnswer,
  type MilvusCall,
  type MilvusHandler,
  mustFindNamed,
  rowCount,
} from './call.ts';
import { wantedCollection } from './create-schema.ts';
import { CODES, denied, MilvusError, missingParameter } from './errors.ts';
import { checkIndexed } from './indexes.ts';
import { checkReplicas } from './resource-groups.ts';
import { describeCollection, isLoaded, PROPERTY, RELEASED } from './schema.ts';

async function setLoad(call: MilvusCall, state: string): Promise<void> {
  const { node, database } = call;
  const info = mustFindNamed(call);
  if (state === '') checkIndexed(info);
  if ((info.properties[PROPERTY.load] ?? '') === state) return;
  const { [PROPERTY.load]: _, ...rest } = info.properties;
  await node.catalog.alterCollection(database, info.name, { properties: state === '' ? rest : { ...rest, [PROPERTY.load]: state } });
}

export const COLLECTIONS: Readonly<Record<string, MilvusHandler>> = {
  list: async (call) => {
    const { node, database } = call;
    checkDatabase(call);
    const names = node.catalog.collections(database).filter((info) => isVisible(call, info));
    return { data: names.map(({ name }) => name) };
  },
  has: async (call) => {
    const { node, database, body } = call;
    const name = body.mustText('collectionName');
    checkDatabase(call);
    const info = node.catalog.find(database, name);
    return { data: { has: info !== undefined && isVisible(call, info) } };
  },
  describe: async (call) => ({ message: '', data: describeCollection(mustFindNamed(call)) }),
  create: async (call) => {
    checkDatabase(call);
    const { node, database, body } = call;
    const name = body.mustText('collectionName');
    checkReplicas(new Map([...body.params('properties'), ...body.params('params')]));
    const { definition, properties } = wantedCollection(body);
    const known = node.catalog.find(database, name);
    if (known === undefined) {
      const shards = Number(body.params('params').get('shardsNum') ?? 1);
      await node.catalog.createCollection(database, name, definition, { shards: shards === 1 ? 1 : checkShards(shards), properties });
    } else if (!isSame(name, known.definition, definition)) {
      throw new MilvusError(CODES.other, `create duplicate collection with different parameters, collection: ${name}`);
    }
    return DONE;
  },
  drop: async (call) => {
    checkDatabase(call);
    const { node, database, body } = call;
    const name = body.mustText('collectionName');
    const info = node.catalog.find(database, name);
    if (info === undefined) return DONE;
    if (info.name !== name) throw new MilvusError(CODES.other, `cannot drop the collection via alias = ${name}`);
    if (info.aliases.length > 0) {
      throw new MilvusError(
        CODES.other,
        `unable to drop the collection [${name}] because it has associated aliases [${info.aliases.join(' ')}]`,
      );
    }
    await node.catalog.dropCollection(database, name);
    return DONE;
  },
  rename: async (call) => {
    const { node, principal, database, body } = call;
    const { name } = mustFindNamed(call);
    const to = { name: body.mustText('newCollectionName'), database: body.text('newDbName') || database };
    if (!holds(principal, 'CreateCollection', { database: to.database }))
      throw denied('PrivilegeCreateCollection', principal.subject, to.database);
    checkDatabase({ ...call, database: to.database });
    if (node.catalog.find(to.database, to.name) !== undefined) {
      throw new MilvusError(CODES.other, `duplicated new collection name ${to.name} in database ${to.database}`);
    }
    await node.catalog.renameCollection(database, name, to);
    return DONE;
  },
  load: async (call) => {
    checkReplicas(loadOptions(call));
    await setLoad(call, '');
    return DONE;
  },
  refresh_load: async (call) => {
    const { name, ...info } = mustFindNamed(call);
    if (!isLoaded({ name, ...info })) throw new MilvusError(CODES.collectionNotLoaded, `collection not loaded[collection=${name}]`);
    return DONE;
  },
  release: async (call) => {
    await setLoad(call, RELEASED);
    return DONE;
  },
  get_load_state: async (call) => {
    const info = mustFindNamed(call);
    return { message: '', data: isLoaded(info) ? { loadState: 'LoadStateLoaded', loadProgress: 100 } : { loadState: 'LoadStateNotLoad' } };
  },
  get_stats: async (call) => {
    const info = mustFindNamed(call);
    return { data: { rowCount: rowCount(call, info.name, grantedPartitions(call, info, 'GetStatistics')) } };
  },
  flush: async (call) => {
    const { name } = mustFindNamed(call);
    await call.node.flush(call.database, name);
    return DONE;
  },
  compact: async (call) => {
    const { name } = mustFindNamed(call);
    await call.node.compact(call.database, name);
    return { data: { compactionID: 1 } };
  },
  get_compaction_state: async () => ({
    data: { compactionID: 1, state: 'Completed', executingPlanNumber: 0, timeoutPlanNumber: 0, completedPlanNumber: 1 },
  }),
};

/** As texts, like parameters. */
function loadOptions({ body }: MilvusCall): ReadonlyMap<string, string> {
  const given = [
    ['replicaNumber', body.get('replicaNumber')],
    ['resourceGroups', body.get('resourceGroups')],
  ] as const;
  return new Map([
    ...body.params('params'),
    ...given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
  ]);
}

const MAX_SHARDS = 16;
function checkShards(shards: number): number {
  if (Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS) return shards;
  throw new MilvusError(CODES.invalid, `maximum shards's number should be limited to ${MAX_SHARDS}: invalid parameter`);
}

export const PARTITIONS: Readonly<Record<string, MilvusHandler>> = {
  // Names of partitions may be names of people: each sees those that are granted.
  list: async (call) => ({ data: grantedPartitions(call, mustFindNamed(call), 'ShowPartitions') }),
  has: async (call) => {
    const { partitions } = mustFindNamed(call);
    return { data: { has: partitions.has(call.body.mustText('partitionName')) } };
  },
  create: async (call) => {
    const info = mustFindNamed(call);
    const partition = call.body.mustText('partitionName');
    if (info.properties[PROPERTY.partitionKey] !== undefined)
      throw new MilvusError(CODES.other, 'disable create partition if partition key mode is used');
    if (!info.partitions.has(partition)) await call.node.catalog.createPartition(call.database, info.name, partition);
    return DONE;
  },
  drop: async (call) => {
    const info = mustFindNamed(call);
    const partition = call.body.mustText('partitionName');
    if (partition === '_default') throw new MilvusError(CODES.other, 'default partition cannot be deleted');
    if (isLoaded(info)) throw new MilvusError(CODES.other, 'partition cannot be dropped, partition is loaded, please release it first');
    if (info.partitions.has(partition)) await call.node.catalog.dropPartition(call.database, info.name, partition);
    return DONE;
  },
  // Collections are loaded as a whole.
  load: async (call) => loadPartitions(call),
  release: async (call) => loadPartitions(call),
  get_stats: async (call) => {
    const { name, partitions } = mustFindNamed(call);
    const partition = call.body.mustText('partitionName');
    if (!partitions.has(partition)) throw new MilvusError(CODES.partitionNotFound, `partition not found[partition=${partition}]`);
    return { data: { rowCount: rowCount(call, name, [partition]) } };
  },
};

async function loadPartitions(call: MilvusCall): Promise<MilvusAnswer> {
  const { partitions } = mustFindNamed(call);
  const names = call.body.texts('partitionNames') ?? [];
  if (names.length === 0) throw missingParameter('partitionNames');
  const unknown = names.find((name) => !partitions.has(name));
  if (unknown !== undefined) throw new MilvusError(CODES.partitionNotFound, `partition not found[partition=${unknown}]`);
  return DONE;
}

/** But for what may have been altered since: a time to live, indexes of scalars. */
function isSame(name: string, known: CollectionDefinition, wanted: CollectionDefinition): boolean {
  const schema = (of: CollectionDefinition) => ({ format: 1, version: 1, collections: { [name]: of } }) as const;
  return compareDefinitions(schema(known), schema(wanted)).type === 'equal';
}
