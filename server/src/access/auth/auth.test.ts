import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryMetaStore } from '@terndb/core';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../adapters/s3/system.ts';
import { readConfig } from '../../config/read-config.ts';
import { openAuthenticator } from './authenticator.ts';
import { principalOf } from './claims.ts';
import { type JwtKeys, loadJwtKeys, verifyJwt } from './jwt.ts';
import { openLocalSecrets, openRootSecrets } from './local-secrets.ts';
import { almighty, canRead, canWrite, matches } from './principal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-auth-'));
});
afterEach(() => rm(folder, { recursive: true }));

const NOW = 1_790_000_000_000;
const SECONDS = NOW / 1000;
const CLAIMS: JWTPayload = { sub: 'ann', exp: SECONDS + 60, tern: { partitions: { 'team:*': 'write' } } };
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );

describe('tokens', () => {
  it('are checked with an RSA key file, and a secret made of the public key is of no use', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const pem = await exportSPKI(publicKey);
    await writeFile(join(folder, 'key.pem'), pem);
    const keys = await loadJwtKeys({ rs256PublicKeyFile: join(folder, 'key.pem') }, 'generated secret that must not be used');
    const good = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    expect(await verifyJwt(keys, good, NOW)).toMatchObject({ subject: 'ann', expiresAtMs: NOW + 60_000 });
    for (const secret of [pem, 'generated secret that must not be used']) {
      const confused = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
      expect(await codeOf(verifyJwt(keys, confused, NOW))).toBe('AUTH_REQUIRED');
    }
    const { privateKey: other } = await generateKeyPair('RS256');
    const foreign = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256' }).sign(other);
    expect(await codeOf(verifyJwt(keys, foreign, NOW))).toBe('AUTH_REQUIRED');
    expect(await codeOf(verifyJwt(keys, good, NOW + 60_000))).toBe('AUTH_REQUIRED');
    expect(await codeOf(loadJwtKeys({ rs256PublicKeyFile: join(folder, 'none.pem') }, undefined))).toBe('OPTION_INVALID');
  });

  it('are checked with a key set by URL; one that cannot be reached says nothing about the token', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    const server: Server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const sign = (kid: string): Promise<string> => new SignJWT(CLAIMS).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
    const keys = await loadJwtKeys({ jwksUrl }, undefined);
    expect(await verifyJwt(keys, await sign('k1'), NOW)).toMatchObject({ subject: 'ann' });
    expect(await codeOf(verifyJwt(keys, await sign('k2'), NOW))).toBe('AUTH_REQUIRED');
    await new Promise((resolve) => server.close(resolve));
    const fresh = await loadJwtKeys({ jwksUrl }, undefined);
    expect(await codeOf(verifyJwt(fresh, await sign('k1'), NOW))).toBe('TIMEOUT');
  });

  it('must be from the issuer and for the audience that are configured', async () => {
    const keys: JwtKeys = { secret: new TextEncoder().encode('s'.repeat(32)), issuer: 'me', audience: 'tern' };
    const sign = (claims: JWTPayload): Promise<string> =>
      new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(keys.secret!);
    expect(await codeOf(verifyJwt(keys, await sign({ iss: 'me', aud: 'tern' }), NOW))).toBe('ok');
    for (const claims of [{ iss: 'you', aud: 'tern' }, { iss: 'me' }, { iss: 'me', aud: 'other' }]) {
      expect(await codeOf(verifyJwt(keys, await sign(claims), NOW))).toBe('AUTH_REQUIRED');
    }
  });

  it('whose claims are not what they should be mean nothing', () => {
    const bad: readonly JWTPayload[] = [
      { exp: SECONDS },
      { sub: '', exp: SECONDS },
      { sub: 'ann' },
      { ...CLAIMS, tern: 'all' },
      { ...CLAIMS, tern: { partitions: ['*'] } },
      { ...CLAIMS, tern: { partitions: { '*': 'admin' } } },
      { ...CLAIMS, tern: { partitions: { '': 'read' } } },
      { ...CLAIMS, tern: { schema: 'yes' } },
      { ...CLAIMS, tern: { database: '' } },
      { ...CLAIMS, tern: { partitions: Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`p${index}`, 'read'])) } },
    ];
    for (const claims of bad) expect(() => principalOf(claims)).toThrow(expect.objectContaining({ code: 'AUTH_REQUIRED' }));
    expect(principalOf({ sub: 'ann', exp: SECONDS })).toEqual({
      subject: 'ann',
      expiresAtMs: NOW,
      database: 'default',
      grants: [],
    });
  });
});

