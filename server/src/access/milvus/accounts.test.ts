import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_GROUPS } from '../auth/privileges.ts';
import { type DoorServer, startMemoryServer } from '../testing/test-server.ts';
import { GUARDS } from './guards.ts';
import { MILVUS_ROUTES } from './handlers.ts';

interface Answer {
  readonly status: number;
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
}

const ROOT = 'root:open sesame';
const PASSWORD = 'correct horse';
let server: DoorServer;
beforeAll(async () => {
  server = await startMemoryServer();
  for (const collectionName of ['notes', 'secrets']) await ok('collections/create', { collectionName, dimension: 2 });
});
afterAll(() => server.close());

async function call(path: string, body: object, credential: string = ROOT): Promise<Answer> {
  const response = await server.post(`/v2/vectordb/${path}`, body, credential);
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) };
}

async function ok(path: string, body: object): Promise<unknown> {
  const answer = await call(path, body);
  expect([path, answer.code, answer.message]).toEqual([path, 0, undefined]);
  return answer.data;
}

/** A user with one role that has these grants. The credential. */
async function userWith(name: string, grants: readonly object[]): Promise<string> {
  await ok('users/create', { userName: name, password: PASSWORD });
  await ok('roles/create', { roleName: `${name}_role` });
  for (const grant of grants) await ok('roles/grant_privilege_v2', { roleName: `${name}_role`, ...grant });
  await ok('users/grant_role', { userName: name, roleName: `${name}_role` });
  return `${name}:${PASSWORD}`;
}

/** Names that are in no catalog: a route that is allowed changes nothing. */
const NOTHING = {
  collectionName: 'nowhere',
  partitionName: 'none',
  aliasName: 'noalias',
  dbName: 'default',
  userName: 'nobody',
  roleName: 'norole',
  privilegeGroupName: 'nogroup',
};
const PUBLIC = ['DescribeCollection', 'ListAliases', 'IndexDetail'];

