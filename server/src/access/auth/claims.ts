import { DbError } from '@terndb/core';
import type { JWTPayload } from 'jose';
import type { AccessPrincipal, Grant } from './principal.ts';
import { TOKEN_READ, TOKEN_SCHEMA, TOKEN_WRITE } from './privileges.ts';

/**
 * What a token says, beside `sub` and `exp`:
 *   "tern": { "partitions": { "team:*": "write", "news": "read" }, "schema": true, "database": "default" }
 * Without `database` the token is for `default`; without `schema` it creates nothing; without `partitions` it grants nothing.
 */
const DEFAULT_DATABASE = 'default';
/** Each is compared with each partition. */
const MAX_PATTERNS = 256;
const MAX_PATTERN_LENGTH = 255;
const MAX_SUBJECT_LENGTH = 255;

export interface TernClaims {
  readonly partitions: Readonly<Record<string, 'read' | 'write'>>;
  readonly schema?: boolean;
  readonly database?: string;
}

/** AUTH_REQUIRED when a claim is not what it should be: a token that says something else must not mean something. */
export function principalOf(payload: JWTPayload): AccessPrincipal {
  const { sub, exp } = payload;
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_LENGTH)
    throw badClaim('sub', `1 to ${MAX_SUBJECT_LENGTH} characters`);
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw badClaim('exp', 'seconds since 1970');
  const tern = payload['tern'] ?? {};
  if (!isObject(tern)) throw badClaim('tern', 'an object');
  const { partitions = {}, schema = false, database = DEFAULT_DATABASE } = tern;
  if (typeof schema !== 'boolean') throw badClaim('tern.schema', 'true or false');
  // A star would be a pattern here, and the token is for one.
  if (typeof database !== 'string' || database === '' || database.includes('*')) throw badClaim('tern.database', 'a name');
  const everywhere = { privileges: TOKEN_SCHEMA, database, collection: '*', partition: '*' };
  const grants = [...grantsOf(database, partitions), ...(schema ? [everywhere] : [])];
  return { subject: sub, expiresAtMs: Math.floor(exp * 1000), database, grants };
}

function grantsOf(database: string, partitions: unknown): readonly Grant[] {
  if (!isObject(partitions)) throw badClaim('tern.partitions', 'an object of pattern → read or write');
  const entries = Object.entries(partitions);
  if (entries.length > MAX_PATTERNS) throw badClaim('tern.partitions', `at most ${MAX_PATTERNS} patterns`);
  return entries.map(([pattern, access]) => {
    if (pattern === '' || pattern.length > MAX_PATTERN_LENGTH)
      throw badClaim('tern.partitions', `patterns of 1 to ${MAX_PATTERN_LENGTH} characters`);
    if (access !== 'read' && access !== 'write') throw badClaim(`tern.partitions["${pattern}"]`, 'read or write');
    return { privileges: access === 'write' ? TOKEN_WRITE : TOKEN_READ, database, collection: '*', partition: pattern };
  });
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function badClaim(claim: string, expected: string): DbError {
  return new DbError('AUTH_REQUIRED', `token: ${claim}: ${expected} expected`, { details: { claim, expected } });
}
