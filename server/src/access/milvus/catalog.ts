import { isVectorKind } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { enters } from '../auth/principal.ts';
import { checkDatabase, DONE, isVisible, type MilvusAnswer, type MilvusCall, type MilvusHandler, mustFindNamed } from './call.ts';
import { rowCount } from './collections.ts';
import { CODES, invalidParameter, MilvusError, missingParameter } from './errors.ts';
import { collectionNumber, isLoaded, metricOfField } from './schema.ts';

const ALIAS_UNKNOWN = 1600;
const ALIAS_IS_COLLECTION = 1601;
const ALIAS_TAKEN = 1602;

/** The collection that an alias stands for. */
function aliased({ node, database }: MilvusCall, alias: string): CatalogCollectionInfo | undefined {
  return node.catalog.collections(database).find(({ aliases }) => aliases.includes(alias));
}

function mustBeAlias(call: MilvusCall, alias: string): CatalogCollectionInfo {
  const info = aliased(call, alias);
  if (info === undefined) throw new MilvusError(ALIAS_UNKNOWN, `alias not found[database=${call.database}][alias=${alias}]`);
  return info;
}

export const ALIASES: Readonly<Record<string, MilvusHandler>> = {
  list: async (call) => {
    const { node, database, body } = call;
    checkDatabase(call);
    const name = body.text('collectionName') ?? '';
    const infos = name === '' ? node.catalog.collections(database).filter((info) => isVisible(call, info)) : [mustFindNamed(call)];
    return { data: infos.flatMap(({ aliases }) => aliases) };
  },
  describe: async (call) => {
    const alias = call.body.mustText('aliasName');
    checkDatabase(call);
    const info = mustBeAlias(call, alias);
    return { data: { dbName: call.database, collectionName: info.name, aliasName: alias } };
  },
  create: async (call) => {
    const { node, database, body } = call;
    const { name } = mustFindNamed(call);
    const alias = body.mustText('aliasName');
    const known = aliased(call, alias);
    if (known?.name === name) return DONE;
    if (known !== undefined)
      throw new MilvusError(ALIAS_TAKEN, `${alias} is alias to another collection: ${known.name}: alias already exist`);
    if (node.catalog.find(database, alias) !== undefined) {
      throw new MilvusError(ALIAS_IS_COLLECTION, `alias and collection name conflict[database=${database}][alias=${alias}]`);
    }
    await node.catalog.setAlias(database, alias, name);
    return DONE;
  },
  alter: async (call) => {
    const { name } = mustFindNamed(call);
    const alias = call.body.mustText('aliasName');
    mustBeAlias(call, alias);
    await call.node.catalog.setAlias(call.database, alias, name);
    return DONE;
  },
  drop: async (call) => {
    checkDatabase(call);
    const alias = call.body.mustText('aliasName');
    if (aliased(call, alias) !== undefined) await call.node.catalog.dropAlias(call.database, alias);
    return DONE;
  },
};

export const DATABASES: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ node, principal }) => ({
    data: node.catalog.databases().filter((name) => enters(principal, name)),
  }),
  create: async (call) => {
    const name = call.body.mustText('dbName');
    if (call.node.catalog.databases().includes(name)) throw new MilvusError(CODES.other, `database already exist: ${name}`);
    await call.node.catalog.createDatabase(name, Object.fromEntries(call.body.params('properties')));
    return DONE;
  },
  drop: async (call) => {
    const { node, body } = call;
    const name = body.mustText('dbName');
    if (name === 'default') throw new MilvusError(CODES.other, 'can not drop default database');
    if (!node.catalog.databases().includes(name)) return DONE;
    if (node.catalog.collections(name).length > 0)
      throw new MilvusError(CODES.other, `database:${name} not empty, must drop all collections before drop database`);
    await node.catalog.dropDatabase(name);
    return DONE;
  },
  describe: async (call) => {
    const name = call.body.mustText('dbName');
    checkDatabase({ ...call, database: name });
    return { data: { dbName: name, dbID: collectionNumber(name), properties: [] } };
  },
};

/** Every vector field has one index, which is made with the field and serves by itself: what clients create and drop is accepted. */
export const INDEXES: Readonly<Record<string, MilvusHandler>> = {
  list: async (call) => ({ data: vectorFields(mustFindNamed(call)).map(({ name }) => name) }),
  describe: async (call) => {
    const info = mustFindNamed(call);
    const name = call.body.mustText('indexName');
    const field = vectorFields(info).find((candidate) => candidate.name === name);
    if (field === undefined) throw new MilvusError(CODES.indexNotFound, `index not found[indexName=${name}]`);
    const rows = rowCount(call, info.name);
    const metricType = metricOfField(field);
    const state = {
      indexState: 'Finished',
      failReason: '',
      totalRows: rows,
      indexedRows: rows,
      pendingRows: 0,
      minIndexVersion: 0,
      maxIndexVersion: 0,
    };
    const indexParams = [
      { key: 'index_type', value: 'AUTOINDEX' },
      { key: 'metric_type', value: metricType },
    ];
    return { data: [{ indexName: name, fieldName: name, indexType: 'AUTOINDEX', metricType, ...state, indexParams }] };
  },
  create: async (call) => {
    const info = mustFindNamed(call);
    for (const item of call.body.bodies('indexParams')) {
      const fieldName = item.mustText('fieldName');
      const field = info.definition.fields.find(({ name }) => name === fieldName);
      if (field === undefined) throw invalidParameter(`cannot create index on non-exist field: ${fieldName}`);
      const metric = item.text('metricType') ?? '';
      const expected = metricOfField(field);
      if (isVectorKind(field.type) && metric !== '' && metric !== expected) {
        throw invalidParameter(`${fieldName}: its metric is set when the collection is created[expected=${expected}][actual=${metric}]`);
      }
    }
    return DONE;
  },
  alter_properties: async (call) => {
    const names = [...call.body.params('properties').keys()];
    return tune(call, names, 'properties');
  },
  drop_properties: async (call) => tune(call, call.body.texts('propertyKeys') ?? [], 'propertyKeys'),
  drop: async (call) => {
    mustFindNamed(call);
    call.body.mustText('indexName');
    return DONE;
  },
};

/** Hints to a memory that Tern does not have: checked as Milvus checks them, and without effect. */
const TUNABLE = ['mmap.enabled', 'indexoffsetcache.enabled', 'warmup'];
function tune(call: MilvusCall, names: readonly string[], from: string): MilvusAnswer {
  const info = mustFindNamed(call);
  const index = call.body.mustText('indexName');
  if (names.length === 0) throw missingParameter(from);
  if (!vectorFields(info).some(({ name }) => name === index))
    throw new MilvusError(CODES.indexNotFound, `index not found[indexName=${index}]`);
  const unknown = names.find((name) => !TUNABLE.includes(name));
  if (unknown !== undefined) throw invalidParameter(`${unknown} is not a configable index property`);
  if (isLoaded(info))
    throw new MilvusError(
      CODES.loaded,
      `can't alter index on loaded collection, please release the collection first: collection already loaded`,
    );
  return DONE;
}

const vectorFields = ({ definition }: CatalogCollectionInfo): CatalogCollectionInfo['definition']['fields'] =>
  definition.fields.filter(({ type }) => isVectorKind(type));
