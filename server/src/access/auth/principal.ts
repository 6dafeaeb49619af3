import { ALL_PRIVILEGES, type Privilege } from './privileges.ts';

/** In each coordinate `*` stands for any characters. */
export interface Grant {
  readonly privileges: ReadonlySet<Privilege>;
  readonly database: string;
  readonly collection: string;
  readonly partition: string;
}

/** Who asks, and what that one may do. Every door works with this and never with a token or a password. */
export interface AccessPrincipal {
  readonly subject: string;
  /** The user whose password was given. Absent: a token speaks, and its subject may be any name, a user's too. */
  readonly user?: string;
  /** Wall clock of the server. */
  readonly expiresAtMs: number;
  /** That of the token, which its requests mean when they name none. */
  readonly database?: string;
  /** A user's are read anew each time: what is revoked ends at once. */
  readonly grants: readonly Grant[];
  /** Another number: `grants` may have changed. Absent: they never do. */
  readonly version?: number;
}

/** May do everything until then. */
export function almighty(subject: string, expiresAtMs: number): AccessPrincipal {
  return { subject, expiresAtMs, grants: [{ privileges: ALL_PRIVILEGES, database: '*', collection: '*', partition: '*' }] };
}

export interface Place {
  readonly database?: string;
  readonly collection?: string;
  readonly partition?: string;
}

/** In the whole of the place: what it does not name must be granted with `*`. */
export function holds({ grants }: AccessPrincipal, privilege: Privilege, { database, collection, partition }: Place): boolean {
  return grants.some(
    (grant) =>
      grant.privileges.has(privilege) &&
      covers(grant.database, database) &&
      covers(grant.collection, collection) &&
      covers(grant.partition, partition),
  );
}

/** All that these grants grant, and wherever they do: a pattern is covered by one that matches it, star for star. */
export function holdsAll(principal: AccessPrincipal, grants: readonly Grant[]): boolean {
  return grants.every(({ privileges, ...place }) => [...privileges].every((privilege) => holds(principal, privilege, place)));
}

/** Somewhere in the place: what it does not name does not matter. */
export function holdsSome({ grants }: AccessPrincipal, privilege: Privilege, { database, collection, partition }: Place): boolean {
  return grants.some(
    (grant) =>
      grant.privileges.has(privilege) &&
      meets(grant.database, database) &&
      meets(grant.collection, collection) &&
      meets(grant.partition, partition),
  );
}

/** There is something that the principal may do in this database. */
export const enters = ({ grants }: AccessPrincipal, database: string): boolean => grants.some((grant) => matches(grant.database, database));

export interface PartitionPlace {
  readonly database: string;
  readonly collection: string;
  readonly partition: string;
}

/** Replicating a partition is querying it. */
export const canRead = (principal: AccessPrincipal, place: PartitionPlace): boolean => holds(principal, 'Query', place);

/** A device writes whatever its user does: it needs all three. */
export function canWrite(principal: AccessPrincipal, place: PartitionPlace): boolean {
  return WRITES.every((privilege) => holds(principal, privilege, place));
}
const WRITES = ['Insert', 'Upsert', 'Delete'] as const;

const covers = (pattern: string, name: string | undefined): boolean => (name === undefined ? pattern === '*' : matches(pattern, name));
const meets = (pattern: string, name: string | undefined): boolean => name === undefined || matches(pattern, name);

/** Linear for one star and never worse than length times length: a regular expression could be made to hang. */
export function matches(pattern: string, text: string): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < text.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      resume = index;
    } else if (at < pattern.length && pattern[at] === text[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
