import { DbError } from '@terndb/core';
import { issueJwt, loadJwtKeys } from '../access/auth/jwt.ts';
import { openLocalSecrets } from '../access/auth/local-secrets.ts';
import { systemClock } from '../adapters/s3/system.ts';
import type { Config } from '../config/config.ts';

export const TOKEN_FLAGS: readonly string[] = ['subject', 'write', 'read', 'schema', 'database', 'lifetime'];
export const TOKEN_HELP = `  --subject NAME           Whose token it is. Default: developer
  --write PATTERNS         Partitions it may write, separated by commas; * stands for any characters. Default without --read: *
  --read PATTERNS          Partitions it may read.
  --schema                 It may create collections and fields.
  --database NAME          Default: default
  --lifetime SECONDS       Default: 3600`;

type Flags = Readonly<Record<string, string | true>>;
const DEFAULT_LIFETIME_S = 3600;
const MAX_LIFETIME_S = 366 * 86_400;

/** Signed with the server's own secret: from the configuration, or from its data folder. OPTION_INVALID. */
export async function issueDevelopmentToken(config: Config, flags: Flags): Promise<string> {
  const { jwtSecret } = config.auth.hs256Secret === undefined ? await openLocalSecrets(config.data) : { jwtSecret: undefined };
  const keys = await loadJwtKeys(config.auth, jwtSecret);
  const read = listOf(flags, 'read');
  const write = listOf(flags, 'write') ?? (read === undefined ? ['*'] : []);
  const partitions = Object.fromEntries([
    ...(read ?? []).map((pattern) => [pattern, 'read'] as const),
    ...write.map((pattern) => [pattern, 'write'] as const),
  ]);
  const database = textOf(flags, 'database');
  if (flags['schema'] !== undefined && flags['schema'] !== true) throw invalid('schema', 'no value', flags['schema']);
  const claims = { partitions, schema: flags['schema'] === true, ...(database === undefined ? {} : { database }) };
  return issueJwt(keys, {
    subject: textOf(flags, 'subject') ?? 'developer',
    claims,
    lifetimeMs: lifetimeOf(flags) * 1000,
    nowMs: systemClock.nowMs(),
  });
}

function textOf(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  if (value === true || value === '') throw invalid(name, 'a value', 'none');
  return value;
}

function listOf(flags: Flags, name: string): readonly string[] | undefined {
  return textOf(flags, name)
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function lifetimeOf(flags: Flags): number {
  const text = textOf(flags, 'lifetime') ?? String(DEFAULT_LIFETIME_S);
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_LIFETIME_S) return seconds;
  throw invalid('lifetime', `an integer from 1 to ${MAX_LIFETIME_S}`, text);
}

function invalid(flag: string, expected: string, got: string): DbError {
  return new DbError('OPTION_INVALID', `--${flag}: ${expected} expected, got ${got}`, { details: { option: flag, expected, got } });
}
