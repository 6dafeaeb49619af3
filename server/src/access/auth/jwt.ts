import { readFile } from 'node:fs/promises';
import { type Clock, DbError } from '@terndb/core';
import { type CryptoKey, decodeProtectedHeader, errors, importSPKI, jwtVerify, SignJWT } from 'jose';
import { systemClock } from '../../adapters/s3/system.ts';
import type { Config } from '../../config/config.ts';
import { principalOf, type TernClaims } from './claims.ts';
import type { AccessPrincipal } from './principal.ts';
import { WatchedKeySet } from './watched-key-set.ts';

/** Which keys may sign what. Each kind of key has its own algorithms, so that a public key is never taken for a secret. */
export interface JwtKeys {
  readonly secret?: Uint8Array;
  readonly publicKey?: CryptoKey;
  readonly keySet?: WatchedKeySet;
  readonly issuer?: string;
  readonly audience?: string;
}

const KEY_SET_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'];
/** A token is a few hundred bytes; claims with 256 long patterns still fit. */
const MAX_TOKEN_LENGTH = 128 * 1024;

/** OPTION_INVALID when the key file cannot be used. `secret`: when the configuration names no key. */
export async function loadJwtKeys(auth: Config['auth'], secret: string | undefined, clock: Clock = systemClock): Promise<JwtKeys> {
  const { rs256PublicKeyFile, jwksUrl, issuer, audience } = auth;
  const shared = auth.hs256Secret?.reveal() ?? (rs256PublicKeyFile === undefined && jwksUrl === undefined ? secret : undefined);
  return {
    ...(shared === undefined ? {} : { secret: new TextEncoder().encode(shared) }),
    ...(rs256PublicKeyFile === undefined ? {} : { publicKey: await readPublicKey(rs256PublicKeyFile) }),
    ...(jwksUrl === undefined ? {} : { keySet: new WatchedKeySet(new URL(jwksUrl), clock) }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
}

async function readPublicKey(file: string): Promise<CryptoKey> {
  try {
    return await importSPKI(await readFile(file, 'utf8'), 'RS256');
  } catch (cause) {
    throw new DbError('OPTION_INVALID', `auth.rs256PublicKeyFile: a PEM file of an RSA public key expected, got ${file}`, {
      details: { option: 'auth.rs256PublicKeyFile', where: file },
      cause,
    });
  }
}

/** AUTH_REQUIRED when the token is not valid (any more), TIMEOUT when the key set cannot be had: then nothing is said about the token. */
export async function verifyJwt(keys: JwtKeys, token: string, nowMs: number): Promise<AccessPrincipal> {
  const checks = {
    currentDate: new Date(nowMs),
    ...(keys.issuer === undefined ? {} : { issuer: keys.issuer }),
    ...(keys.audience === undefined ? {} : { audience: keys.audience }),
  };
  try {
    if (token.length > MAX_TOKEN_LENGTH) throw new errors.JWTInvalid('too long');
    const { alg } = decodeProtectedHeader(token);
    if (alg === 'HS256' && keys.secret !== undefined) {
      return principalOf((await jwtVerify(token, keys.secret, { ...checks, algorithms: ['HS256'] })).payload);
    }
    if (alg === 'RS256' && keys.publicKey !== undefined) {
      return principalOf((await jwtVerify(token, keys.publicKey, { ...checks, algorithms: ['RS256'] })).payload);
    }
    if (keys.keySet !== undefined) {
      return principalOf((await jwtVerify(token, keys.keySet.keys, { ...checks, algorithms: KEY_SET_ALGORITHMS })).payload);
    }
    throw new errors.JOSEAlgNotAllowed('no key for this algorithm');
  } catch (cause) {
    throw refusalOf(cause);
  }
}

/** Without the token, and without saying which check failed beyond what its owner needs. */
function refusalOf(cause: unknown): DbError {
  if (cause instanceof DbError) return cause;
  if (cause instanceof errors.JWTExpired) return refused('expired');
  if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError || cause instanceof TypeError) || isFetchFailure(cause)) {
    return new DbError('TIMEOUT', 'token: the key set cannot be read now', { cause });
  }
  return refused('invalid');
}

const isFetchFailure = (cause: unknown): boolean => cause instanceof TypeError && cause.message.includes('fetch');

function refused(reason: string): DbError {
  return new DbError('AUTH_REQUIRED', `token: a valid one expected, got one that is ${reason}`, { details: { reason } });
}

export interface TokenRequest {
  readonly subject: string;
  readonly claims: TernClaims;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/** A token signed with the shared secret. OPTION_INVALID when there is none. */
export async function issueJwt(keys: JwtKeys, { subject, claims, lifetimeMs, nowMs }: TokenRequest): Promise<string> {
  if (keys.secret === undefined) {
    throw new DbError('OPTION_INVALID', 'auth.hs256Secret: a secret to sign tokens with expected, got none', {
      details: { option: 'auth.hs256Secret' },
    });
  }
  const seconds = Math.floor(nowMs / 1000);
  let token = new SignJWT({ tern: { ...claims } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + Math.ceil(lifetimeMs / 1000));
  if (keys.issuer !== undefined) token = token.setIssuer(keys.issuer);
  if (keys.audience !== undefined) token = token.setAudience(keys.audience);
  return token.sign(keys.secret);
}