describe('every route of the Milvus door', () => {
  it('is guarded, and there is no guard without its route', () => {
    expect([...MILVUS_ROUTES.keys()].filter((path) => !(path in GUARDS))).toEqual([]);
    expect(Object.keys(GUARDS).filter((path) => !MILVUS_ROUTES.has(path))).toEqual([]);
  });

  it.each([...BUILT_IN_GROUPS.keys(), 'nothing'])(
    'lets a user who is granted %s do what that group holds, and nothing else',
    async (group) => {
      const user = await userWith(`u_${group}`, group === 'nothing' ? [] : [{ privilege: group }]);
      const may = new Set<string>([...PUBLIC, ...(BUILT_IN_GROUPS.get(group) ?? [])]);
      const wrong: string[] = [];
      for (const [path, { guard }] of MILVUS_ROUTES) {
        if (guard.privilege === undefined) continue;
        const { status } = await call(path, NOTHING, user);
        if ((status !== 403) !== may.has(guard.privilege)) wrong.push(`${path} answered ${status}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('asks who it is first', async () => {
    for (const path of MILVUS_ROUTES.keys()) {
      expect([path, (await call(path, NOTHING, '')).status]).toEqual([path, 401]);
    }
    for (const credential of ['nobody:some password', 'root:wrong password', 'nobody:']) {
      expect([credential, (await call('users/list', {}, credential)).status]).toEqual([credential, 401]);
    }
  });
});

describe('grants', () => {
  it('reach the collections and databases they name', async () => {
    const user = await userWith('reader', [{ privilege: 'CollectionReadOnly', collectionName: 'notes', dbName: 'default' }]);
    expect((await call('entities/query', { collectionName: 'notes', limit: 1 }, user)).code).toBe(0);
    expect((await call('entities/query', { collectionName: 'secrets', limit: 1 }, user)).status).toBe(403);
    expect((await call('entities/insert', { collectionName: 'notes', data: [{ id: 1, vector: [1, 0] }] }, user)).status).toBe(403);
    await ok('databases/create', { dbName: 'far' });
    expect((await call('entities/query', { collectionName: 'notes', dbName: 'far', limit: 1 }, user)).status).toBe(403);
  });

  it('reach the partitions they name, and a read without partitions reads those', async () => {
    for (const partitionName of ['mine', 'yours']) {
      await ok('partitions/create', { collectionName: 'notes', partitionName });
      const data = [{ id: partitionName === 'mine' ? 1 : 2, vector: [1, 0] }];
      await ok('entities/insert', { collectionName: 'notes', partitionName, data });
    }
    const user = await userWith('keeper', [{ privilege: 'CollectionReadWrite', collectionName: 'notes', partitionName: 'mi*' }]);
    const { data } = await call('entities/query', { collectionName: 'notes', limit: 10, outputFields: ['id'] }, user);
    expect(data).toEqual([{ id: 1 }]);
    expect((await call('entities/query', { collectionName: 'notes', partitionNames: ['yours'] }, user)).status).toBe(403);
    const row = { collectionName: 'notes', data: [{ id: 3, vector: [1, 0] }] };
    expect((await call('entities/insert', { ...row, partitionName: 'mine' }, user)).code).toBe(0);
    expect((await call('entities/insert', { ...row, partitionName: 'yours' }, user)).status).toBe(403);
    expect((await call('entities/delete', { collectionName: 'notes', filter: 'id in [1, 2, 3]' }, user)).code).toBe(0);
    expect(await ok('entities/query', { collectionName: 'notes', limit: 10, outputFields: ['id'] })).toEqual([{ id: 2 }]);
  });

  it('hold at the sync door as they do at this one', async () => {
    const user = await userWith('device', [{ privilege: 'CollectionReadOnly', collectionName: 'notes' }]);
    const read = (collection: string): Promise<Response> => server.post('/sync/v1/query', { collection }, user);
    expect((await read('notes')).status).toBe(200);
    expect((await read('secrets')).status).toBe(403);
  });

  it('end when they are revoked, with the role, or with the user', async () => {
    const user = await userWith('guest', [{ privilege: 'Query', collectionName: 'notes' }]);
    const status = async (): Promise<number> => (await call('entities/query', { collectionName: 'notes', limit: 1 }, user)).status;
    expect(await status()).toBe(200);
    const grant = { roleName: 'guest_role', privilege: 'Query', collectionName: 'notes' };
    await ok('roles/revoke_privilege_v2', grant);
    expect(await status()).toBe(403);
    await ok('roles/grant_privilege_v2', grant);
    expect(await status()).toBe(200);
    await ok('users/revoke_role', { userName: 'guest', roleName: 'guest_role' });
    expect(await status()).toBe(403);
    await ok('users/drop', { userName: 'guest' });
    expect(await status()).toBe(401);
  });

  it('may be of groups that users make', async () => {
    await ok('privilege_groups/create', { privilegeGroupName: 'lookers' });
    await ok('privilege_groups/add_privileges_to_group', { privilegeGroupName: 'lookers', privileges: ['Query', 'Search'] });
    const user = await userWith('looker', [{ privilege: 'lookers' }]);
    const query = async (): Promise<number> => (await call('entities/query', { collectionName: 'notes', limit: 1 }, user)).status;
    expect(await query()).toBe(200);
    await ok('privilege_groups/remove_privileges_from_group', { privilegeGroupName: 'lookers', privileges: ['Query'] });
    expect(await query()).toBe(403);
    const { privilegeGroups } = (await ok('privilege_groups/list', {})) as { privilegeGroups: readonly object[] };
    expect(privilegeGroups).toHaveLength(10);
    expect(privilegeGroups).toContainEqual({ privilegeGroupName: 'lookers', privileges: 'Search' });
    expect((await call('privilege_groups/drop', { privilegeGroupName: 'lookers' })).code).not.toBe(0);
    await ok('roles/revoke_privilege_v2', { roleName: 'looker_role', privilege: 'lookers' });
    await ok('privilege_groups/drop', { privilegeGroupName: 'lookers' });
  });
});

describe('nobody gives what they have not got', () => {
  const status = async (path: string, body: object, user: string): Promise<number> => (await call(path, body, user)).status;

  it('by a role, a grant, a group, or the password of somebody else', async () => {
    const names = ['ManageOwnership', 'UpdateUser', 'CreateOwnership', 'OperatePrivilegeGroup', 'CreatePrivilegeGroup', 'SelectUser'];
    const deputy = await userWith('deputy', [
      ...names.map((privilege) => ({ privilege })),
      { privilege: 'Query', collectionName: 'notes' },
    ]);
    const reader = await userWith('plain', []);
    const mine = { userName: 'deputy', roleName: 'deputy_role' };
    expect(await status('users/grant_role', { ...mine, roleName: 'admin' }, deputy)).toBe(403);
    const give = (more: object): Promise<number> => status('roles/grant_privilege_v2', { roleName: 'deputy_role', ...more }, deputy);
    expect(await give({ privilege: '*' })).toBe(403);
    expect(await give({ privilege: 'Query' })).toBe(403);
    expect(await give({ privilege: 'Query', collectionName: 'sec*' })).toBe(403);
    expect(await give({ privilege: 'ClusterAdmin' })).toBe(403);
    expect(
      await status('roles/grant_privilege', { roleName: 'public', objectType: 'Global', objectName: '*', privilege: 'Insert' }, deputy),
    ).toBe(403);
    const password = (userName: string): Promise<number> =>
      status('users/update_password', { userName, newPassword: 'mine from now' }, deputy);
    expect([await password('root'), await password('reader'), await password('u_nothing')]).toEqual([403, 403, 200]);
    await ok('privilege_groups/create', { privilegeGroupName: 'deputies' });
    const group = { privilegeGroupName: 'deputies' };
    expect(await status('privilege_groups/add_privileges_to_group', { ...group, privileges: ['Insert'] }, deputy)).toBe(403);
    expect(await status('privilege_groups/add_privileges_to_group', { ...group, privileges: ['SelectUser'] }, deputy)).toBe(200);
    // What they have they may give.
    await ok('roles/create', { roleName: 'readers_of_notes' });
    const shared = { roleName: 'readers_of_notes', privilege: 'Query', collectionName: 'notes' };
    expect(await status('roles/grant_privilege_v2', shared, deputy)).toBe(200);
    expect(await status('users/grant_role', { userName: 'plain', roleName: 'readers_of_notes' }, deputy)).toBe(200);
    expect(await status('entities/query', { collectionName: 'notes', limit: 1 }, reader)).toBe(200);
    await ok('privilege_groups/drop', group);
  });
});

describe('a body that names two things', () => {
  it('does not move, drop or show an alias of a collection that is not granted', async () => {
    await ok('aliases/create', { collectionName: 'secrets', aliasName: 'behind' });
    const grants = ['CreateAlias', 'DropAlias', 'DescribeAlias'].map((privilege) => ({ privilege, collectionName: 'notes' }));
    const user = await userWith('aliaser', grants);
    const body = { collectionName: 'notes', aliasName: 'behind' };
    for (const path of ['aliases/drop', 'aliases/alter', 'aliases/describe'])
      expect([path, (await call(path, body, user)).status]).toEqual([path, 403]);
    expect(await ok('aliases/describe', { aliasName: 'behind' })).toMatchObject({ collectionName: 'secrets' });
    await ok('aliases/drop', { aliasName: 'behind' });
  });

  it('imports only to a partition where both importing and inserting are granted', async () => {
    await ok('partitions/create', { collectionName: 'secrets', partitionName: 'in' });
    const user = await userWith('importer', [
      { privilege: 'Import', collectionName: 'secrets', partitionName: 'other' },
      { privilege: 'Import', collectionName: 'notes' },
      { privilege: 'Insert', collectionName: 'secrets', partitionName: 'in' },
    ]);
    const body = { collectionName: 'secrets', partitionName: 'in', files: [['x.json']] };
    expect((await call('jobs/import/create', body, user)).status).toBe(403);
  });
});

describe('who is granted some partitions', () => {
  it('sees their names and counts their rows only', async () => {
    await ok('collections/create', { collectionName: 'split', dimension: 2 });
    for (const [index, partitionName] of ['a', 'b'].entries()) {
      await ok('partitions/create', { collectionName: 'split', partitionName });
      const data = Array.from({ length: index + 1 }, (_, id) => ({ id, vector: [1, 0] }));
      await ok('entities/insert', { collectionName: 'split', partitionName, data });
    }
    const user = await userWith('splitter', [{ privilege: 'CollectionReadOnly', collectionName: 'split', partitionName: 'a' }]);
    const on = { collectionName: 'split' };
    expect((await call('partitions/list', on, user)).data).toEqual(['a']);
    expect((await call('collections/get_stats', on, user)).data).toEqual({ rowCount: 1 });
    expect((await call('partitions/get_stats', { ...on, partitionName: 'b' }, user)).status).toBe(403);
    expect((await call('partitions/get_stats', { ...on, partitionName: 'none' })).code).toBe(200);
    expect((await ok('collections/get_stats', on)) as object).toEqual({ rowCount: 3 });
    const { data } = await call('entities/search', { ...on, ids: [1], limit: 5 }, user);
    expect(data ?? []).toEqual([]);
  });
});

describe('users and roles', () => {
  it('are listed and described as Milvus does', async () => {
    await userWith('ann', [{ privilege: 'Search', collectionName: 'notes', dbName: 'default' }]);
    expect(await ok('users/list', {})).toContain('ann');
    expect(await ok('users/describe', { userName: 'ann' })).toEqual(['public', 'ann_role']);
    expect(await ok('roles/list', {})).toEqual(expect.arrayContaining(['admin', 'public', 'ann_role']));
    expect(await ok('roles/describe', { roleName: 'ann_role' })).toEqual([
      { objectType: 'Collection', objectName: 'notes', privilege: 'Search', dbName: 'default', grantor: 'root' },
    ]);
    await ok('roles/grant_privilege', { roleName: 'ann_role', objectType: 'Global', objectName: '*', privilege: 'CreateCollection' });
    expect((await call('collections/create', { collectionName: 'by_ann', dimension: 2 }, `ann:${PASSWORD}`)).code).toBe(0);
  });

  it('reach one database unless a grant says every one, or guards what is of none', async () => {
    const far = { dbName: 'far_off' };
    await ok('databases/create', far);
    const roleName = 'near_role';
    const near = await userWith('near', []);
    const give = { roleName, objectType: 'Global', objectName: '*', privilege: 'CreateCollection' };
    await ok('roles/grant_privilege', give);
    await ok('roles/grant_privilege_v2', { roleName, privilege: 'DropCollection' });
    await ok('roles/grant_privilege_v2', { roleName, privilege: 'CreateDatabase' });
    expect(await ok('roles/describe', { roleName })).toMatchObject([
      { privilege: 'CreateCollection', dbName: 'default' },
      { privilege: 'DropCollection', dbName: 'default' },
      { privilege: 'CreateDatabase', dbName: '*' },
    ]);
    const make = { collectionName: 'by_near', dimension: 2 };
    expect((await call('collections/create', make, near)).code).toBe(0);
    expect((await call('collections/create', { ...make, ...far }, near)).status).toBe(403);
    expect((await call('databases/create', { dbName: 'by_near' }, near)).code).toBe(0);
    await ok('roles/grant_privilege', { ...give, dbName: '*' });
    expect((await call('collections/create', { ...make, ...far }, near)).code).toBe(0);
    await ok('roles/revoke_privilege', { ...give, dbName: '*' });
    expect((await call('collections/drop', { ...make, ...far }, near)).status).toBe(403);
    expect((await call('collections/create', { ...make, collectionName: 'more', ...far }, near)).status).toBe(403);
  });

  it('are not those of a token that goes by the name of one', async () => {
    await userWith('eve', []);
    const token = await server.token({ partitions: { '*': 'write' }, schema: true }, { subject: 'eve' });
    expect((await call('users/describe', { userName: 'eve' }, token)).status).toBe(403);
    const change = { userName: 'eve', password: PASSWORD, newPassword: 'battery staple' };
    expect((await call('users/update_password', change, token)).status).toBe(403);
    expect((await call('users/describe', { userName: 'eve' }, `eve:${PASSWORD}`)).data).toEqual(['public', 'eve_role']);
  });

  it('change their own password, and only theirs', async () => {
    const bob = await userWith('bob', []);
    const change = (body: object, credential: string): Promise<Answer> => call('users/update_password', body, credential);
    expect(await change({ userName: 'bob', password: 'not this one', newPassword: 'battery staple' }, bob)).toMatchObject({ code: 1400 });
    expect((await change({ userName: 'ann', password: PASSWORD, newPassword: 'battery staple' }, bob)).status).toBe(403);
    expect((await change({ userName: 'bob', password: PASSWORD, newPassword: 'battery staple' }, bob)).code).toBe(0);
    expect((await call('users/describe', { userName: 'bob' }, bob)).status).toBe(401);
    expect((await call('users/describe', { userName: 'bob' }, 'bob:battery staple')).data).toEqual(['public', 'bob_role']);
  });

  it.each([
    ['users/create', { userName: 'ann', password: PASSWORD }, 65_535, 'user already exists'],
    ['users/create', { userName: 'root', password: PASSWORD }, 65_535, 'user already exists'],
    ['users/create', { userName: 'short', password: '12345' }, 1100, 'password'],
    ['users/create', { userName: 'long', password: 'x'.repeat(73) }, 1100, 'password'],
    ['users/create', { userName: '1st', password: PASSWORD }, 1100, 'userName'],
    ['users/create', { userName: `a${'b'.repeat(32)}`, password: PASSWORD }, 1100, 'userName'],
    ['users/create', { userName: '__proto__', password: PASSWORD }, 1100, 'userName'],
    ['users/create', { userName: 'nopassword' }, 1802, 'missing required parameters'],
    ['users/drop', { userName: 'root' }, 1401, 'built in'],
    ['users/describe', { userName: 'nobody' }, 65_535, 'not found'],
    ['users/grant_role', { userName: 'ann', roleName: 'none' }, 65_535, 'role none'],
    ['users/update_password', { userName: 'root', password: 'open sesame', newPassword: 'another one' }, 1401, 'rootPassword'],
    ['roles/drop', { roleName: 'admin' }, 1401, 'built in'],
    ['roles/drop', { roleName: 'ann_role' }, 65_535, 'it has privileges'],
    ['roles/create', { roleName: 'public' }, 65_535, 'already exist'],
    ['roles/grant_privilege_v2', { roleName: 'ann_role', privilege: 'Everything' }, 1100, 'privilege'],
    ['roles/grant_privilege', { roleName: 'ann_role', objectType: 'Row', objectName: '*', privilege: 'Query' }, 1100, 'objectType'],
    ['privilege_groups/create', { privilegeGroupName: 'CollectionAdmin' }, 1402, 'already exist'],
    ['privilege_groups/drop', { privilegeGroupName: 'ClusterAdmin' }, 1401, 'built in'],
  ])('%s with %j answers %i', async (path, body, code, message) => {
    expect(await call(path, body)).toMatchObject({ status: 200, code, message: expect.stringContaining(message) });
  });
});
