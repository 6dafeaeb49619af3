import { NOT_HERE } from './not-here.ts';

/**
 * What each route's body may hold, as JSON Schema: for people who read and for tools that generate clients. Bodies are checked by the handlers, which
 * say what Milvus would say; a test holds both to the same required names.
 */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'array', items: text };
const count: Schema = { type: 'integer' };
const flag: Schema = { type: 'boolean' };
const object: Schema = { type: 'object' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const properties = (names: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties: names,
  ...(required.length === 0 ? {} : { required }),
});

const INDEX = properties(
  {
    fieldName: text,
    indexName: text,
    indexType: text,
    metricType: { enum: ['L2', 'IP', 'COSINE', 'HAMMING', 'JACCARD', 'BM25'] },
    params: object,
  },
  ['fieldName'],
);
const FIELD = properties(
  {
    fieldName: text,
    dataType: text,
    elementDataType: text,
    isPrimary: flag,
    isPartitionKey: flag,
    nullable: flag,
    defaultValue: {},
    elementTypeParams: object,
  },
  ['fieldName', 'dataType'],
);
const FUNCTION = properties({ name: text, type: { enum: ['BM25'] }, inputFieldNames: texts, outputFieldNames: texts }, [
  'name',
  'type',
  'inputFieldNames',
  'outputFieldNames',
]);
const SCHEMA = properties({ autoID: flag, enableDynamicField: flag, fields: list(FIELD), functions: list(FUNCTION) });
const LEVEL: Schema = { enum: ['Strong', 'Session', 'Bounded', 'Eventually', 'Customized'] };

/** Every name that a body may have, wherever it is. */
const NAMES: Readonly<Record<string, Schema>> = {
  dbName: text,
  name: text,
  collectionName: text,
  newCollectionName: text,
  newDbName: text,
  partitionName: text,
  partitionNames: texts,
  aliasName: text,
  indexName: text,
  indexParams: list(INDEX),
  fieldName: text,
  fieldParams: object,
  schema: SCHEMA,
  description: text,
  params: object,
  dimension: count,
  idType: { enum: ['Int64', 'VarChar'] },
  autoID: flag,
  metricType: { enum: ['L2', 'IP', 'COSINE'] },
  primaryFieldName: text,
  vectorFieldName: text,
  properties: object,
  propertyKeys: texts,
  jobID: count,
  jobId: text,
  files: list(texts),
  options: object,
  data: { type: 'array', items: {} },
  ids: { type: 'array', items: {} },
  id: {},
  filter: text,
  exprParams: object,
  outputFields: { ...texts, description: 'Names of fields. In a query also count(*), count(x), sum(x), avg(x), min(x), max(x)' },
  orderByFields: texts,
  groupByFields: texts,
  explain: { type: 'boolean', description: 'How it would be answered, in place of the answer. Not of Milvus' },
  limit: count,
  offset: count,
  consistencyLevel: LEVEL,
  partialUpdate: flag,
  fieldOps: list(properties({ fieldName: text, op: { enum: ['REPLACE'] } })),
  annsField: text,
  searchParams: object,
  groupingField: text,
  groupSize: count,
  strictGroupSize: flag,
  functionScore: properties({ functions: list(object) }),
  search: list(
    properties({ data: { type: 'array', items: {} }, annsField: text, filter: text, exprParams: object, limit: count, params: object }),
  ),
  rerank: properties({ strategy: { enum: ['rrf', 'weighted'] }, params: object }),
  userName: text,
  password: text,
  newPassword: text,
  roleName: text,
  objectType: { enum: ['Global', 'Collection', 'User'] },
  objectName: text,
  privilege: text,
  privileges: texts,
  privilegeGroupName: text,
  text: { anyOf: [text, texts] },
  analyzerParams: { anyOf: [text, object] },
  withDetail: flag,
  withHash: flag,
};

const READ = 'exprParams, partitionNames, consistencyLevel';
const RANKED = 'limit, offset, outputFields, groupingField, groupSize, strictGroupSize, functionScore';

