import type { DefaultFields, FieldName, Filter, OrderBy, PrimaryKey, Shape } from '@terndb/core';

declare const TOKEN: unique symbol;
/** Opaque positions, safe in a URL: "at least this fresh", on any device or server of the same database. */
export type Token = string & { readonly [TOKEN]: true };

/** Where. `hybrid` (default when connected): server hits and local hits, merged by key, newest wins. `local` is the default otherwise. */
export type Scope = 'local' | 'global' | 'hybrid';
/**
 * How fresh. `strong`: the log's head (CONSISTENCY_UNAVAILABLE offline, NOT_CONNECTED without a connection). `session` (default): own writes.
 * `bounded`: at most 5000 ms behind, or what `maxStalenessMs` says. `eventually`: whatever is there. `atLeast`: all that the token has seen, else
 * `degraded` says why not.
 */
export type Consistency = 'strong' | 'session' | 'bounded' | { maxStalenessMs: number } | 'eventually' | { atLeast: Token };

export interface ReadOptions {
  /** Default: every connected partition, and `_default`. */
  partitions?: readonly string[];
  scope?: Scope;
  consistency?: Consistency;
  /** Default 10 000. TIMEOUT after it; the server's part of a hybrid read is cut off earlier (150 ms) and reported in `degraded`. */
  timeoutMs?: number;
  /** ABORTED. */
  signal?: AbortSignal;
}

/** How true a result is. */
export interface ReadInfo {
  /** Share of the wanted partitions' rows that could be read, 0..1. */
  readonly coverage: number;
  /** What was really used. */
  readonly scope: Scope;
  readonly degraded: null | 'offline' | 'server-timeout' | 'behind-token' | 'bootstrapping' | 'embedder-loading';
  /** Age of the oldest part; null when never connected. */
  readonly stalenessMs: number | null;
  /** What this read has seen. */
  readonly token: Token;
}

export interface Page<S extends Shape, Sel extends FieldName<S>> {
  /** Default 10 for search, 100 for query; `offset + limit` at most 16 384. */
  limit?: number;
  offset?: number;
  select?: readonly Sel[];
}

/** Ordered by `orderBy`, nulls last, ties and the default by primary key. */
export interface Query<S extends Shape, Sel extends FieldName<S> = DefaultFields<S>> extends Filter<S>, ReadOptions, Page<S, Sel> {
  orderBy?: OrderBy<S> | readonly OrderBy<S>[];
}
export interface QueryResult<E, Ky = PrimaryKey> extends ReadInfo {
  readonly entities: readonly E[];
  /** Those of them with writes that the log has not confirmed. */
  readonly pendingKeys: readonly Ky[];
}
export interface CountResult extends ReadInfo {
  readonly count: number;
}
