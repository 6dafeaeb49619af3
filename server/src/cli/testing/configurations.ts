/**
 * The configurations that are tried: every two values of two settings together, each given by a file, by variables, by flags, or by all three at
 * a time with what loses being wrong.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { flagOf, ROLES, SETTINGS, variableOf } from '../../config/settings.ts';
import { pairwise, type Row } from './pairwise.ts';

export const FACTORS = {
  access: ['insecure', 'generated', 'password', 'hs256', 'rs256', 'jwks'],
  source: ['file', 'variables', 'flags', 'all'],
  tls: ['off', 'server', 'mutual'],
  issueTokens: ['off', 'loopback', 'anyone'],
  origins: ['none', 'one', 'all'],
  limits: ['default', 'small', 'large'],
  logLevel: ['silent', 'warn'],
  demo: ['off', 'on'],
  roles: ['default', 'all'],
  host: ['127.0.0.1', 'localhost'],
} as const;
export type Configuration = Omit<Row<typeof FACTORS>, 'logLevel'> & { readonly logLevel: Row<typeof FACTORS>['logLevel'] | 'trace' };
export const CONFIGURATIONS: readonly Row<typeof FACTORS>[] = pairwise(FACTORS);
/** One of each source, with all that is written: to be tried in processes of their own, which cost more. */
export const OWN_PROCESSES: readonly Configuration[] = FACTORS.source.map((source, index) => ({
  ...CONFIGURATIONS.filter((row) => row.source === source)[index + 1]!,
  logLevel: 'trace',
}));

export const ORIGIN = 'https://app.example';
export const PASSWORD = 'open sesame';
export const SMALL_BODY_BYTES: number = 16 * 1024;
export const DEMO_PAGE = '<!doctype html><title>a demo</title>';
const SECRET = 'a secret of at least thirty-two bytes';
export const certificate = (name: string): string => fileURLToPath(new URL(`../../access/testing/certificates/${name}`, import.meta.url));

/** Key of a setting → its value as the file would have it. */
export type Values = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface Prepared {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: root, with the password that the server tells at its start. */
  readonly credential: string | undefined;
  /** What a client needs for TLS; empty without. */
  readonly client: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  close(): Promise<void>;
}

/** Writes what the configuration needs into `folder`, starts what it refers to, and says how `terndb serve` is to be called. */
export async function prepare(row: Configuration, folder: string, extra: Values = {}): Promise<Prepared> {
  const { settings, credential, close } = await accessOf(row.access, folder);
  const values: Record<string, Values[string]> = {
    data: join(folder, 'data'),
    port: 0,
    host: row.host,
    drainMs: 200,
    issueTokens: row.issueTokens,
    'log.level': row.logLevel,
    ...settings,
    ...(row.roles === 'all' ? { roles: [...ROLES].reverse() } : {}),
    ...(row.origins === 'none' ? {} : { origins: [row.origins === 'one' ? ORIGIN : '*'] }),
    ...limitsOf(row.limits),
    ...(row.tls === 'off' ? {} : { 'tls.certFile': certificate('server.pem'), 'tls.keyFile': certificate('server.key') }),
    ...(row.tls === 'mutual' ? { 'tls.clientCaFile': certificate('ca.pem') } : {}),
    ...extra,
  };
  if (row.demo === 'on') {
    values['demo'] = join(folder, 'demo');
    await mkdir(values['demo']);
    await writeFile(join(values['demo'], 'index.html'), DEMO_PAGE);
  }
  const ca = row.tls === 'off' ? {} : { ca: await readFile(certificate('ca.pem'), 'utf8') };
  const own =
    row.tls === 'mutual'
      ? { cert: await readFile(certificate('client.pem'), 'utf8'), key: await readFile(certificate('client.key'), 'utf8') }
      : {};
  return { ...(await given(values, row.source, folder)), credential, client: { ...ca, ...own }, close };
}

