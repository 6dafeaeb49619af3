import { DbError } from '@terndb/core';
import type { GrantRecord, ObjectType } from '../auth/accounts-record.ts';
import { type Grant, holds, holdsAll } from '../auth/principal.ts';
import { isOfCluster, isPrivilege } from '../auth/privileges.ts';
import type { Body } from './body.ts';
import { DONE, type MilvusAnswer, type MilvusCall, type MilvusHandler } from './call.ts';
import { CODES, denied, invalidParameter, MilvusError } from './errors.ts';

const AUTH_FAILED = 1400;
const BUILT_IN = 1401;
const GROUP_NAME = 1402;
const OBJECT_TYPES: readonly ObjectType[] = ['Global', 'Collection', 'User'];

/** Milvus' numbers for what accounts refuse: `taken` for a name that is, `unknown` for one that is not there. */
async function changing(
  work: Promise<void>,
  { taken = CODES.invalid, unknown = CODES.other }: { readonly taken?: number; readonly unknown?: number } = {},
): Promise<MilvusAnswer> {
  try {
    await work;
    return DONE;
  } catch (thrown) {
    if (!(thrown instanceof DbError)) throw thrown;
    const { code, message } = thrown;
    if (code === 'FORBIDDEN') throw new MilvusError(BUILT_IN, `${message}: operation not permitted`);
    if (code === 'NOT_FOUND') throw new MilvusError(unknown, message);
    if (code === 'OPTION_INVALID' && thrown.details['reason'] === 'taken') throw new MilvusError(taken, `${message}: already exist`);
    throw thrown;
  }
}

/** Reading about oneself and changing one's own password need no privilege. */
function checkSelfOr(call: MilvusCall, user: string, privilege: 'SelectUser' | 'UpdateUser'): void {
  const { principal, database } = call;
  if (principal.user !== user && !holds(principal, privilege, {})) throw denied(`Privilege${privilege}`, principal.subject, database);
}

/** 403: nobody gives what they have not got, to themselves or to others. Granting is a privilege; it must not be all of them. */
function checkGiven(call: MilvusCall, grants: readonly Grant[]): void {
  if (!holdsAll(call.principal, grants))
    throw denied('PrivilegeManageOwnership (beyond the own grants)', call.principal.subject, call.database);
}

async function grant(call: MilvusCall, wanted: GrantRecord): Promise<MilvusAnswer> {
  const role = call.body.mustText('roleName');
  checkGiven(call, call.accounts.accounts.toGrants([wanted]));
  return changing(call.accounts.accounts.grant(role, wanted));
}

export const USERS: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ accounts }) => ({ data: accounts.accounts.users }),
  describe: async (call) => {
    const user = call.body.mustText('userName');
    checkSelfOr(call, user, 'SelectUser');
    const roles = call.accounts.accounts.rolesOf(user);
    if (roles === undefined) throw new MilvusError(CODES.other, `user ${user}: not found`);
    return { data: roles };
  },
  create: async ({ accounts, body }) => {
    const user = body.mustText('userName');
    if (accounts.accounts.rolesOf(user) !== undefined) throw new MilvusError(CODES.other, `user already exists: ${user}`);
    return changing(accounts.accounts.createUser(user, body.mustText('password')), { taken: CODES.other });
  },
  drop: async ({ accounts, body }) => changing(accounts.accounts.dropUser(body.mustText('userName'))),
  update_password: async (call) => {
    const { accounts, principal, body } = call;
    const user = body.mustText('userName');
    checkSelfOr(call, user, 'UpdateUser');
    const next = body.mustText('newPassword');
    const isSelf = principal.user === user;
    const old = isSelf ? body.mustText('password') : (body.text('password') ?? '');
    // Who may change others' need not know them, and becomes them.
    if (!isSelf) checkGiven(call, accounts.accounts.grantsOfUser(user));
    else {
      await accounts.checkPassword(user, old).catch((thrown: unknown) => {
        if (thrown instanceof DbError && thrown.code === 'AUTH_REQUIRED')
          throw new MilvusError(AUTH_FAILED, `old password not correct for ${user}: not authenticated`);
        throw thrown;
      });
    }
    return changing(accounts.setPassword(user, next));
  },
  grant_role: async (call) => {
    const { accounts } = call.accounts;
    const [user, role] = [call.body.mustText('userName'), call.body.mustText('roleName')];
    checkGiven(call, accounts.toGrants(accounts.grantsOf(role) ?? []));
    return changing(accounts.setRole(user, role, true));
  },
  revoke_role: async ({ accounts, body }) =>
    changing(accounts.accounts.setRole(body.mustText('userName'), body.mustText('roleName'), false)),
};

