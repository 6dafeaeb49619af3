import { DbError, type JsonValue, type MetaStore } from '@terndb/core';
import {
  ACCOUNTS_KEY,
  type AccountsRecord,
  ADMIN,
  type GrantRecord,
  NO_ACCOUNTS,
  PUBLIC,
  readAccounts,
  type UserRecord,
  writeAccounts,
} from './accounts-record.ts';
import { hashPassword, type PasswordHash } from './password.ts';
import type { AccessPrincipal, Grant } from './principal.ts';
import { ALL_PRIVILEGES, BUILT_IN_GROUPS, isPrivilege, type Privilege } from './privileges.ts';

/** As Milvus has them; more of them would make the one record they are in large. */
const MAX_USERS = 100;
const MAX_ROLES = 100;
const MAX_GROUPS = 100;
const MAX_GRANTS = 1000;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/;
const USER_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,31}$/;
const PASSWORD_BYTES = { least: 6, most: 72 } as const;
/** Others change the same record only while two servers run by mistake. */
const MAX_TRIES = 5;
export const ROOT = 'root';

type Change = (record: AccountsRecord) => Partial<AccountsRecord>;

/**
 * Users, their roles, and what roles may do. Read from memory; a change is durable when it resolves and holds from then on, for requests under way
 * too. OPTION_INVALID for what is not a name or a privilege, NOT_FOUND for what is not there, FORBIDDEN for what is built in, QUOTA_EXCEEDED.
 * A name that is taken has the reason `taken`. Who may change what is the door's to check.
 */
export class Accounts {
  readonly #meta: MetaStore;
  #record: AccountsRecord = NO_ACCOUNTS;
  #revision = 0;
  readonly #grants = new Map<string, readonly Grant[]>();

  private constructor(meta: MetaStore) {
    this.#meta = meta;
  }

  static async open(meta: MetaStore): Promise<Accounts> {
    const accounts = new Accounts(meta);
    await accounts.#load();
    return accounts;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#revision;
  }

