import { DbError, describe, type MetaEntry } from '@terndb/core';
import { decodeRecord, encodeRecord, invalidRecord } from '@terndb/engine/parts';
import type { PasswordHash } from './password.ts';

/**
 * Users, roles and groups of privileges, in one record of the meta store, key `accounts`: few, and changed by compare-and-set as a whole.
 *   { format: 1, users: { name: { salt, hash, roles: [name] } }, roles: { name: { grants: [grant] } }, groups: { name: [privilege] } }
 *   grant: { privilege (or a group, or "*"), database, collection, partition, objectType, grantor }
 * History: 1 first version. Unknown format -> FORMAT_VERSION_UNSUPPORTED.
 */
export const ACCOUNTS_KEY = 'accounts';

export interface UserRecord extends PasswordHash {
  readonly roles: readonly string[];
}

export interface GrantRecord {
  readonly privilege: string;
  readonly database: string;
  readonly collection: string;
  readonly partition: string;
  readonly objectType: ObjectType;
  readonly grantor: string;
}

/** As Milvus tells it of a grant; it decides nothing. */
export type ObjectType = 'Global' | 'Collection' | 'User';

export interface AccountsRecord {
  readonly users: ReadonlyMap<string, UserRecord>;
  readonly roles: ReadonlyMap<string, readonly GrantRecord[]>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

const EVERYWHERE = { database: '*', collection: '*', partition: '*', grantor: 'root' } as const;
/** What every user may, unless somebody revokes it. */
const PUBLIC_GRANTS: readonly GrantRecord[] = [
  { privilege: 'DescribeCollection', objectType: 'Global', ...EVERYWHERE },
  { privilege: 'ListAliases', objectType: 'Global', ...EVERYWHERE },
  { privilege: 'IndexDetail', objectType: 'Collection', ...EVERYWHERE },
];

export const ADMIN = 'admin';
export const PUBLIC = 'public';
export const NO_ACCOUNTS: AccountsRecord = {
  users: new Map(),
  roles: new Map([
    [ADMIN, [{ privilege: '*', objectType: 'Global', ...EVERYWHERE }]],
    [PUBLIC, PUBLIC_GRANTS],
  ]),
  groups: new Map(),
};

export function writeAccounts({ users, roles, groups }: AccountsRecord): Uint8Array {
  return encodeRecord({
    users: Object.fromEntries(users),
    roles: Object.fromEntries([...roles].map(([name, grants]) => [name, { grants }])),
    groups: Object.fromEntries(groups),
  });
}

/** FORMAT_INVALID, FORMAT_VERSION_UNSUPPORTED: a server that cannot read who may do what does not start. */
export function readAccounts(entry: MetaEntry): AccountsRecord {
  const fields = decodeRecord(entry);
  try {
    return {
      users: mapOf(fields['users'], readUser),
      roles: mapOf(fields['roles'], (role) => listOf(objectOf(role)['grants'], readGrant)),
      groups: mapOf(fields['groups'], (names) => listOf(names, textOf)),
    };
  } catch (cause) {
    throw cause instanceof DbError ? invalidRecord(entry, cause.message, cause) : cause;
  }
}

function readUser(value: unknown): UserRecord {
  const { salt, hash, roles } = objectOf(value);
  return { salt: textOf(salt), hash: textOf(hash), roles: listOf(roles, textOf) };
}

function readGrant(value: unknown): GrantRecord {
  const { privilege, database, collection, partition, objectType, grantor } = objectOf(value);
  if (objectType !== 'Global' && objectType !== 'Collection' && objectType !== 'User')
    throw expected('Global, Collection or User', objectType);
  return {
    privilege: textOf(privilege),
    database: textOf(database),
    collection: textOf(collection),
    partition: textOf(partition),
    objectType,
    grantor: textOf(grantor),
  };
}

function mapOf<T>(value: unknown, read: (item: unknown) => T): ReadonlyMap<string, T> {
  return new Map(Object.entries(objectOf(value)).map(([name, item]) => [name, read(item)]));
}

function listOf<T>(value: unknown, read: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw expected('a list', value);
  return value.map(read);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected('an object', value);
  return value as Record<string, unknown>;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw expected('a text', value);
  return value;
}

function expected(what: string, value: unknown): DbError {
  return new DbError('FORMAT_INVALID', `${what} expected, got ${describe(value)}`);
}
