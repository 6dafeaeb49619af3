import { holds, holdsSome, type Place } from '../auth/principal.ts';
import type { Privilege } from '../auth/privileges.ts';
import { type MilvusCall, reachesRows } from './call.ts';
import { denied } from './errors.ts';
import { NOT_HERE } from './not-here.ts';

/**
 * How far a privilege must reach for a route:
 *   cluster     every database
 *   database    all of the request's database
 *   collection  all of its collection
 *   partition   its partition
 *   rows        something of its collection: the handler reads and writes the granted partitions only
 *   own         nothing: the handler shows what the caller may see, or lets callers change themselves
 */
export type Reach = 'cluster' | 'database' | 'collection' | 'partition' | 'rows' | 'own';

export interface Guard {
  /** Absent with `own`. */
  readonly privilege?: Privilege;
  readonly reach: Reach;
  /** Written to the audit log: who changed what. */
  readonly isAudited: boolean;
}

const look = (privilege: Privilege, reach: Reach): Guard => ({ privilege, reach, isAudited: false });
const change = (privilege: Privilege, reach: Reach): Guard => ({ privilege, reach, isAudited: true });
const OWN: Guard = { reach: 'own', isAudited: false };

/** Of every route: who may. There is none without. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  'collections/list': OWN,
  'collections/has': OWN,
  'collections/describe': look('DescribeCollection', 'rows'),
  'collections/create': change('CreateCollection', 'database'),
  'collections/drop': change('DropCollection', 'collection'),
  'collections/truncate': change('TruncateCollection', 'collection'),
  'collections/rename': change('RenameCollection', 'collection'),
  'collections/load': change('Load', 'rows'),
  'collections/refresh_load': look('Load', 'rows'),
  'collections/release': change('Release', 'collection'),
  'collections/get_load_state': look('GetLoadState', 'rows'),
  'collections/get_stats': look('GetStatistics', 'rows'),
  'collections/flush': look('Flush', 'rows'),
  'collections/compact': look('Compaction', 'collection'),
  'collections/get_compaction_state': OWN,
  'collections/alter_properties': change('AlterCollection', 'collection'),
  'collections/drop_properties': change('AlterCollection', 'collection'),
  'collections/fields/add': change('AddCollectionField', 'collection'),
  'collections/fields/alter_properties': change('AlterCollection', 'collection'),
  'partitions/list': look('ShowPartitions', 'rows'),
  'partitions/has': look('HasPartition', 'rows'),
  'partitions/create': change('CreatePartition', 'partition'),
  'partitions/drop': change('DropPartition', 'partition'),
  'partitions/load': look('Load', 'rows'),
  'partitions/release': look('Release', 'collection'),
  'partitions/get_stats': look('GetStatistics', 'partition'),
  'aliases/list': OWN,
  'aliases/describe': look('DescribeAlias', 'rows'),
  'aliases/create': change('CreateAlias', 'collection'),
  'aliases/alter': change('CreateAlias', 'collection'),
  'aliases/drop': change('DropAlias', 'collection'),
  'databases/list': OWN,
  'databases/describe': look('DescribeDatabase', 'database'),
  'databases/create': change('CreateDatabase', 'cluster'),
  'databases/drop': change('DropDatabase', 'cluster'),
  'databases/alter': change('AlterDatabase', 'database'),
  'databases/alter_properties': change('AlterDatabase', 'database'),
  'databases/drop_properties': change('AlterDatabase', 'database'),
  'indexes/list': look('IndexDetail', 'rows'),
  'indexes/describe': look('IndexDetail', 'rows'),
  'indexes/create': change('CreateIndex', 'collection'),
  'indexes/drop': change('DropIndex', 'collection'),
  'indexes/alter_properties': change('CreateIndex', 'collection'),
  'indexes/drop_properties': change('CreateIndex', 'collection'),
  'entities/insert': look('Insert', 'rows'),
  'entities/upsert': look('Upsert', 'rows'),
  'entities/delete': look('Delete', 'rows'),
  'entities/get': look('Query', 'rows'),
  'entities/query': look('Query', 'rows'),
  'entities/search': look('Search', 'rows'),
  'entities/hybrid_search': look('Search', 'rows'),
  'entities/advanced_search': look('Search', 'rows'),
  'users/list': look('SelectUser', 'cluster'),
  'users/describe': OWN,
  'users/create': change('CreateOwnership', 'cluster'),
  'users/drop': change('DropOwnership', 'cluster'),
  'users/update_password': { reach: 'own', isAudited: true },
  'users/grant_role': change('ManageOwnership', 'cluster'),
  'users/revoke_role': change('ManageOwnership', 'cluster'),
  'roles/list': look('SelectOwnership', 'cluster'),
  'roles/describe': look('SelectOwnership', 'cluster'),
  'roles/create': change('CreateOwnership', 'cluster'),
  'roles/drop': change('DropOwnership', 'cluster'),
  'roles/grant_privilege': change('ManageOwnership', 'cluster'),
  'roles/revoke_privilege': change('ManageOwnership', 'cluster'),
  'roles/grant_privilege_v2': change('ManageOwnership', 'cluster'),
  'roles/revoke_privilege_v2': change('ManageOwnership', 'cluster'),
  'privilege_groups/list': look('ListPrivilegeGroups', 'cluster'),
  'privilege_groups/create': change('CreatePrivilegeGroup', 'cluster'),
  'privilege_groups/drop': change('DropPrivilegeGroup', 'cluster'),
  'privilege_groups/add_privileges_to_group': change('OperatePrivilegeGroup', 'cluster'),
  'privilege_groups/remove_privileges_from_group': change('OperatePrivilegeGroup', 'cluster'),
  'jobs/import/create': change('Import', 'rows'),
  'jobs/import/list': look('ListImport', 'rows'),
  'jobs/import/describe': OWN,
  'jobs/import/get_progress': OWN,
  'common/run_analyzer': OWN,
  'resource_groups/list': look('ListResourceGroups', 'cluster'),
  'resource_groups/describe': look('DescribeResourceGroup', 'cluster'),
  // Refused to everybody.
  ...Object.fromEntries(Object.keys(NOT_HERE).map((path) => [path, OWN])),
};

/** 403 before anything is looked up: a refused caller does not learn what there is. */
export function checkGuard({ privilege, reach }: Guard, call: MilvusCall): void {
  const { principal, database } = call;
  if (privilege === undefined) return;
  const isAllowed = reach === 'rows' ? reachesSomething(privilege, call) : holds(principal, privilege, placeOf(reach, call));
  if (!isAllowed) throw denied(`Privilege${privilege}`, principal.subject, database);
}

function reachesSomething(privilege: Privilege, call: MilvusCall): boolean {
  const named = nameIn(call);
  return named === undefined ? holdsSome(call.principal, privilege, { database: call.database }) : reachesRows(call, privilege, named);
}

const nameIn = ({ body }: MilvusCall): string | undefined => body.text('collectionName') ?? body.text('aliasName');

function placeOf(reach: Reach, call: MilvusCall): Place {
  const { node, database, body } = call;
  if (reach === 'cluster') return {};
  const named = nameIn(call);
  if (reach === 'database' || named === undefined) return { database };
  const collection = node.catalog.find(database, named)?.name ?? named;
  const partition = reach === 'partition' ? body.text('partitionName') : undefined;
  return { database, collection, ...(partition === undefined ? {} : { partition }) };
}
