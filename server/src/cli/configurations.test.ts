import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestSocket } from '../access/testing/test-server.ts';
import {
  CONFIGURATIONS,
  type Configuration,
  certificate,
  DEMO_PAGE,
  FACTORS,
  ORIGIN,
  OWN_PROCESSES,
  type Prepared,
  prepare,
  SMALL_BODY_BYTES,
} from './testing/configurations.ts';
import { pairsIn, pairsOf } from './testing/pairwise.ts';
import { ask, type Door, roundTrip } from './testing/round-trip.ts';
import { serveInProcess } from './testing/serve-in-process.ts';
import { startProcess } from './testing/serve-process.ts';

let folder: string;
let prepared: Prepared | undefined;
let running: { close(): Promise<void> } | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-configuration-'));
});
afterEach(async () => {
  await running?.close();
  await prepared?.close();
  running = undefined;
  prepared = undefined;
  await rm(folder, { recursive: true, force: true });
});

const nameOf = (row: Configuration): string => Object.values(row).join(', ');

describe('a configuration', () => {
  it('is tried with every two values of two settings', () => {
    expect(new Set(CONFIGURATIONS.flatMap(pairsIn))).toEqual(pairsOf(FACTORS));
  });

  it.each([...CONFIGURATIONS, ...OWN_PROCESSES].map((row) => [nameOf(row), row] as const))(
    'serves what it says: %s',
    async (_name, row) => {
      prepared = await prepare(row, folder);
      // A process of its own where what it writes is looked at.
      const server = row.logLevel === 'trace' ? await ownProcess(prepared) : await thisProcess(prepared);
      expect(server.password !== undefined).toBe(!['insecure', 'password'].includes(row.access));
      expect(new URL(server.url)).toMatchObject({ protocol: row.tls === 'off' ? 'http:' : 'https:', hostname: row.host });
      const door: Door = { url: server.url, client: prepared.client, credential: prepared.credential ?? `root:${server.password}` };
      await roundTrip(door);
      await looksAt(door, row);
      await server.end();
    },
  );
});

describe('a configuration that cannot be', () => {
  it.each([
    [
      'security off for others',
      { TERNDB_INSECURE: 'true', TERNDB_HOST: '0.0.0.0' },
      'insecure (with host): a loopback host expected, got 0.0.0.0',
    ],
    [
      'tokens of loopback for others',
      { TERNDB_ISSUE_TOKENS: 'loopback', TERNDB_HOST: '::' },
      'issueTokens (with host): a loopback host, or "anyone" expected, got ::',
    ],
    [
      'one role of many',
      { TERNDB_ROLES: 'access,leader' },
      'roles (without a cluster): access,coordinator,leader,query,data expected, got access,leader',
    ],
    ['a role that there is not', { TERNDB_ROLES: 'king' }, 'roles (TERNDB_ROLES): '],
    ['a certificate without its key', { TERNDB_TLS_CERT_FILE: '{good}' }, 'tls (together): certFile and keyFile expected, got one of them'],
    [
      'certificates of clients without one of its own',
      { TERNDB_TLS_CLIENT_CA_FILE: '{good}' },
      'tls.clientCaFile (together): certFile and keyFile expected, got neither',
    ],
    [
      'a certificate that is not there',
      { TERNDB_TLS_CERT_FILE: '{none}', TERNDB_TLS_KEY_FILE: '{good}' },
      'tls.certFile: a readable file expected, got {none}',
    ],
    [
      'a certificate that is none',
      { TERNDB_TLS_CERT_FILE: '{bad}', TERNDB_TLS_KEY_FILE: '{bad}' },
      'tls: certificates and their key as PEM expected',
    ],
    [
      'a key that is not the certificate\u2019s',
      { TERNDB_TLS_CERT_FILE: '{good}', TERNDB_TLS_KEY_FILE: '{other}' },
      'tls: certificates and their key as PEM expected',
    ],
    [
      'a public key that is none',
      { TERNDB_AUTH_RS256_PUBLIC_KEY_FILE: '{bad}' },
      'auth.rs256PublicKeyFile: a PEM file of an RSA public key expected, got {bad}',
    ],
    ['a key set that is no URL', { TERNDB_AUTH_JWKS_URL: 'keys' }, 'auth.jwksUrl (value): a URL expected, got "keys"'],
    ['a short secret', { TERNDB_AUTH_HS256_SECRET: 'short' }, 'auth.hs256Secret (TERNDB_AUTH_HS256_SECRET): '],
    ['a demo that is not there', { TERNDB_DEMO: '{none}' }, 'demo: a folder expected, got {none}'],
    [
      'a limit of nothing',
      { TERNDB_LIMITS_CONNECTIONS: '0' },
      'limits.connections (TERNDB_LIMITS_CONNECTIONS): an integer from 1 to 1000000 expected, got 0',
    ],
    ['an origin with a path', { TERNDB_ORIGINS: 'https://a.example/x' }, 'origins (value): scheme://host[:port] or * expected'],
    [
      'a log level that there is not',
      { TERNDB_LOG_LEVEL: 'loud' },
      'log.level (TERNDB_LOG_LEVEL): one of fatal, error, warn, info, debug, trace, silent expected, got "loud"',
    ],
    ['half of S3', { TERNDB_S3_ENDPOINT: 'http://127.0.0.1:1', TERNDB_S3_BUCKET: 'tern' }, 'TERNDB_S3_ACCESS_KEY_ID: a value expected'],
    ['a data folder that is a file', { TERNDB_DATA: '{bad}' }, 'lmdb {bad}'],
  ] as const)('ends with what, which, expected and got: %s', async (_name, given, message) => {
    const bad = join(folder, 'bad.pem');
    await writeFile(bad, 'no certificate');
    const paths = {
      '{good}': certificate('server.pem'),
      '{other}': certificate('client.key'),
      '{bad}': bad,
      '{none}': join(folder, 'none'),
    };
    const filled = (text: string): string => Object.entries(paths).reduce((all, [name, path]) => all.replaceAll(name, path), text);
    const env = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, filled(text)]));
    const started = serveInProcess(['serve'], { TERNDB_DATA: join(folder, 'data'), TERNDB_PORT: '0', TERNDB_LOG_LEVEL: 'silent', ...env });
    const failure = await started.then(
      (server) => server.close().then(() => undefined),
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(DbError);
    const { code, message: said } = failure as DbError;
    expect(said).toContain(filled(message));
    expect(code).toBe('TERNDB_DATA' in given ? 'STORAGE_UNAVAILABLE' : 'OPTION_INVALID');
    // Nothing of it stays behind: the folder can be served at once.
    await (await serveInProcess(['serve', '--data', join(folder, 'data'), '--port', '0', '--log-level', 'silent'], {})).close();
  });
});