function limitsOf(size: Configuration['limits']): Values {
  if (size === 'default') return {};
  const isSmall = size === 'small';
  return {
    'limits.connections': isSmall ? 2 : 1_000_000,
    'limits.subscriptions': isSmall ? 1 : 65_536,
    'limits.messagesPerSecond': isSmall ? 10 : 100_000,
    'limits.requestsPerMinute': isSmall ? 60 : 10_000_000,
    'limits.userRequestsPerSecond': isSmall ? 50 : 1_000_000,
    'limits.bodyBytes': isSmall ? SMALL_BODY_BYTES : 1 << 30,
    'limits.bufferedBytes': isSmall ? 64 * 1024 : 1 << 30,
  };
}

interface Access {
  readonly settings: Values;
  readonly credential: string | undefined;
  close(): Promise<void>;
}

async function accessOf(access: Configuration['access'], folder: string): Promise<Access> {
  const close = (): Promise<void> => Promise.resolve();
  const claims = new SignJWT({ tern: { partitions: { '*': 'write' }, schema: true } }).setSubject('ann').setExpirationTime('1h');
  switch (access) {
    case 'insecure':
      return { settings: { insecure: true }, credential: '', close };
    case 'generated':
      return { settings: {}, credential: undefined, close };
    case 'password':
      return { settings: { rootPassword: PASSWORD }, credential: `root:${PASSWORD}`, close };
    case 'hs256': {
      const settings = { 'auth.hs256Secret': SECRET, 'auth.issuer': 'app', 'auth.audience': 'tern' };
      const signed = claims.setProtectedHeader({ alg: 'HS256' }).setIssuer('app').setAudience('tern');
      return { settings, credential: await signed.sign(new TextEncoder().encode(SECRET)), close };
    }
    case 'rs256': {
      const { publicKey, privateKey } = await generateKeyPair('RS256');
      const file = join(folder, 'public.pem');
      await writeFile(file, await exportSPKI(publicKey));
      const credential = await claims.setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      return { settings: { 'auth.rs256PublicKeyFile': file }, credential, close };
    }
    case 'jwks': {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const keys = await serveKeys({ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' });
      const credential = await claims.setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
      const settings = { 'auth.jwksUrl': `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys` };
      return { settings, credential, close: () => new Promise((resolve) => keys.close(() => resolve()).closeAllConnections()) };
    }
  }
}

async function serveKeys(jwk: object): Promise<Server> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** What loses against a stronger source: each would fail the round trip if it won. */
const DECOYS: Values = {
  host: '0.0.0.0',
  insecure: false,
  'limits.bodyBytes': 1_024,
  origins: ['https://decoy.example'],
  'log.level': 'fatal',
};

/** The values as the words, the variables and the file of one call. Not everything is a flag: the rest are variables then. */
async function given(values: Values, source: Configuration['source'], folder: string): Promise<Pick<Prepared, 'words' | 'env'>> {
  const words: string[] = ['serve'];
  const env: Record<string, string> = {};
  const inFile: Record<string, Values[string]> = {};
  for (const [key, value] of Object.entries(values)) {
    const setting = SETTINGS.find((known) => known.key === key)!;
    const text = typeof value === 'object' ? value.join(',') : String(value);
    const mayBeFlag = setting.isFlag === true && source !== 'variables' && source !== 'file';
    if (source === 'file') inFile[key] = value;
    else if (!mayBeFlag) env[variableOf(setting)] = text;
    else if (value === true) words.push(`--${flagOf(setting)}`);
    else words.push(`--${flagOf(setting)}`, text);
    const decoy = DECOYS[key];
    if (source !== 'all' || decoy === undefined) continue;
    inFile[key] = decoy;
    if (mayBeFlag) env[variableOf(setting)] = typeof decoy === 'object' ? decoy.join(',') : String(decoy);
  }
  if (Object.keys(inFile).length > 0) {
    const file = join(folder, 'terndb.json');
    await writeFile(file, JSON.stringify(nested(inFile)));
    words.push('--config', file);
  }
  return { words, env };
}

function nested(values: Values): object {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const [group, name] = key.split('.') as [string, string?];
    if (name === undefined) root[group] = value;
    else root[group] = { ...(root[group] as object | undefined), [name]: value };
  }
  return root;
}
