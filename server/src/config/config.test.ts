import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DbError } from '@terndb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsTable } from './describe-settings.ts';
import { printConfig } from './print-config.ts';
import { readConfig } from './read-config.ts';
import { flagOf, SETTINGS, variableOf } from './settings.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terndb-config-'));
  file = join(folder, 'terndb.json');
});
afterEach(() => rm(folder, { recursive: true }));

function refusal(sources: Parameters<typeof readConfig>[0]): DbError {
  try {
    readConfig(sources);
  } catch (error) {
    if (error instanceof DbError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the configuration', () => {
  it('takes flags before variables, variables before the file, and the file before defaults', async () => {
    await writeFile(
      file,
      JSON.stringify({ port: 1, host: 'localhost', drainMs: 5, log: { level: 'warn' }, origins: ['https://a.example'] }),
    );
    const env = { TERNDB_PORT: '2', TERNDB_LOG_LEVEL: 'debug', TERNDB_DRAIN_MS: '', PATH: 'x' };
    const config = readConfig({ env, flags: { port: '3', insecure: true }, file });
    expect(config).toMatchObject({
      port: 3,
      host: 'localhost',
      drainMs: 5,
      insecure: true,
      log: { level: 'debug' },
      origins: ['https://a.example'],
    });
    expect(readConfig({ env: {} })).toMatchObject({ port: 19_530, host: '127.0.0.1', insecure: false, issueTokens: 'off' });
  });

  it('reads lists, switches and paths from texts', () => {
    const { origins, insecure, data } = readConfig({
      env: { TERNDB_ORIGINS: 'https://a.example, *', TERNDB_INSECURE: '1', TERNDB_DATA: 'x/y' },
    });
    expect([origins, insecure, data]).toEqual([['https://a.example', '*'], true, join(process.cwd(), 'x/y')]);
  });

  it('refuses unknown keys in the file, in variables and in flags, and says which there are', async () => {
    await writeFile(file, JSON.stringify({ tls: { certfile: 'x' } }));
    const inFile = refusal({ env: {}, file });
    expect(inFile.details).toMatchObject({ option: 'tls.certfile', where: file, expected: ['certFile', 'keyFile', 'clientCaFile'] });
    expect(refusal({ env: { TERNDB_ROOT_PASWORD: 'x' } }).details).toMatchObject({ where: 'environment', got: 'TERNDB_ROOT_PASWORD' });
    expect(refusal({ env: {}, flags: { prot: '1' } }).details).toMatchObject({ where: 'command line', got: '--prot' });
    // A secret would be seen by everybody who lists processes.
    expect(refusal({ env: {}, flags: { 'root-password': 'open sesame' } }).code).toBe('OPTION_INVALID');
  });

  it('refuses bad values with what, where, expected and got', async () => {
    const bad: readonly (readonly [Parameters<typeof readConfig>[0], string])[] = [
      [{ env: { TERNDB_PORT: '70000' } }, 'port (TERNDB_PORT): an integer from 0 to 65535 expected, got 70000'],
      [{ env: { TERNDB_PORT: '1e3' } }, 'port (TERNDB_PORT): an integer from 0 to 65535 expected, got "1e3"'],
      [{ env: { TERNDB_INSECURE: 'yes' } }, 'insecure (TERNDB_INSECURE): true or false expected, got "yes"'],
      [{ env: {}, flags: { port: true } }, 'port (--port): a value expected, got none'],
      [{ env: {}, flags: { 'issue-tokens': 'on' } }, 'issueTokens (--issue-tokens): one of off, loopback, anyone expected, got "on"'],
      [
        { env: { TERNDB_TRUST_PROXIES: 'proxy.example' } },
        'trustProxies (value): an address or address/bits expected, got "proxy.example"',
      ],
      [{ env: { TERNDB_TRUST_PROXIES: '10.0.0.0/33' } }, 'trustProxies (value): an address or address/bits expected, got "10.0.0.0/33"'],
      [{ env: { TERNDB_ORIGINS: 'app.example' } }, 'origins (value): scheme://host[:port] or * expected, got "app.example"'],
      [{ env: { TERNDB_TLS_CERT_FILE: 'a.pem' } }, 'tls (together): certFile and keyFile expected, got one of them'],
      [{ env: { TERNDB_S3_BUCKET: 'tern' } }, 'TERNDB_S3_ENDPOINT: a value expected'],
    ];
    for (const [sources, message] of bad) expect(refusal(sources).message).toBe(message);
    for (const [text, got] of [
      ['{', 'got:'],
      ['[]', 'an object expected, got []'],
      ['{"log":1}', 'log'],
      ['{"port":"1"}', 'got "1"'],
    ] as const) {
      await writeFile(file, text);
      expect(refusal({ env: {}, file }).message).toContain(got);
    }
    expect(refusal({ env: {}, file: join(folder, 'none.json') }).message).toContain('a readable JSON file expected');
  });

  it('refuses to be open to others without security', () => {
    for (const host of ['0.0.0.0', '192.168.1.2', '::', 'example.org', '127.0.0.1.example.org']) {
      expect(refusal({ env: {}, flags: { host, insecure: true } }).message).toContain('a loopback host expected');
      expect(refusal({ env: {}, flags: { host, 'issue-tokens': 'loopback' } }).code).toBe('OPTION_INVALID');
      expect(readConfig({ env: {}, flags: { host, 'issue-tokens': 'anyone' } }).host).toBe(host);
    }
    for (const host of ['localhost', '127.0.0.1', '127.8.9.1', '::1'])
      expect(readConfig({ env: {}, flags: { host, insecure: true } }).insecure).toBe(true);
  });

  it('is printed without a secret, and a refused secret is not shown either', () => {
    const secrets = {
      TERNDB_ROOT_PASSWORD: 'open sesame',
      TERNDB_AUTH_HS256_SECRET: 'x'.repeat(40),
      TERNDB_S3_SECRET_ACCESS_KEY: 'very secret',
    };
    const env = { ...secrets, TERNDB_S3_ENDPOINT: 'http://127.0.0.1:1', TERNDB_S3_BUCKET: 'tern', TERNDB_S3_ACCESS_KEY_ID: 'id' };
    const text = printConfig(readConfig({ env }));
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    expect(text.match(/\*\*\*/g)).toHaveLength(3);
    const { message, details } = refusal({ env: { TERNDB_AUTH_HS256_SECRET: 'too short' } });
    expect(message + JSON.stringify(details)).not.toContain('too short');
  });
});

describe('the settings', () => {
  it('have one name each, as key, variable and flag', () => {
    for (const name of [({ key }: (typeof SETTINGS)[number]) => key, variableOf, flagOf]) {
      expect(new Set(SETTINGS.map(name)).size).toBe(SETTINGS.length);
    }
    expect(SETTINGS.filter(({ type, isFlag }) => type.kind === 'secret' && isFlag === true)).toEqual([]);
  });

  it('are what docs/configuration.md lists', async () => {
    const page = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    expect(page).toContain(settingsTable());
  });
});
