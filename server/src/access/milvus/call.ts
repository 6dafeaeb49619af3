import { DEFAULT_PARTITION } from '@terndb/engine';
import type { CatalogCollectionInfo, ServerNode } from '../../node/types.ts';
import { type AccessPrincipal, canRead, canWrite } from '../auth/principal.ts';
import type { Body } from './body.ts';
import { CODES, collectionNotFound, denied, MilvusError } from './errors.ts';

/** One request, whatever door it came through. */
export interface MilvusCall {
  readonly node: ServerNode;
  readonly principal: AccessPrincipal;
  readonly database: string;
  readonly body: Body;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What stands beside `code` in the answer. Bigints are int64 values. */
export type MilvusAnswer = { readonly data: unknown } & Readonly<Record<string, unknown>>;
export type MilvusHandler = (call: MilvusCall) => Promise<MilvusAnswer>;

export const DONE: MilvusAnswer = { data: {} };

/** Code 100; 403 when the token is for another database. */
export function mustFind({ node, principal, database }: MilvusCall, name: string): CatalogCollectionInfo {
  checkDatabase(node, principal, database);
  const found = node.catalog.find(database, name);
  if (found === undefined) throw collectionNotFound(database, name);
  return found;
}

export function checkDatabase(node: ServerNode, principal: AccessPrincipal, database: string): void {
  if (principal.database !== undefined && principal.database !== database) throw denied('PrivilegeDatabase', principal.subject, database);
  if (!node.catalog.databases().includes(database)) {
    throw new MilvusError(CODES.databaseNotFound, `database not found[database=${database}]`);
  }
}

/** Everything that changes the catalog. */
export function checkMayAlter({ node, principal, database }: MilvusCall, privilege: string): void {
  if (!principal.schema) throw denied(`Privilege${privilege}`, principal.subject, database);
  checkDatabase(node, principal, database);
}

/** Something of it may be read, or all of it may be changed. */
export function isVisible({ principal, database }: MilvusCall, { partitions }: CatalogCollectionInfo): boolean {
  return principal.schema || [...partitions.keys()].some((partition) => canRead(principal, { database, partition }));
}

/** Named ones must be granted; without names those that are. Undefined: all. 403, 200. */
export function readablePartitions(
  call: MilvusCall,
  info: CatalogCollectionInfo,
  names: readonly string[] | undefined,
): readonly string[] | undefined {
  const { principal, database } = call;
  const all = [...info.partitions.keys()];
  if (names !== undefined && names.length > 0) {
    for (const partition of names) {
      if (!info.partitions.has(partition)) throw new MilvusError(CODES.partitionNotFound, `partition not found[partition=${partition}]`);
      if (!canRead(principal, { database, partition })) throw denied('PrivilegeQuery', principal.subject, database);
    }
    return names;
  }
  const granted = all.filter((partition) => canRead(principal, { database, partition }));
  if (granted.length === 0) throw denied('PrivilegeQuery', principal.subject, database);
  return granted.length === all.length ? undefined : granted;
}

/** The partition a write names, or the default one. 403, 200. */
export function writablePartition(call: MilvusCall, info: CatalogCollectionInfo): string {
  const { principal, database, body } = call;
  const named = body.text('partitionName');
  const partition = named === undefined || named === '' ? DEFAULT_PARTITION : named;
  if (!info.partitions.has(partition)) throw new MilvusError(CODES.partitionNotFound, `partition not found[partition=${partition}]`);
  if (!canWrite(principal, { database, partition })) throw denied('PrivilegeInsert', principal.subject, database);
  return partition;
}