describe('grants', () => {
  it('match patterns with stars, in time that is bounded by both lengths', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['*', '', true],
      ['*', 'team:a', true],
      ['team:*', 'team:', true],
      ['team:*', 'team', false],
      ['*:a', 'team:a', true],
      ['t*m:*a', 'team:b:a', true],
      ['team', 'team', true],
      ['team', 'teams', false],
      ['', '', true],
      ['a.c', 'abc', false],
    ];
    for (const [pattern, text, expected] of cases) expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, expected]);
    expect(matches(`${'a*'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
  });

  it('hold in their database only, and write includes read', () => {
    const ann = principalOf({ ...CLAIMS, tern: { partitions: { p: 'write', q: 'read' } } });
    const places = (database: string): boolean[] =>
      ['p', 'q', 'r'].flatMap((partition) => [
        canRead(ann, { database, collection: 'c', partition }),
        canWrite(ann, { database, collection: 'c', partition }),
      ]);
    expect(places('default')).toEqual([true, true, true, false, false, false]);
    expect(places('other')).toEqual([false, false, false, false, false, false]);
    expect(canWrite(almighty('root', NOW), { database: 'other', collection: 'c', partition: 'r' })).toBe(true);
  });
});

describe('what the server makes for itself', () => {
  it('is made once, and the password of root is told when it is made, only then', async () => {
    const { jwtSecret } = await openLocalSecrets(folder);
    const first = await openRootSecrets(folder);
    expect(first.newRootPassword).toMatch(/^[\w-]{22}$/);
    expect(await openRootSecrets(folder)).toEqual({ root: first.root });
    expect((await openLocalSecrets(folder)).jwtSecret).toBe(jwtSecret);
    const text = await readFile(join(folder, 'secrets.json'), 'utf8');
    expect(text).not.toContain(first.newRootPassword);
    const { authenticate } = await openAuthenticator(readConfig({ env: { TERNDB_DATA: folder } }), systemClock, new MemoryMetaStore());
    expect((await authenticate(`root:${first.newRootPassword}`)).subject).toBe('root');
  });

  it('holds no password that nobody was told: not after a token was made, nor while the configuration has one, nor without security', async () => {
    const open = (env: Record<string, string>): ReturnType<typeof openAuthenticator> =>
      openAuthenticator(readConfig({ env: { TERNDB_DATA: folder, ...env } }), systemClock, new MemoryMetaStore());
    await openLocalSecrets(folder);
    for (const env of [{ TERNDB_ROOT_PASSWORD: 'open sesame' }, { TERNDB_INSECURE: 'true' }]) {
      expect((await open(env as Record<string, string>)).newRootPassword).toBeUndefined();
    }
    const { newRootPassword, authenticate } = await open({});
    expect((await authenticate(`root:${newRootPassword}`)).subject).toBe('root');
  });

  it('is never made anew over a damaged file', async () => {
    await writeFile(join(folder, 'secrets.json'), '{"version":1');
    expect(await codeOf(openLocalSecrets(folder))).toBe('FORMAT_INVALID');
  });

  it('tries few passwords at a time, so that guessing does not cost others their memory', async () => {
    const { authenticate } = await openAuthenticator(
      readConfig({ env: { TERNDB_DATA: folder, TERNDB_ROOT_PASSWORD: 'open sesame' } }),
      systemClock,
      new MemoryMetaStore(),
    );
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => codeOf(authenticate(`root:guess ${index}`))));
    expect(outcomes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(6);
    expect(outcomes.filter((code) => code === 'AUTH_REQUIRED')).toHaveLength(4);
  });
});
