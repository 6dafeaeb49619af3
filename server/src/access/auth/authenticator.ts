import { type Clock, DbError, type MetaStore } from '@terndb/core';
import { decodeJwt } from 'jose';
import type { Config } from '../../config/config.ts';
import { type HealthCheck, OK } from '../../node/health/finding.ts';
import { Accounts, checkPassword, ROOT } from './accounts.ts';
import { issueJwt, type JwtKeys, loadJwtKeys, verifyJwt } from './jwt.ts';
import { openLocalSecrets, openRootSecrets, storeRootPassword } from './local-secrets.ts';
import { hashPassword, PasswordCheck, type PasswordHash } from './password.ts';
import { type AccessPrincipal, almighty } from './principal.ts';

/** Who is asking. Every door asks here; nobody else looks at a token. */
export interface Authenticator {
  readonly accounts: Accounts;
  /** A JWT or `user:password`. AUTH_REQUIRED; TIMEOUT and RATE_LIMITED say nothing about the credential. */
  authenticate(credential: string | undefined): Promise<AccessPrincipal>;
  /** AUTH_REQUIRED unless it is the user's. */
  checkPassword(user: string, password: string): Promise<void>;
  /** Of any user. OPTION_INVALID, NOT_FOUND; FORBIDDEN for root when the configuration says its password. */
  setPassword(user: string, password: string): Promise<void>;
  /** For development and the demo: a token that may do everything. FORBIDDEN unless the configuration says so. */
  issue(subject: string): Promise<{ readonly token: string; readonly expiresInMs: number }>;
  /** Made at this start: to be printed once. */
  readonly newRootPassword?: string;
  /** Whether tokens can be checked. */
  readonly check: HealthCheck;
}

/** A password is asked for again this often, and an insecure session begins anew. */
const PASSWORD_SESSION_MS = 3_600_000;
/** Compared with when there is no such user, so that the time says nothing about who there is. */
const NOBODY: PasswordHash = { salt: 'nobody', hash: Buffer.alloc(32).toString('base64url') };

type AuthConfig = Pick<Config, 'insecure' | 'auth' | 'data' | 'rootPassword' | 'issueTokens' | 'tokenLifetimeMs'>;

/** `meta` keeps users and roles. */
export async function openAuthenticator(config: AuthConfig, clock: Clock, meta: MetaStore): Promise<Authenticator> {
  const { data, insecure, rootPassword } = config;
  const local = await openLocalSecrets(data);
  const keys = await loadJwtKeys(config.auth, local.jwtSecret, clock);
  const accounts = await Accounts.open(meta);
  const secrets = rootPassword === undefined && !insecure ? await openRootSecrets(data) : undefined;
  let root = secrets?.root ?? (rootPassword === undefined ? NOBODY : await hashPassword(rootPassword.reveal()));
  const check = new PasswordCheck();

  const checkOf = async (user: string, password: string): Promise<void> => {
    const expected = user === ROOT ? root : (accounts.passwordOf(user) ?? NOBODY);
    if (await check.isRight(password, expected)) return;
    throw new DbError('AUTH_REQUIRED', 'authorization: a known user and password expected', { details: { reason: 'invalid' } });
  };
  const authenticate = async (credential: string | undefined): Promise<AccessPrincipal> => {
    if (credential === undefined || credential === '') {
      throw new DbError('AUTH_REQUIRED', 'authorization: a token expected, got none', { details: { reason: 'missing' } });
    }
    const colon = credential.indexOf(':');
    if (colon < 0) return verifyJwt(keys, credential, clock.nowMs());
    const user = credential.slice(0, colon);
    await checkOf(user, credential.slice(colon + 1));
    const expiresAtMs = clock.nowMs() + PASSWORD_SESSION_MS;
    return user === ROOT ? { ...almighty(ROOT, expiresAtMs), user } : accounts.principalOf(user, expiresAtMs);
  };
  return {
    accounts,
    ...(secrets?.newRootPassword === undefined ? {} : { newRootPassword: secrets.newRootPassword }),
    authenticate: insecure ? async (credential) => anybody(credential, clock) : authenticate,
    checkPassword: checkOf,
    setPassword: async (user, password) => {
      if (user !== ROOT) return accounts.setPassword(user, password);
      if (rootPassword !== undefined)
        throw new DbError('FORBIDDEN', "user root: its password is the configuration's, rootPassword", {
          details: { option: 'rootPassword' },
        });
      root = await hashPassword(checkPassword(password));
      await storeRootPassword(data, root);
    },
    issue: issuer(config, keys, clock),
    check: () => keys.keySet?.check() ?? OK,
  };
}

function issuer({ issueTokens, tokenLifetimeMs }: AuthConfig, keys: JwtKeys, clock: Clock): Authenticator['issue'] {
  return async (subject) => {
    if (issueTokens === 'off')
      throw new DbError('FORBIDDEN', 'tokens are not issued here: issueTokens is "off"', { details: { option: 'issueTokens' } });
    const claims = { partitions: { '*': 'write' }, schema: true } as const;
    const token = await issueJwt(keys, { subject, claims, lifetimeMs: tokenLifetimeMs, nowMs: clock.nowMs() });
    return { token, expiresInMs: tokenLifetimeMs };
  };
}

/** Security is off: a token is believed whatever its signature, so that a device keeps its subject. */
function anybody(credential: string | undefined, clock: Clock): AccessPrincipal {
  const expiresAtMs = clock.nowMs() + PASSWORD_SESSION_MS;
  try {
    const { sub } = decodeJwt(credential ?? '');
    return almighty(typeof sub === 'string' && sub !== '' ? sub : 'anonymous', expiresAtMs);
  } catch {
    return almighty('anonymous', expiresAtMs);
  }
}
