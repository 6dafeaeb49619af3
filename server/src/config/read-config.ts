import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { DbError } from '@terndb/core';
import { readS3Config } from '../adapters/s3/s3-config.ts';
import { Secret } from '../adapters/s3/secret.ts';
import type { Config } from './config.ts';
import { isLoopback } from './loopback.ts';
import { checked, invalidSetting, readText, type SettingValue, shown } from './read-value.ts';
import { flagOf, ROLES, SETTINGS, type Setting, variableOf } from './settings.ts';

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flag without dashes → its text; `true` for a flag without a value. */
  readonly flags?: Readonly<Record<string, string | true>>;
  /** A JSON file; above nothing but the defaults. */
  readonly file?: string;
}

/** Variables of our tools, which a server finds in its environment when a tool starts it. */
const OF_TOOLS = ['TERNDB_CHROMIUM', 'TERNDB_FIREFOX'];

/** Flags win over variables, variables over the file, the file over defaults. OPTION_INVALID says what, where, expected and got. */
export function readConfig({ env, flags = {}, file }: ConfigSources): Config {
  const values = new Map<string, SettingValue>();
  if (file !== undefined) fromFile(values, file);
  fromEnv(values, env);
  fromFlags(values, flags);
  for (const setting of SETTINGS) {
    if (!values.has(setting.key) && setting.default !== undefined) {
      values.set(setting.key, setting.type.kind === 'path' ? checked(setting, setting.default, 'default') : setting.default);
    }
  }
  const config = nested(values) as unknown as Config & { readonly s3?: unknown };
  return checkTogether({ ...config, auth: config.auth ?? {}, tls: config.tls ?? {} }, values);
}

function fromFile(values: Map<string, SettingValue>, file: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new DbError('OPTION_INVALID', `config (${file}): a readable JSON file expected, got: ${problem}`, {
      details: { option: 'config', where: file, expected: 'a readable JSON file', got: problem },
      cause,
    });
  }
  takeObject(values, parsed, '', file);
}

function takeObject(values: Map<string, SettingValue>, value: unknown, path: string, file: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidSetting(path === '' ? 'config' : path, file, 'an object', shown(value));
  }
  for (const [name, item] of Object.entries(value)) {
    const key = path === '' ? name : `${path}.${name}`;
    const setting = SETTINGS.find((known) => known.key === key);
    if (setting !== undefined) values.set(key, checked(setting, item, file));
    else if (SETTINGS.some((known) => known.key.startsWith(`${key}.`))) takeObject(values, item, key, file);
    else throw unknownSetting(key, file, namesBelow(path));
  }
}

function namesBelow(path: string): string[] {
  const prefix = path === '' ? '' : `${path}.`;
  const names = SETTINGS.filter(({ key }) => key.startsWith(prefix)).map(({ key }) => key.slice(prefix.length).split('.')[0]!);
  return [...new Set(names)];
}

/** An empty variable is one that is not set. */
function fromEnv(values: Map<string, SettingValue>, env: ConfigSources['env']): void {
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('TERNDB_') || text === undefined || text === '' || OF_TOOLS.includes(name)) continue;
    const setting = SETTINGS.find((known) => variableOf(known) === name);
    if (setting === undefined) throw unknownSetting(name, 'environment', SETTINGS.map(variableOf));
    values.set(setting.key, readText(setting, text, name));
  }
}

function fromFlags(values: Map<string, SettingValue>, flags: Readonly<Record<string, string | true>>): void {
  for (const [name, text] of Object.entries(flags)) {
    const setting = SETTINGS.find((known) => known.isFlag === true && flagOf(known) === name);
    if (setting === undefined)
      throw unknownSetting(
        `--${name}`,
        'command line',
        SETTINGS.filter((s) => s.isFlag).map((s) => `--${flagOf(s)}`),
      );
    if (text === true && setting.type.kind !== 'boolean') throw invalidSetting(setting.key, `--${name}`, 'a value', 'none');
    values.set(setting.key, text === true ? true : readText(setting, text, `--${name}`));
  }
}

function unknownSetting(key: string, where: string, known: readonly string[]): DbError {
  return new DbError('OPTION_INVALID', `${key} (${where}): one of ${known.join(', ')} expected, got ${key}`, {
    details: { option: key, where, expected: [...known], got: key },
  });
}

function nested(values: ReadonlyMap<string, SettingValue>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const path = key.split('.');
    let at = root;
    for (const name of path.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[path.at(-1)!] = value;
  }
  return root;
}

/** What no setting can say alone. */
function checkTogether(config: Omit<Config, 's3'> & { readonly s3?: unknown }, values: ReadonlyMap<string, SettingValue>): Config {
  const { host, roles, tls } = config;
  if (config.insecure && !isLoopback(host)) throw invalidSetting('insecure', 'with host', 'a loopback host', host);
  if (config.issueTokens === 'loopback' && !isLoopback(host)) {
    throw invalidSetting('issueTokens', 'with host', 'a loopback host, or "anyone"', host);
  }
  if (ROLES.some((role) => !roles.includes(role))) {
    throw invalidSetting('roles', 'without a cluster', ROLES.join(','), roles.join(','));
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    throw invalidSetting('tls', 'together', 'certFile and keyFile', 'one of them');
  if (tls.clientCaFile !== undefined && tls.certFile === undefined)
    throw invalidSetting('tls.clientCaFile', 'together', 'certFile and keyFile', 'neither');
  for (const origin of config.origins) checkOrigin(origin);
  for (const proxy of config.trustProxies) checkProxy(proxy);
  if (config.auth.jwksUrl !== undefined && !URL.canParse(config.auth.jwksUrl)) {
    throw invalidSetting('auth.jwksUrl', 'value', 'a URL', shown(config.auth.jwksUrl));
  }
  const { endpoint } = config.traces;
  if (endpoint !== undefined && !/^https?:\/\/./.test(endpoint))
    throw invalidSetting('traces.endpoint', 'value', 'an http(s) URL', shown(endpoint));
  const { s3: _, ...rest } = config;
  const s3 = readS3Config(s3Variables(values));
  return s3 === undefined ? rest : { ...rest, s3 };
}

function checkOrigin(origin: string): void {
  if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) return;
  throw invalidSetting('origins', 'value', 'scheme://host[:port] or *', shown(origin));
}

function checkProxy(proxy: string): void {
  const [address = '', bits] = proxy.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) !== 0 && isNetwork) return;
  throw invalidSetting('trustProxies', 'value', 'an address or address/bits', shown(proxy));
}

/** The S3 settings as the variables that their own reader takes. */
function s3Variables(values: ReadonlyMap<string, SettingValue>): Record<string, string> {
  const variables: Record<string, string> = {};
  const isS3 = ({ key }: Setting): boolean => key.startsWith('s3.');
  for (const setting of SETTINGS.filter(isS3)) {
    const value = values.get(setting.key);
    if (value !== undefined) variables[variableOf(setting)] = value instanceof Secret ? value.reveal() : String(value);
  }
  return variables;
}