/** `*` after a name: required. */
const BODIES: Readonly<Record<string, readonly [summary: string, names: string]>> = {
  'collections/list': ['Names of the collections', 'dbName'],
  'collections/has': ['Whether there is a collection', 'dbName, collectionName*'],
  'collections/describe': ['Schema, indexes, properties', 'dbName, collectionName*'],
  'collections/create': [
    'Make a collection, quickly from a dimension or from a schema',
    'dbName, collectionName*, dimension, idType, autoID, metricType, primaryFieldName, vectorFieldName, schema, indexParams, params, description',
  ],
  'collections/drop': ['Drop a collection', 'dbName, collectionName*'],
  'collections/truncate': ['Delete every row', 'dbName, collectionName*'],
  'collections/rename': ['Rename, or move to another database', 'dbName, collectionName*, newCollectionName*, newDbName'],
  'collections/load': ['Open for reads', 'dbName, collectionName*'],
  'collections/refresh_load': ['Nothing but a check that it is loaded', 'dbName, collectionName*'],
  'collections/release': ['Close for reads', 'dbName, collectionName*'],
  'collections/get_load_state': ['Whether reads are answered', 'dbName, collectionName*, partitionNames'],
  'collections/get_stats': ['How many rows', 'dbName, collectionName*'],
  'collections/flush': ['Seal what is not sealed', 'dbName, collectionName*'],
  'collections/compact': ['Merge segments and build indexes', 'dbName, collectionName*'],
  'collections/get_compaction_state': ['How far that is: always done', 'dbName, jobID'],
  'collections/alter_properties': ['Set properties', 'dbName, collectionName*, properties*'],
  'collections/drop_properties': ['Forget properties', 'dbName, collectionName*, propertyKeys*'],
  'collections/fields/add': ['Add a nullable field', 'dbName, collectionName*, schema*'],
  'collections/fields/alter_properties': ['Tune a field', 'dbName, collectionName*, fieldName*, fieldParams'],
  'partitions/list': ['Names of the partitions', 'dbName, collectionName*'],
  'partitions/has': ['Whether there is a partition', 'dbName, collectionName*, partitionName*'],
  'partitions/create': ['Make a partition', 'dbName, collectionName*, partitionName*'],
  'partitions/drop': ['Drop a partition', 'dbName, collectionName*, partitionName*'],
  'partitions/load': ['Collections are loaded as a whole', 'dbName, collectionName*, partitionNames*'],
  'partitions/release': ['Collections are released as a whole', 'dbName, collectionName*, partitionNames*'],
  'partitions/get_stats': ['How many rows', 'dbName, collectionName*, partitionName*'],
  'aliases/list': ['Names of the aliases', 'dbName, collectionName'],
  'aliases/describe': ['What an alias stands for', 'dbName, aliasName*'],
  'aliases/create': ['Name a collection by an alias', 'dbName, collectionName*, aliasName*'],
  'aliases/alter': ['Let an alias stand for another collection', 'dbName, collectionName*, aliasName*'],
  'aliases/drop': ['Drop an alias', 'dbName, aliasName*'],
  'databases/list': ['Names of the databases', ''],
  'databases/describe': ['Properties', 'dbName*'],
  'databases/create': ['Make a database', 'dbName*, properties'],
  'databases/drop': ['Drop an empty database', 'dbName*'],
  'databases/alter': ['Set properties', 'dbName*, properties*'],
  'databases/alter_properties': ['Set properties', 'dbName*, properties*'],
  'databases/drop_properties': ['Forget properties', 'dbName*, propertyKeys*'],
  'indexes/list': ['Names of the indexes', 'dbName, collectionName*'],
  'indexes/describe': ['What an index is, and what serves it', 'dbName, collectionName*, indexName*'],
  'indexes/create': ['Say the indexes of fields', 'dbName, collectionName*, indexParams*'],
  'indexes/drop': ['Forget an index', 'dbName, collectionName*, indexName*'],
  'indexes/alter_properties': ['Tune an index', 'dbName, collectionName*, indexName*, properties*'],
  'indexes/drop_properties': ['Tune an index no more', 'dbName, collectionName*, indexName*, propertyKeys*'],
  'entities/insert': ['Write rows', 'dbName, collectionName*, partitionName, data*'],
  'entities/upsert': ['Write rows over those with the same keys', 'dbName, collectionName*, partitionName, data*, partialUpdate, fieldOps'],
  'entities/delete': ['Delete what a filter matches', 'dbName, collectionName*, partitionName, filter*, exprParams'],
  'entities/get': ['Rows by their keys', 'dbName, collectionName*, id*, outputFields, partitionNames, consistencyLevel'],
  'entities/query': [
    'Rows by a filter, or aggregates of them in groups',
    `dbName, collectionName*, filter, outputFields, groupByFields, orderByFields, explain, limit, offset, ${READ}`,
  ],
  'entities/search': ['Nearest rows', `dbName, collectionName*, data*, ids, annsField, filter, searchParams, explain, ${RANKED}, ${READ}`],
  'entities/hybrid_search': [
    'Several searches, fused',
    `dbName, collectionName*, search*, rerank, limit, offset, outputFields, functionScore, partitionNames, consistencyLevel`,
  ],
  'entities/advanced_search': [
    'Several searches, fused',
    `dbName, collectionName*, search*, rerank, limit, offset, outputFields, functionScore, partitionNames, consistencyLevel`,
  ],
  'users/list': ['Names of the users', ''],
  'users/describe': ['Roles of a user', 'userName*'],
  'users/create': ['Make a user', 'userName*, password*'],
  'users/drop': ['Drop a user', 'userName*'],
  'users/update_password': ['Set a password', 'userName*, password, newPassword*'],
  'users/grant_role': ['Give a user a role', 'userName*, roleName*'],
  'users/revoke_role': ['Take a role from a user', 'userName*, roleName*'],
  'roles/list': ['Names of the roles', ''],
  'roles/describe': ['What a role grants', 'roleName*, dbName'],
  'roles/create': ['Make a role', 'roleName*'],
  'roles/drop': ['Drop a role that grants nothing', 'roleName*'],
  'roles/grant_privilege': ['Grant on an object', 'roleName*, objectType*, objectName*, privilege*, dbName'],
  'roles/revoke_privilege': ['Revoke what is granted on an object', 'roleName*, objectType*, objectName*, privilege*, dbName'],
  'roles/grant_privilege_v2': ['Grant a privilege or a group', 'roleName*, privilege*, dbName, collectionName, partitionName'],
  'roles/revoke_privilege_v2': ['Revoke a privilege or a group', 'roleName*, privilege*, dbName, collectionName, partitionName'],
  'privilege_groups/list': ['Groups of privileges', ''],
  'privilege_groups/create': ['Make a group', 'privilegeGroupName*'],
  'privilege_groups/drop': ['Drop a group that nobody is granted', 'privilegeGroupName*'],
  'privilege_groups/add_privileges_to_group': ['Put privileges into a group', 'privilegeGroupName*, privileges'],
  'privilege_groups/remove_privileges_from_group': ['Take privileges out of a group', 'privilegeGroupName*, privileges'],
  'jobs/import/create': ['Read files of the import folder', 'dbName, collectionName*, partitionName, files*, options'],
  'jobs/import/list': ['Jobs', 'dbName, collectionName'],
  'jobs/import/describe': ['How far a job is', 'dbName, jobId*'],
  'jobs/import/get_progress': ['How far a job is', 'dbName, jobId*'],
  'resource_groups/list': ['Names of the resource groups: one', ''],
  'resource_groups/describe': ['What a resource group is', 'name*'],
  'common/run_analyzer': ['Tokens of texts', 'text*, analyzerParams, withDetail, withHash'],
  ...Object.fromEntries(Object.entries(NOT_HERE).map(([path, why]) => [path, [`Not here, code 3000: ${why}`, '']] as const)),
};

const ANSWER = properties({ code: { type: 'integer', description: '0, or the number of an error' }, message: text, data: {} }, ['code']);

/** Fastify's schema of a route. */
export function routeSchema(path: string): Schema {
  const [summary, names] = BODIES[path]!;
  const parts = names.split(', ').filter((name) => name !== '');
  const bare = (name: string): string => name.replace('*', '');
  const required = parts.filter((name) => name.endsWith('*')).map(bare);
  return {
    tags: [path.slice(0, path.lastIndexOf('/'))],
    summary,
    body: properties(Object.fromEntries(parts.map((name) => [bare(name), NAMES[bare(name)]!])), required),
    response: { 200: ANSWER },
    security: [{ bearer: [] }],
  };
}

/** Of every route. */
export const DOCUMENTED: ReadonlyMap<string, readonly string[]> = new Map(
  Object.keys(BODIES).map((path) => [path, (routeSchema(path)['body'] as { readonly required?: readonly string[] }).required ?? []]),
);