interface Running {
  readonly url: string;
  /** Told at this start. */
  readonly password: string | undefined;
  end(): Promise<void>;
}

async function thisProcess({ words, env }: Prepared): Promise<Running> {
  const server = await serveInProcess(words, env);
  running = server;
  const end = async (): Promise<void> => {
    running = undefined;
    await server.close();
  };
  const { url, newRootPassword } = server;
  return { url, password: newRootPassword, end };
}

async function ownProcess({ words, env }: Prepared): Promise<Running> {
  const { url, output, child, ended } = await startProcess(words, env);
  running = { close: async () => void child.kill('SIGKILL') };
  const password = /shown this once: (\S+)/.exec(output())?.[1];
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const lines = output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(lines.some((line) => line.includes('"msg":"request"'))).toBe(true);
  };
  return { url, password, end };
}

/** What each setting changes, from outside. */
async function looksAt(door: Door, { access, tls, issueTokens, origins, limits, demo }: Configuration): Promise<void> {
  const stranger = { ...door, credential: '' };
  const who = await ask(stranger, '/sync/v1/resolve', { body: { collections: [], partitions: [] } });
  expect(who.status).toBe(access === 'insecure' ? 200 : 401);
  if (tls === 'mutual') await expect(ask({ ...door, client: { ca: door.client.ca! } }, '/healthz')).rejects.toThrow();

  const issued = await ask(stranger, '/sync/v1/token', { body: {} });
  const hasSecret = access !== 'rs256' && access !== 'jwks';
  expect(issued.status).toBe(issueTokens === 'off' ? 403 : hasSecret ? 200 : 400);

  for (const [origin, isAllowed] of [
    [ORIGIN, origins !== 'none'],
    ['https://other.example', origins === 'all'],
  ] as const) {
    const { headers } = await ask(door, '/sync/v1/resolve', { body: { collections: [], partitions: [] }, headers: { origin } });
    expect(headers['access-control-allow-origin']).toBe(isAllowed ? origin : undefined);
    const opened = TestSocket.open(door.url, { ...door.client, origin });
    if (isAllowed) (await opened).close();
    else await expect(opened).rejects.toThrow('status 403');
  }

  const page = await ask(stranger, '/');
  expect([page.status, page.text === DEMO_PAGE]).toEqual(demo === 'on' ? [200, true] : [404, false]);

  const long = await ask(door, '/sync/v1/resolve', { body: { collections: [], partitions: ['x'.repeat(SMALL_BODY_BYTES)] } });
  expect(long.status === 413).toBe(limits === 'small');
}
