import { DbError } from '@terndb/core';
import { Secret } from './secret.ts';

/** Where objects are kept. Read from the environment by `readS3Config`; printing it shows no secret. */
export interface S3Config {
  /** `http://` or `https://`, host and port only. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Before every object's name: empty, or ends with `/`. */
  readonly prefix: string;
}

const PREFIX = 'TERNDB_S3_';
const NAMES = ['ENDPOINT', 'REGION', 'BUCKET', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'PREFIX'] as const;
type Name = (typeof NAMES)[number];

const DEFAULT_REGION = 'us-east-1';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const KEY_ID = /^[\x21-\x7e]{1,128}$/;
/** With the longest object name still within S3's 1,024 bytes per key. */
const KEY_PREFIX = /^(?:[A-Za-z0-9._/-]{0,511}\/)?$/;

/**
 * The `TERNDB_S3_*` variables: ENDPOINT, BUCKET, ACCESS_KEY_ID and SECRET_ACCESS_KEY are needed, REGION and PREFIX may be missing.
 * @returns undefined when none is set.
 * @throws OPTION_INVALID, which names the variable and never shows a secret.
 */
export function readS3Config(env: Readonly<Record<string, string | undefined>>): S3Config | undefined {
  const set = Object.keys(env).filter((name) => name.startsWith(PREFIX) && env[name] !== undefined && env[name] !== '');
  if (set.length === 0) return undefined;
  for (const name of set) {
    if (!NAMES.some((known) => name === PREFIX + known)) throw invalid(name, `one of ${NAMES.map((known) => PREFIX + known).join(', ')}`);
  }
  return {
    endpoint: endpointOf(required(env, 'ENDPOINT')),
    region: matching('REGION', optional(env, 'REGION') ?? DEFAULT_REGION, REGION),
    bucket: matching('BUCKET', required(env, 'BUCKET'), BUCKET),
    accessKeyId: matching('ACCESS_KEY_ID', required(env, 'ACCESS_KEY_ID'), KEY_ID),
    secretAccessKey: new Secret(required(env, 'SECRET_ACCESS_KEY')),
    prefix: prefixOf(optional(env, 'PREFIX') ?? ''),
  };
}

function optional(env: Readonly<Record<string, string | undefined>>, name: Name): string | undefined {
  const value = env[PREFIX + name];
  return value === '' ? undefined : value;
}

function required(env: Readonly<Record<string, string | undefined>>, name: Name): string {
  const value = optional(env, name);
  if (value === undefined) throw invalid(PREFIX + name, 'a value');
  return value;
}

function matching(name: Name, value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw invalid(PREFIX + name, String(pattern));
  return value;
}

function prefixOf(value: string): string {
  if (value.includes('..') || value.startsWith('/')) throw invalid(`${PREFIX}PREFIX`, 'no leading "/" and no ".."');
  return matching('PREFIX', value, KEY_PREFIX);
}

/** Credentials belong into their own variables: in a URL they would be logged. */
function endpointOf(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain =
    url !== undefined && url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === '';
  if (!plain || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw invalid(`${PREFIX}ENDPOINT`, 'http(s)://host[:port]');
  return url.origin;
}

/** Without the value: a secret put into the wrong variable must not reach a log. */
function invalid(variable: string, expected: string): DbError {
  return new DbError('OPTION_INVALID', `${variable}: ${expected} expected`, { details: { variable, expected } });
}
