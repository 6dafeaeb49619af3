import { type Clock, DbError } from '@terndb/core';
import { decodeJwt } from 'jose';
import type { Config } from '../../config/config.ts';
import { issueJwt, type JwtKeys, loadJwtKeys, verifyJwt } from './jwt.ts';
import { openLocalSecrets, openRootSecrets } from './local-secrets.ts';
import { hashPassword, PasswordCheck } from './password.ts';
import { type AccessPrincipal, almighty } from './principal.ts';

/** Who is asking. Every door asks here; nobody else looks at a token. */
export interface Authenticator {
  /** A JWT or `root:password`. AUTH_REQUIRED; TIMEOUT and RATE_LIMITED say nothing about the credential. */
  authenticate(credential: string | undefined): Promise<AccessPrincipal>;
  /** For development and the demo: a token that may do everything. FORBIDDEN unless the configuration says so. */
  issue(subject: string): Promise<{ readonly token: string; readonly expiresInMs: number }>;
  /** Made at this start: to be printed once. */
  readonly newRootPassword?: string;
}

/** A password is asked for again this often, and an insecure session begins anew. */
const ROOT_SESSION_MS = 3_600_000;
const ROOT = 'root';

type AuthConfig = Pick<Config, 'insecure' | 'auth' | 'data' | 'rootPassword' | 'issueTokens' | 'tokenLifetimeMs'>;

export async function openAuthenticator(config: AuthConfig, clock: Clock): Promise<Authenticator> {
  const local = await openLocalSecrets(config.data);
  const keys = await loadJwtKeys(config.auth, local.jwtSecret);
  const issue = issuer(config, keys, clock);
  if (config.insecure) return { authenticate: async (credential) => anybody(credential, clock), issue };
  const { rootPassword } = config;
  const { root, newRootPassword } =
    rootPassword === undefined ? await openRootSecrets(config.data) : { root: await hashPassword(rootPassword.reveal()) };
  const check = new PasswordCheck(root);
  return {
    ...(newRootPassword === undefined ? {} : { newRootPassword }),
    issue,
    authenticate: async (credential) => {
      if (credential === undefined || credential === '') {
        throw new DbError('AUTH_REQUIRED', 'authorization: a token expected, got none', { details: { reason: 'missing' } });
      }
      const colon = credential.indexOf(':');
      if (colon < 0) return verifyJwt(keys, credential, clock.nowMs());
      const isRoot = (await check.isRight(credential.slice(colon + 1))) && credential.slice(0, colon) === ROOT;
      if (!isRoot)
        throw new DbError('AUTH_REQUIRED', 'authorization: a known user and password expected', { details: { reason: 'invalid' } });
      return almighty(ROOT, clock.nowMs() + ROOT_SESSION_MS);
    },
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
  const expiresAtMs = clock.nowMs() + ROOT_SESSION_MS;
  try {
    const { sub } = decodeJwt(credential ?? '');
    return almighty(typeof sub === 'string' && sub !== '' ? sub : 'anonymous', expiresAtMs);
  } catch {
    return almighty('anonymous', expiresAtMs);
  }
}