export const ROLES: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ accounts }) => ({ data: accounts.accounts.roles }),
  describe: async ({ accounts, body }) => {
    const role = body.mustText('roleName');
    const grants = accounts.accounts.grantsOf(role);
    if (grants === undefined) throw new MilvusError(CODES.other, `role ${role}: not found`);
    const database = body.text('dbName') ?? '';
    const shown = grants.filter((grant) => database === '' || database === '*' || grant.database === '*' || grant.database === database);
    return { data: shown.map(describeGrant) };
  },
  create: async ({ accounts, body }) => changing(accounts.accounts.createRole(body.mustText('roleName')), { taken: CODES.other }),
  drop: async ({ accounts, body }) => {
    const role = body.mustText('roleName');
    const { accounts: known } = accounts;
    if (!known.roles.includes(role)) throw new MilvusError(CODES.other, `not found the role, maybe the role isn't existed: ${role}`);
    if ((known.grantsOf(role) ?? []).length > 0 && role !== 'admin' && role !== 'public')
      throw new MilvusError(CODES.other, `fail to drop the role that it has privileges. Use REVOKE API to revoke privileges: ${role}`);
    return changing(known.dropRole(role));
  },
  grant_privilege: async (call) => grant(call, grantOf(call)),
  revoke_privilege: async (call) => changing(call.accounts.accounts.revoke(call.body.mustText('roleName'), grantOf(call))),
  grant_privilege_v2: async (call) => grant(call, grantOfV2(call)),
  revoke_privilege_v2: async (call) => changing(call.accounts.accounts.revoke(call.body.mustText('roleName'), grantOfV2(call))),
};

export const PRIVILEGE_GROUPS: Readonly<Record<string, MilvusHandler>> = {
  list: async ({ accounts }) => ({
    data: {
      privilegeGroups: [...accounts.accounts.groups].map(([privilegeGroupName, privileges]) => ({
        privilegeGroupName,
        privileges: privileges.join(','),
      })),
    },
  }),
  create: async ({ accounts, body }) => changing(accounts.accounts.createGroup(groupOf(body)), { taken: GROUP_NAME }),
  drop: async ({ accounts, body }) => changing(accounts.accounts.dropGroup(groupOf(body))),
  add_privileges_to_group: async (call) => {
    const { accounts, body } = call;
    const privileges = body.texts('privileges') ?? [];
    // Whoever is granted the group has them at once, wherever that is.
    checkGiven(call, [{ privileges: new Set(privileges.filter(isPrivilege)), database: '*', collection: '*', partition: '*' }]);
    return changing(accounts.accounts.changeGroup(groupOf(body), privileges, true), { unknown: GROUP_NAME });
  },
  remove_privileges_from_group: async ({ accounts, body }) =>
    changing(accounts.accounts.changeGroup(groupOf(body), body.texts('privileges') ?? [], false), { unknown: GROUP_NAME }),
};

const groupOf = (body: Body): string => body.mustText('privilegeGroupName');

/** The first form of grants: an object of a type, in the request's database; `*` as its name is every one. */
function grantOf({ body, principal, database }: MilvusCall): GrantRecord {
  const type = body.mustText('objectType');
  const objectType = OBJECT_TYPES.find((known) => known === type);
  if (objectType === undefined) throw invalidParameter(`objectType can only be [${OBJECT_TYPES.join(', ')}], got ${type}`);
  const name = body.mustText('objectName');
  const privilege = body.mustText('privilege');
  return {
    privilege,
    database: objectType === 'User' || isOfCluster(privilege) ? '*' : database,
    collection: objectType === 'Collection' ? name : '*',
    partition: '*',
    objectType,
    grantor: principal.subject,
  };
}

/** The second form; `partitionName` is Tern's own. Reaches every database only where it says `*`, or where nothing less makes sense. */
function grantOfV2({ body, principal, database: named }: MilvusCall): GrantRecord {
  const [collection, partition] = (['collectionName', 'partitionName'] as const).map((name) => body.text(name) || '*');
  const privilege = body.mustText('privilege');
  const database = isOfCluster(privilege) ? '*' : named;
  return {
    privilege,
    database,
    collection: collection!,
    partition: partition!,
    objectType: collection === '*' && database === '*' ? 'Global' : 'Collection',
    grantor: principal.subject,
  };
}

function describeGrant({ privilege, database, collection, partition, objectType, grantor }: GrantRecord): Record<string, string> {
  const place = partition === '*' ? {} : { partitionName: partition };
  return { objectType, objectName: collection, privilege, dbName: database, grantor, ...place };
}
