import { DEFAULT_PARTITION } from '@terndb/engine';
import type { CatalogCollectionInfo, ServerNode } from '../../node/types.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { type AccessPrincipal, enters, holds, holdsSome } from '../auth/principal.ts';
import type { Privilege } from '../auth/privileges.ts';
import type { AnswerBudget } from '../limits/answer-budget.ts';
import type { Body } from './body.ts';
import { CODES, collectionNotFound, denied, invalidParameter, MilvusError } from './errors.ts';
import type { ImportJobs } from './import-jobs.ts';
import { PROPERTY } from './schema.ts';

/** Users, roles and their passwords. */
export type AccountsDoor = Pick<Authenticator, 'accounts' | 'checkPassword' | 'setPassword'>;

/** One request, whatever door it came through. */
export interface MilvusRequest {
  readonly node: ServerNode;
  readonly principal: AccessPrincipal;
  readonly accounts: AccountsDoor;
  readonly imports: ImportJobs;
  readonly database: string;
  readonly body: Body;
  /** What was sent, about. */
  readonly bytes?: number;
  /** For all of it, waiting included. */
  readonly timeoutMs: number;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  readonly budget: AnswerBudget;
}

/** A request under way: `node` does what there is time and room in the answer for. */
export interface MilvusCall extends MilvusRequest {
  /** For what goes on after the answer. */
  readonly lasting: ServerNode;
}

/** What stands beside `code` in the answer. Bigints are int64 values. */
export type MilvusAnswer = { readonly data: unknown } & Readonly<Record<string, unknown>>;
export type MilvusHandler = (call: MilvusCall) => Promise<MilvusAnswer>;

export const DONE: MilvusAnswer = { data: {} };

/** Code 100, 800; 403 when there is nothing in this database for the caller. */
function mustFind(call: MilvusCall, name: string): CatalogCollectionInfo {
  checkDatabase(call);
  const found = call.node.catalog.find(call.database, name);
  if (found === undefined) throw collectionNotFound(call.database, name);
  return found;
}

export function mustFindNamed(call: MilvusCall): CatalogCollectionInfo {
  return mustFind(call, call.body.mustText('collectionName'));
}

export function checkDatabase({ node, principal, database }: MilvusCall): void {
  if (!enters(principal, database)) throw denied('PrivilegeDatabase', principal.subject, database);
  if (!node.catalog.databases().includes(database)) {
    throw new MilvusError(CODES.databaseNotFound, `database not found[database=${database}]`);
  }
}

export const isVisible = (call: MilvusCall, { name }: CatalogCollectionInfo): boolean => reachesRows(call, 'DescribeCollection', name);

/** In all of the collection, or in a partition that it has. Of one that is not there: in any. */
export function reachesRows({ node, principal, database }: MilvusCall, privilege: Privilege, collection: string): boolean {
  const info = node.catalog.find(database, collection);
  if (info === undefined) return holdsSome(principal, privilege, { database, collection });
  const { name, partitions } = info;
  return (
    holds(principal, privilege, { database, collection: name }) ||
    [...partitions.keys()].some((partition) => holds(principal, privilege, { database, collection: name, partition }))
  );
}

/** Named ones must be granted; without names those that are. Undefined: all. 403, 200. */
export function readablePartitions(
  call: MilvusCall,
  info: CatalogCollectionInfo,
  privilege: 'Query' | 'Search',
): readonly string[] | undefined {
  const names = call.body.texts('partitionNames');
  if (names !== undefined && names.length > 0) {
    for (const partition of names) checkPartition(call, info, partition, privilege);
    return names;
  }
  // Only who is granted all that will be may leave it open: a partition may be made before the read begins.
  const { principal, database } = call;
  if (holds(principal, privilege, { database, collection: info.name })) return undefined;
  return grantedPartitions(call, info, privilege);
}

/** All that are granted. 403 when none is. */
export function grantedPartitions(call: MilvusCall, { name, partitions }: CatalogCollectionInfo, privilege: Privilege): readonly string[] {
  const { principal, database } = call;
  const granted = [...partitions.keys()].filter((partition) => holds(principal, privilege, { database, collection: name, partition }));
  if (granted.length === 0) throw denied(`Privilege${privilege}`, principal.subject, database);
  return granted;
}

/** The partition a write names, or the default one. 403, 200. */
export function writablePartition(call: MilvusCall, info: CatalogCollectionInfo, privilege: 'Insert' | 'Upsert' | 'Delete'): string {
  const named = call.body.text('partitionName');
  const partition = named === undefined || named === '' ? DEFAULT_PARTITION : named;
  if (named !== undefined && named !== '' && info.properties[PROPERTY.partitionKey] !== undefined)
    throw invalidParameter('not support manually specifying the partition names if partition key mode is used');
  checkPartition(call, info, partition, privilege);
  return partition;
}

function checkPartition({ principal, database }: MilvusCall, info: CatalogCollectionInfo, partition: string, privilege: Privilege): void {
  if (!info.partitions.has(partition)) throw new MilvusError(CODES.partitionNotFound, `partition not found[partition=${partition}]`);
  if (!holds(principal, privilege, { database, collection: info.name, partition }))
    throw denied(`Privilege${privilege}`, principal.subject, database);
}

/** Live rows of these partitions. */
export function rowCount({ node, database }: MilvusCall, name: string, partitions: readonly string[]): number {
  return node
    .inspect()
    .channels.filter((channel) => channel.database === database && channel.collection === name)
    .filter((channel) => partitions.includes(channel.partition))
    .reduce((sum, { entities }) => sum + entities, 0);
}
