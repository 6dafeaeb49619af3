/**
 * Every setting of `terndb`, once: what reads, prints, documents (`docs/configuration.md`, kept equal by a test) and explains them (`--help`)
 * goes through this table. In the file a dot is a nested object: `"tls": { "certFile": "…" }`. The variable of `tls.certFile` is
 * `TERNDB_TLS_CERT_FILE`.
 */
export type SettingType =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'share' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'text' }
  /** Relative to the working directory. */
  | { readonly kind: 'path' }
  /** At least so many bytes; never printed. */
  | { readonly kind: 'secret'; readonly minBytes: number }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  /** In a variable or a flag: separated by commas. */
  | { readonly kind: 'list'; readonly of?: readonly string[] };

export interface Setting {
  readonly key: string;
  readonly type: SettingType;
  /** Absent: not set. */
  readonly default?: string | number | boolean | readonly string[];
  /** May be given on the command line, as `--key` in kebab case. Secrets may not: others see command lines. */
  readonly isFlag?: true;
  /** One sentence for people. */
  readonly meaning: string;
}

export const ROLES: readonly string[] = ['access', 'coordinator', 'leader', 'query', 'data'];
const DAY_MS = 86_400_000;
const TEXT: SettingType = { kind: 'text' };
const PATH: SettingType = { kind: 'path' };
const count = (max: number, min = 1): SettingType => ({ kind: 'integer', min, max });

/** Off unless set. */
function placeLimit(name: string, meaning: string, max: number = Number.MAX_SAFE_INTEGER): Setting[] {
  return [{ key: `limits.${name}`, type: count(max, 0), default: 0, meaning: `${meaning}; 0: no limit.` }];
}