  get users(): readonly string[] {
    return [ROOT, ...this.#record.users.keys()];
  }

  get roles(): readonly string[] {
    return [...this.#record.roles.keys()];
  }

  get groups(): ReadonlyMap<string, readonly string[]> {
    return new Map([...BUILT_IN_GROUPS, ...this.#record.groups]);
  }

  rolesOf(user: string): readonly string[] | undefined {
    return user === ROOT ? [ADMIN] : this.#record.users.get(user)?.roles;
  }

  grantsOf(role: string): readonly GrantRecord[] | undefined {
    return this.#record.roles.get(role);
  }

  /** What granting it means; of a privilege, a group or "*". */
  toGrants(grants: readonly GrantRecord[]): readonly Grant[] {
    return grants.map((grant) => this.#toGrant(grant));
  }

  /** Of all roles of a user; root's is everything. */
  grantsOfUser(user: string): readonly Grant[] {
    return this.toGrants((this.rolesOf(user) ?? []).flatMap((role) => this.#record.roles.get(role) ?? []));
  }

  /** Undefined: nobody of that name, or root, whose password is not kept here. */
  passwordOf(user: string): PasswordHash | undefined {
    return this.#record.users.get(user);
  }

  /** Whatever becomes of the user: one that is dropped may do nothing. */
  principalOf(user: string, expiresAtMs: number): AccessPrincipal {
    const grants = (): readonly Grant[] => this.#grantsOfUser(user);
    const version = (): number => this.#revision;
    return {
      subject: user,
      user,
      expiresAtMs,
      get grants() {
        return grants();
      },
      get version() {
        return version();
      },
    };
  }

  async createUser(name: string, password: string): Promise<void> {
    if (!USER_NAME.test(name)) throw invalid('userName', 'a letter, then at most 31 letters, digits, "_", "." and "-"', name);
    const hash = await hashPassword(checkPassword(password));
    await this.#change(({ users }) => {
      if (name === ROOT || users.has(name)) throw isTaken('userName', 'a name that no user has', name);
      if (users.size + 1 >= MAX_USERS) throw tooMany('users', MAX_USERS);
      return { users: withEntry(users, name, { ...hash, roles: [PUBLIC] }) };
    });
  }

  async setPassword(name: string, password: string): Promise<void> {
    const hash = await hashPassword(checkPassword(password));
    await this.#change(({ users }) => ({ users: withEntry(users, name, { ...mustHave(users, 'user', name), ...hash }) }));
  }

  async dropUser(name: string): Promise<void> {
    if (name === ROOT) throw builtIn('user', name);
    await this.#change(({ users }) => ({ users: without(users, name) }));
  }

  /** The user has the role, or has it no more. */
  async setRole(name: string, role: string, has: boolean): Promise<void> {
    if (name === ROOT) throw builtIn('user', name);
    await this.#change(({ users, roles }) => {
      mustHave(roles, 'role', role);
      const user: UserRecord = mustHave(users, 'user', name);
      const others = user.roles.filter((known) => known !== role);
      return { users: withEntry(users, name, { ...user, roles: has ? [...others, role] : others }) };
    });
  }

  async createRole(name: string): Promise<void> {
    if (!NAME.test(name)) throw invalid('roleName', 'a letter or "_", then at most 254 letters, digits, "_", "." and "-"', name);
    await this.#change(({ roles }) => {
      if (roles.has(name)) throw isTaken('roleName', 'a name that no role has', name);
      if (roles.size >= MAX_ROLES) throw tooMany('roles', MAX_ROLES);
      return { roles: withEntry(roles, name, []) };
    });
  }

  /** Users lose it. OPTION_INVALID while it grants something. */
  async dropRole(name: string): Promise<void> {
    if (name === ADMIN || name === PUBLIC) throw builtIn('role', name);
    await this.#change(({ roles, users }) => {
      if ((roles.get(name) ?? []).length > 0) throw invalid('roleName', 'a role that grants nothing', name);
      const rest = [...users].map(([user, record]) => [user, { ...record, roles: record.roles.filter((role) => role !== name) }] as const);
      return { roles: without(roles, name), users: new Map(rest) };
    });
  }

  async grant(role: string, grant: GrantRecord): Promise<void> {
    if (role === ADMIN) throw builtIn('role', role);
    await this.#change(({ roles, groups }) => {
      const { privilege } = grant;
      if (privilege !== '*' && !isPrivilege(privilege) && !BUILT_IN_GROUPS.has(privilege) && !groups.has(privilege))
        throw invalid('privilege', 'a known privilege or group', privilege);
      const others = mustHave(roles, 'role', role).filter((known) => !isSame(known, grant));
      if (others.length >= MAX_GRANTS) throw tooMany(`grants of ${role}`, MAX_GRANTS);
      return { roles: withEntry(roles, role, [...others, grant]) };
    });
  }

  async revoke(role: string, grant: GrantRecord): Promise<void> {
    if (role === ADMIN) throw builtIn('role', role);
    await this.#change(({ roles }) => ({
      roles: withEntry(
        roles,
        role,
        mustHave(roles, 'role', role).filter((known) => !isSame(known, grant)),
      ),
    }));
  }

  async createGroup(name: string): Promise<void> {
    if (!NAME.test(name) || isPrivilege(name)) throw invalid('privilegeGroupName', 'a name that is no privilege', name);
    await this.#change(({ groups }) => {
      if (groups.has(name) || BUILT_IN_GROUPS.has(name)) throw isTaken('privilegeGroupName', 'a name that no group has', name);
      if (groups.size >= MAX_GROUPS) throw tooMany('privilege groups', MAX_GROUPS);
      return { groups: withEntry(groups, name, []) };
    });
  }

  /** OPTION_INVALID while a role is granted it. */
  async dropGroup(name: string): Promise<void> {
    if (BUILT_IN_GROUPS.has(name)) throw builtIn('privilege group', name);
    await this.#change(({ groups, roles }) => {
      const isUsed = [...roles.values()].flat().some(({ privilege }) => privilege === name);
      if (isUsed) throw invalid('privilegeGroupName', 'a group that no role is granted', name);
      return { groups: without(groups, name) };
    });
  }

  async changeGroup(name: string, privileges: readonly string[], has: boolean): Promise<void> {
    if (BUILT_IN_GROUPS.has(name)) throw builtIn('privilege group', name);
    const unknown = privileges.find((privilege) => !isPrivilege(privilege));
    if (unknown !== undefined) throw invalid('privileges', 'known privileges', unknown);
    await this.#change(({ groups }) => {
      const others = mustHave(groups, 'privilege group', name).filter((known) => !privileges.includes(known));
      return { groups: withEntry(groups, name, has ? [...others, ...new Set(privileges)] : others) };
    });
  }

  #grantsOfUser(user: string): readonly Grant[] {
    const known = this.#grants.get(user);
    if (known !== undefined) return known;
    const roles = this.#record.users.get(user)?.roles ?? [];
    const grants = roles.flatMap((role) => this.#record.roles.get(role) ?? []).map((grant) => this.#toGrant(grant));
    this.#grants.set(user, grants);
    return grants;
  }

  #toGrant({ privilege, database, collection, partition }: GrantRecord): Grant {
    return { privileges: this.#privilegesOf(privilege), database, collection, partition };
  }

  #privilegesOf(name: string): ReadonlySet<Privilege> {
    if (name === '*') return ALL_PRIVILEGES;
    return isPrivilege(name) ? new Set([name]) : new Set((this.groups.get(name) ?? []).filter(isPrivilege));
  }

  /** APPEND_CONFLICT when others keep changing the same record. */
  async #change(change: Change): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const next = { ...this.#record, ...change(this.#record) };
      const revision = await this.#meta.compareAndSet(ACCOUNTS_KEY, this.#revision, writeAccounts(next));
      if (revision !== undefined) {
        this.#take(next, revision);
        return;
      }
      await this.#load();
    }
    throw new DbError('APPEND_CONFLICT', 'accounts: changed by others again and again');
  }

  async #load(): Promise<void> {
    const entry = await this.#meta.get(ACCOUNTS_KEY);
    // An answer that comes late must not bring back what was revoked meanwhile.
    if (entry !== undefined && entry.revision >= this.#revision) this.#take(readAccounts(entry), entry.revision);
  }

  #take(record: AccountsRecord, revision: number): void {
    this.#record = record;
    this.#revision = revision;
    this.#grants.clear();
  }
}

