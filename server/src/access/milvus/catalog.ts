import type { CatalogCollectionInfo } from '../../node/types.ts';
import { enters, holds } from '../auth/principal.ts';
import {
  checkDatabase,
  DONE,
  isVisible,
  type MilvusAnswer,
  type MilvusCall,
  type MilvusHandler,
  mustFindNamed,
  reachesRows,
} from './call.ts';
import { CODES, denied, MilvusError, missingParameter } from './errors.ts';
import { checkReplicas } from './resource-groups.ts';
import { collectionNumber } from './schema.ts';

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

/** The guard has seen the collection that the body names; the alias may be of another, whose readers and writers it leads. */
function checkAliased(call: MilvusCall, { name }: CatalogCollectionInfo, privilege: 'DescribeAlias' | 'DropAlias'): void {
  const { principal, database } = call;
  const isAllowed =
    privilege === 'DescribeAlias' ? reachesRows(call, privilege, name) : holds(principal, privilege, { database, collection: name });
  if (!isAllowed) throw denied(`Privilege${privilege}`, principal.subject, database);
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
    checkAliased(call, info, 'DescribeAlias');
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
    checkAliased(call, mustBeAlias(call, alias), 'DropAlias');
    await call.node.catalog.setAlias(call.database, alias, name);
    return DONE;
  },
  drop: async (call) => {
    checkDatabase(call);
    const alias = call.body.mustText('aliasName');
    const info = aliased(call, alias);
    if (info === undefined) return DONE;
    checkAliased(call, info, 'DropAlias');
    await call.node.catalog.dropAlias(call.database, alias);
    return DONE;
  },
};

async function changeProperties(call: MilvusCall, change: (known: Map<string, string>) => void): Promise<MilvusAnswer> {
  const { catalog } = call.node;
  const database = call.body.mustText('dbName');
  checkDatabase({ ...call, database });
  const known = new Map(Object.entries(catalog.databaseProperties(database)));
  change(known);
  await catalog.alterDatabase(database, Object.fromEntries(known));
  return DONE;
}

async function alterProperties(call: MilvusCall): Promise<MilvusAnswer> {
  const wanted = call.body.params('properties');
  if (wanted.size === 0) throw missingParameter('properties');
  checkReplicas(wanted);
  return changeProperties(call, (known) => {
    for (const [name, value] of wanted) known.set(name, value);
  });
}

export const DATABASES: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ node, principal }) => ({
    data: node.catalog.databases().filter((name) => enters(principal, name)),
  }),
  create: async (call) => {
    const name = call.body.mustText('dbName');
    if (call.node.catalog.databases().includes(name)) throw new MilvusError(CODES.other, `database already exist: ${name}`);
    checkReplicas(call.body.params('properties'));
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
    const properties = Object.entries(call.node.catalog.databaseProperties(name)).map(([key, value]) => ({ key, value }));
    return { data: { dbName: name, dbID: collectionNumber(name), properties } };
  },
  alter: alterProperties,
  alter_properties: alterProperties,
  drop_properties: async (call) => {
    const names = call.body.texts('propertyKeys') ?? [];
    if (names.length === 0) throw missingParameter('propertyKeys');
    return changeProperties(call, (known) => {
      for (const name of names) known.delete(name);
    });
  },
};
