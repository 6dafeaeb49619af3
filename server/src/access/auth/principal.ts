/** One partition pattern of a token: `*` stands for any characters. Write includes read. */
export interface PartitionGrant {
  readonly pattern: string;
  readonly access: 'read' | 'write';
}

/** Who asks, and what the token allows. Every door works with this and never with a token. */
export interface AccessPrincipal {
  readonly subject: string;
  /** Wall clock of the server. */
  readonly expiresAtMs: number;
  /** Undefined: every database. */
  readonly database?: string;
  readonly grants: readonly PartitionGrant[];
  /** May create collections and fields. */
  readonly schema: boolean;
}

const EVERYTHING: readonly PartitionGrant[] = [{ pattern: '*', access: 'write' }];

/** May do everything until then. */
export function almighty(subject: string, expiresAtMs: number): AccessPrincipal {
  return { subject, expiresAtMs, grants: EVERYTHING, schema: true };
}

export interface PartitionPlace {
  readonly database: string;
  readonly partition: string;
}

export function canRead({ database, grants }: AccessPrincipal, place: PartitionPlace): boolean {
  return isIn(database, place) && grants.some(({ pattern }) => matches(pattern, place.partition));
}

export function canWrite({ database, grants }: AccessPrincipal, place: PartitionPlace): boolean {
  return isIn(database, place) && grants.some(({ pattern, access }) => access === 'write' && matches(pattern, place.partition));
}

function isIn(granted: string | undefined, { database }: PartitionPlace): boolean {
  return granted === undefined || granted === database;
}

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