/** Root's has the same rules. OPTION_INVALID; the message does not repeat it. */
export function checkPassword(password: string): string {
  const bytes = Buffer.byteLength(password);
  if (bytes >= PASSWORD_BYTES.least && bytes <= PASSWORD_BYTES.most) return password;
  throw new DbError('OPTION_INVALID', `password: ${PASSWORD_BYTES.least} to ${PASSWORD_BYTES.most} bytes expected, got ${bytes}`, {
    details: { option: 'password', got: bytes },
  });
}

const isSame = (a: GrantRecord, b: GrantRecord): boolean =>
  a.privilege === b.privilege && a.database === b.database && a.collection === b.collection && a.partition === b.partition;

const withEntry = <T>(map: ReadonlyMap<string, T>, name: string, value: T): ReadonlyMap<string, T> => new Map(map).set(name, value);

function without<T>(map: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> {
  const rest = new Map(map);
  rest.delete(name);
  return rest;
}

function mustHave<T>(map: ReadonlyMap<string, T>, what: string, name: string): T {
  const value = map.get(name);
  if (value !== undefined) return value;
  throw new DbError('NOT_FOUND', `${what} ${name.slice(0, 100)}: one that is known expected`, {
    details: { what, name: name.slice(0, 100) },
  });
}

function invalid(option: string, expected: string, got: string, more: Record<string, JsonValue> = {}): DbError {
  const shown: JsonValue = got.slice(0, 100);
  return new DbError('OPTION_INVALID', `${option}: ${expected} expected, got ${JSON.stringify(shown)}`, {
    details: { option, expected, got: shown, ...more },
  });
}

const isTaken = (option: string, expected: string, got: string): DbError => invalid(option, expected, got, { reason: 'taken' });

function builtIn(what: string, name: string): DbError {
  return new DbError('FORBIDDEN', `${what} ${name}: it is built in and cannot be changed`, { details: { what, name } });
}

function tooMany(what: string, limit: number): DbError {
  return new DbError('QUOTA_EXCEEDED', `${what}: at most ${limit} expected`, { details: { what, limit } });
}
