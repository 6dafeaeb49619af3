import type { S3Config } from '../adapters/s3/s3-config.ts';
import type { Secret } from '../adapters/s3/secret.ts';

/** What the server runs with: checked, with defaults filled in. Printing it shows no secret. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly roles: readonly string[];
  readonly restored: boolean;
  readonly demo?: string;
  readonly insecure: boolean;
  readonly issueTokens: 'off' | 'loopback' | 'anyone';
  readonly tokenLifetimeMs: number;
  readonly origins: readonly string[];
  readonly trustProxies: readonly string[];
  readonly rootPassword?: Secret;
  readonly auth: {
    readonly hs256Secret?: Secret;
    readonly rs256PublicKeyFile?: string;
    readonly jwksUrl?: string;
    readonly issuer?: string;
    readonly audience?: string;
  };
  readonly tls: { readonly certFile?: string; readonly keyFile?: string; readonly clientCaFile?: string };
  readonly limits: {
    readonly connections: number;
    readonly subscriptions: number;
    readonly messagesPerSecond: number;
    readonly requestsPerMinute: number;
    readonly userRequestsPerSecond: number;
    readonly databaseCollections: number;
    /** Of each: 0 is no limit. */
    readonly databaseDdlPerSecond: number;
    readonly databaseReadsPerSecond: number;
    readonly collectionReadsPerSecond: number;
    readonly databaseWriteBytesPerSecond: number;
    readonly collectionWriteBytesPerSecond: number;
    readonly databaseRows: number;
    readonly databaseBytes: number;
    readonly collectionRows: number;
    readonly collectionBytes: number;
    readonly answerBytes: number;
    readonly bodyBytes: number;
    readonly bufferedBytes: number;
  };
  /** Default: `defaultSearchThreads`. */
  readonly searchThreads?: number;
  readonly vectors: 'memory' | 'stored';
  readonly drainMs: number;
  readonly log: { readonly level: string; readonly slowMs: number };
  readonly traces: { readonly endpoint?: string; readonly sampleRatio: number };
  readonly s3?: S3Config;
}