export const SETTINGS: readonly Setting[] = [
  { key: 'host', type: TEXT, default: '127.0.0.1', isFlag: true, meaning: 'Address to listen on; `0.0.0.0` for all.' },
  { key: 'port', type: count(65_535, 0), default: 19_530, isFlag: true, meaning: 'Port to listen on; 0 for any free one.' },
  {
    key: 'data',
    type: PATH,
    default: '.tern-data',
    isFlag: true,
    meaning: 'Folder of the log, the catalog, the objects and the generated secrets.',
  },
  {
    key: 'roles',
    type: { kind: 'list', of: ROLES },
    default: ROLES,
    isFlag: true,
    meaning: 'What this process does. One process does everything; a part needs a cluster, which is not there yet.',
  },
  {
    key: 'restored',
    type: { kind: 'boolean' },
    default: false,
    isFlag: true,
    meaning: 'The data folder was restored from a copy: devices push again what the copy lacks. For one start.',
  },
  { key: 'demo', type: PATH, isFlag: true, meaning: 'Folder of static files (the built demo) to serve at `/`.' },
  {
    key: 'insecure',
    type: { kind: 'boolean' },
    default: false,
    isFlag: true,
    meaning: 'Everybody may do everything. Only on a loopback address.',
  },
  {
    key: 'issueTokens',
    type: { kind: 'choice', of: ['off', 'loopback', 'anyone'] },
    default: 'off',
    isFlag: true,
    meaning: 'Gives every visitor a token for `demo` and development: on a loopback address, or (`anyone`) on every one.',
  },
  {
    key: 'origins',
    type: { kind: 'list' },
    default: [],
    isFlag: true,
    meaning: 'Web origins that may use the server beside its own (`https://app.example`); `*` for all.',
  },
  {
    key: 'trustProxies',
    type: { kind: 'list' },
    default: [],
    meaning:
      'Addresses or networks (`127.0.0.1`, `10.0.0.0/8`) of reverse proxies: who they say is asking counts for the limits of an address.',
  },
  {
    key: 'rootPassword',
    type: { kind: 'secret', minBytes: 6 },
    meaning: 'Password of `root`. Without it one is generated at the first start and printed once.',
  },
  {
    key: 'auth.hs256Secret',
    type: { kind: 'secret', minBytes: 32 },
    meaning:
      'Secret that HS256 tokens are signed with. Without any `auth` key one is generated at the first start and kept in the data folder.',
  },
  { key: 'auth.rs256PublicKeyFile', type: PATH, meaning: 'PEM file (SPKI) of the public key that RS256 tokens are checked with.' },
  { key: 'auth.jwksUrl', type: TEXT, meaning: 'URL of the key set that tokens are checked with (RS256, ES256, EdDSA).' },
  { key: 'auth.issuer', type: TEXT, meaning: 'Required `iss` of tokens.' },
  { key: 'auth.audience', type: TEXT, meaning: 'Required `aud` of tokens.' },
  { key: 'tls.certFile', type: PATH, meaning: 'PEM file of the certificate chain: serve HTTPS and WSS.' },
  { key: 'tls.keyFile', type: PATH, meaning: 'PEM file of its private key.' },
  { key: 'tls.clientCaFile', type: PATH, meaning: 'PEM file of the authorities whose client certificates are required (mutual TLS).' },
  { key: 'limits.connections', type: count(1_000_000), default: 10_000, meaning: 'Sync sockets at one time; more are refused with 503.' },
  { key: 'limits.subscriptions', type: count(65_536), default: 1_024, meaning: 'Channels of one socket; more end it as `overloaded`.' },
  {
    key: 'limits.messagesPerSecond',
    type: count(100_000),
    default: 1_000,
    meaning: 'Messages of one socket; beyond that it is read more slowly.',
  },
  { key: 'limits.requestsPerMinute', type: count(10_000_000), default: 12_000, meaning: 'HTTP requests of one address; more get 429.' },
  {
    key: 'limits.userRequestsPerSecond',
    type: count(1_000_000),
    default: 1_000,
    meaning: "REST requests of one user at Milvus' door; more get code 8.",
  },
  {
    key: 'limits.databaseCollections',
    type: count(1_024),
    default: 1_024,
    meaning: 'Collections of one database. `database.max.collections` of a database may be lower.',
  },
  ...placeLimit('databaseDdlPerSecond', 'Changes of the catalog in one database: collections, partitions, aliases, indexes', 1_000_000),
  ...placeLimit('databaseReadsPerSecond', 'Reads of one database; a search counts once per vector', 1_000_000),
  ...placeLimit('collectionReadsPerSecond', 'Reads of one collection; a search counts once per vector', 1_000_000),
  ...placeLimit('databaseWriteBytesPerSecond', 'Bytes written to one database, as requests or pushes of devices', 1 << 30),
  ...placeLimit('collectionWriteBytesPerSecond', 'Bytes written to one collection, as requests or pushes of devices', 1 << 30),
  ...placeLimit('databaseRows', 'Rows of one database'),
  ...placeLimit('databaseBytes', 'Bytes of one database: segments, and the log that they do not hold yet'),
  ...placeLimit('collectionRows', 'Rows of one collection'),
  ...placeLimit('collectionBytes', 'Bytes of one collection: segments, and the log that they do not hold yet'),
  {
    key: 'limits.answerBytes',
    type: count(1 << 28, 1024),
    default: 64 * 1024 * 1024,
    meaning: 'Answer of one read: rows counted as they are read, and the text of the answer.',
  },
  { key: 'limits.bodyBytes', type: count(1 << 30, 1024), default: 64 * 1024 * 1024, meaning: 'Body of one HTTP request.' },
  {
    key: 'limits.bufferedBytes',
    type: count(1 << 30, 64 * 1024),
    default: 8 * 1024 * 1024,
    meaning: 'Unsent bytes of one socket; a slower reader is closed.',
  },
  {
    key: 'searchThreads',
    type: count(64, 0),
    meaning: 'Threads that do larger searches, over one memory; 0 for none. When not set: one less than there are processors, at most 8.',
  },
  {
    key: 'vectors',
    type: { kind: 'choice', of: ['memory', 'stored'] },
    default: 'memory',
    meaning:
      'Where vectors of larger segments are whose index finds them without: in memory, or in files under `data`, read as they are hit.',
  },
  { key: 'drainMs', type: count(600_000, 0), default: 3_000, meaning: 'Time in which sockets are asked to leave at SIGTERM.' },
  { key: 'tokenLifetimeMs', type: count(30 * DAY_MS, 10_000), default: 3_600_000, meaning: 'Life of the tokens that `issueTokens` gives.' },
  {
    key: 'log.level',
    type: { kind: 'choice', of: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] },
    default: 'info',
    isFlag: true,
    meaning: 'What is written to standard error, as lines of JSON.',
  },
  {
    key: 'log.slowMs',
    type: count(3_600_000, 0),
    default: 1_000,
    meaning:
      "A slower request of Milvus' door, or read of a device, is logged as such, with its names and without its values; 0: all of them.",
  },
  {
    key: 'traces.endpoint',
    type: TEXT,
    meaning: 'Where OpenTelemetry traces go: OTLP over HTTP, as `http://127.0.0.1:4318/v1/traces`. Not set: none are made.',
  },
  {
    key: 'traces.sampleRatio',
    type: { kind: 'share' },
    default: 1,
    meaning: 'Share of the requests that are traced, where their `traceparent` does not say.',
  },
  { key: 's3.endpoint', type: TEXT, meaning: 'Keep objects in S3 instead of the data folder: `http(s)://host[:port]`.' },
  { key: 's3.region', type: TEXT, meaning: 'Region; `us-east-1` when not set.' },
  { key: 's3.bucket', type: TEXT, meaning: 'Bucket, which must exist.' },
  { key: 's3.accessKeyId', type: TEXT, meaning: 'Access key id.' },
  { key: 's3.secretAccessKey', type: { kind: 'secret', minBytes: 1 }, meaning: 'Secret access key.' },
  { key: 's3.prefix', type: TEXT, meaning: 'Before the name of every object; ends with `/`.' },
];

/** `auth.hs256Secret` → `TERNDB_AUTH_HS256_SECRET`. */
export function variableOf({ key }: Setting): string {
  const parts = key.split('.').flatMap((part) => part.split(/(?=[A-Z])/));
  return `TERNDB_${parts.join('_').toUpperCase()}`;
}

/** `log.level` → `log-level`. */
export function flagOf({ key }: Setting): string {
  return key
    .split('.')
    .flatMap((part) => part.split(/(?=[A-Z])/))
    .join('-')
    .toLowerCase();
}
