import { isVectorKind } from '@terndb/core';
import type { CatalogCollectionInfo } from '../../node/types.ts';
import { checkDatabase, checkMayAlter, DONE, isVisible, type MilvusCall, type MilvusHandler, mustFind } from './call.ts';
import { rowCount } from './collections.ts';
import { CODES, denied, invalidParameter, MilvusError } from './errors.ts';
import { collectionNumber, metricOfField } from './schema.ts';

function visible(call: MilvusCall): CatalogCollectionInfo {
  const info = mustFind(call, call.body.mustText('collectionName'));
  if (!isVisible(call, info)) throw denied('PrivilegeDescribeCollection', call.principal.subject, call.database);
  return info;
}

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
    const { node, principal, database, body } = call;
    checkDatabase(node, principal, database);
    const name = body.text('collectionName') ?? '';
    const infos = name === '' ? node.catalog.collections(database).filter((info) => isVisible(call, info)) : [visible(call)];
    return { data: infos.flatMap(({ aliases }) => aliases) };
  },
  describe: async (call) => {
    const alias = call.body.mustText('aliasName');
    checkDatabase(call.node, call.principal, call.database);
    const info = mustBeAlias(call, alias);
    if (!isVisible(call, info)) throw denied('PrivilegeDescribeAlias', call.principal.subject, call.database);
    return { data: { dbName: call.database, collectionName: info.name, aliasName: alias } };
  },
  create: async (call) => {
    checkMayAlter(call, 'CreateAlias');
    const { node, database, body } = call;
    const { name } = mustFind(call, body.mustText('collectionName'));
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
    checkMayAlter(call, 'AlterAlias');
    const { name } = mustFind(call, call.body.mustText('collectionName'));
    const alias = call.body.mustText('aliasName');
    mustBeAlias(call, alias);
    await call.node.catalog.setAlias(call.database, alias, name);
    return DONE;
  },
  drop: async (call) => {
    checkMayAlter(call, 'DropAlias');
    const alias = call.body.mustText('aliasName');
    if (aliased(call, alias) !== undefined) await call.node.catalog.dropAlias(call.database, alias);
    return DONE;
  },
};

/** Databases are made by those who are bound to none. */
function checkMayAlterDatabases({ principal }: MilvusCall, privilege: string): void {
  if (!principal.schema || principal.database !== undefined)
    throw denied(`Privilege${privilege}`, principal.subject, principal.database ?? 'default');
}

export const DATABASES: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ node, principal }) => ({
    data: node.catalog.databases().filter((name) => principal.database === undefined || principal.database === name),
  }),
  create: async (call) => {
    checkMayAlterDatabases(call, 'CreateDatabase');
    const name = call.body.mustText('dbName');
    if (call.node.catalog.databases().includes(name)) throw new MilvusError(CODES.other, `database already exist: ${name}`);
    await call.node.catalog.createDatabase(name, Object.fromEntries(call.body.params('properties')));
    return DONE;
  },
  drop: async (call) => {
    checkMayAlterDatabases(call, 'DropDatabase');
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
    checkDatabase(call.node, call.principal, name);
    return { data: { dbName: name, dbID: collectionNumber(name), properties: [] } };
  },
};

/** Every vector field has one index, which is made with the field and serves by itself: what clients create and drop is accepted. */
export const INDEXES: Readonly<Record<string, MilvusHandler>> = {
  list: async (call) => ({ data: vectorFields(visible(call)).map(({ name }) => name) }),
  describe: async (call) => {
    const info = visible(call);
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
    checkMayAlter(call, 'CreateIndex');
    const info = visible(call);
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
  drop: async (call) => {
    checkMayAlter(call, 'DropIndex');
    visible(call);
    call.body.mustText('indexName');
    return DONE;
  },
};

const vectorFields = ({ definition }: CatalogCollectionInfo): CatalogCollectionInfo['definition']['fields'] =>
  definition.fields.filter(({ type }) => isVectorKind(type));
