/**
 * What may be granted, by Milvus' names, in its nine built-in groups (each level's `ReadWrite` holds its `ReadOnly`, `Admin` holds both). Names that
 * guard nothing here (resource groups, backup, replication) may be granted all the same, so that scripts written for Milvus run.
 */
const COLLECTION_READ = [
  'Query',
  'Search',
  'IndexDetail',
  'GetFlushState',
  'GetLoadState',
  'GetLoadingProgress',
  'HasPartition',
  'ShowPartitions',
  'DescribeCollection',
  'DescribeAlias',
  'GetStatistics',
  'ListAliases',
  'GetImportProgress',
  'ListImport',
] as const;
const COLLECTION_WRITE = [
  'Load',
  'Release',
  'Insert',
  'Delete',
  'Upsert',
  'Import',
  'Flush',
  'Compaction',
  'LoadBalance',
  'CreateIndex',
  'DropIndex',
  'CreatePartition',
  'DropPartition',
  'AddCollectionField',
] as const;
const COLLECTION_ADMIN = ['CreateAlias', 'DropAlias', 'AlterCollection', 'TruncateCollection'] as const;
const DATABASE_READ = ['ShowCollections', 'DescribeDatabase'] as const;
const DATABASE_WRITE = ['AlterDatabase'] as const;
const DATABASE_ADMIN = ['CreateCollection', 'DropCollection'] as const;
const CLUSTER_READ = [
  'ListDatabases',
  'SelectOwnership',
  'SelectUser',
  'DescribeResourceGroup',
  'ListResourceGroups',
  'ListPrivilegeGroups',
  'GetReplicateConfiguration',
] as const;
const CLUSTER_WRITE = ['FlushAll', 'TransferNode', 'TransferReplica', 'UpdateResourceGroups'] as const;
const CLUSTER_ADMIN = [
  'BackupRBAC',
  'RestoreRBAC',
  'CreateDatabase',
  'DropDatabase',
  'CreateOwnership',
  'DropOwnership',
  'ManageOwnership',
  'CreateResourceGroup',
  'DropResourceGroup',
  'UpdateUser',
  'RenameCollection',
  'CreatePrivilegeGroup',
  'DropPrivilegeGroup',
  'OperatePrivilegeGroup',
  'UpdateReplicateConfiguration',
] as const;

export type Privilege =
  | (typeof COLLECTION_READ)[number]
  | (typeof COLLECTION_WRITE)[number]
  | (typeof COLLECTION_ADMIN)[number]
  | (typeof DATABASE_READ)[number]
  | (typeof DATABASE_WRITE)[number]
  | (typeof DATABASE_ADMIN)[number]
  | (typeof CLUSTER_READ)[number]
  | (typeof CLUSTER_WRITE)[number]
  | (typeof CLUSTER_ADMIN)[number];

const databaseRead: readonly Privilege[] = DATABASE_READ;
const databaseWrite: readonly Privilege[] = [...DATABASE_READ, ...DATABASE_WRITE];
const collectionWrite: readonly Privilege[] = [...COLLECTION_READ, ...COLLECTION_WRITE];
const clusterWrite: readonly Privilege[] = [...CLUSTER_READ, ...CLUSTER_WRITE];

/** What guards users, roles and databases, which are nobody's: held in every database or not at all. */
export function isOfCluster(name: string): boolean {
  return CLUSTER.has(name);
}
const CLUSTER: ReadonlySet<string> = new Set([
  ...['ClusterReadOnly', 'ClusterReadWrite', 'ClusterAdmin'],
  ...CLUSTER_READ,
  ...CLUSTER_WRITE,
  ...CLUSTER_ADMIN,
]);

export const BUILT_IN_GROUPS: ReadonlyMap<string, readonly Privilege[]> = new Map([
  ['CollectionReadOnly', COLLECTION_READ],
  ['CollectionReadWrite', collectionWrite],
  ['CollectionAdmin', [...collectionWrite, ...COLLECTION_ADMIN]],
  ['DatabaseReadOnly', databaseRead],
  ['DatabaseReadWrite', databaseWrite],
  ['DatabaseAdmin', [...databaseWrite, ...DATABASE_ADMIN]],
  ['ClusterReadOnly', CLUSTER_READ],
  ['ClusterReadWrite', clusterWrite],
  ['ClusterAdmin', [...clusterWrite, ...CLUSTER_ADMIN]],
]);

const groupOf = (name: string): readonly Privilege[] => BUILT_IN_GROUPS.get(name)!;
export const ALL_PRIVILEGES: ReadonlySet<Privilege> = new Set([
  ...groupOf('CollectionAdmin'),
  ...groupOf('DatabaseAdmin'),
  ...groupOf('ClusterAdmin'),
]);

export const isPrivilege = (name: string): name is Privilege => (ALL_PRIVILEGES as ReadonlySet<string>).has(name);

/** What `read` in a token grants, in its partitions. */
export const TOKEN_READ: ReadonlySet<Privilege> = new Set(COLLECTION_READ);
/** What `write` in a token grants, in its partitions. */
export const TOKEN_WRITE: ReadonlySet<Privilege> = new Set([...COLLECTION_READ, 'Insert', 'Upsert', 'Delete', 'Flush', 'Load']);
/** What `schema` in a token grants, in its whole database: everything but rows. */
export const TOKEN_SCHEMA: ReadonlySet<Privilege> = new Set<Privilege>(
  [...groupOf('CollectionAdmin'), ...groupOf('DatabaseAdmin'), 'RenameCollection' as const].filter(
    (name) => !['Query', 'Search', 'Insert', 'Upsert', 'Delete', 'Import'].includes(name),
  ),
);
