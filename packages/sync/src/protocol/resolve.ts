import type { CollectionDefinition, JsonValue } from '@terndb/core';

/**
 * Before its first subscription a device asks which channels the partitions it wants live in: `POST <sync endpoint>/v1/resolve` with its token as
 * `Authorization: Bearer`, JSON both ways. Channels are named by immutable catalog ids, so the answer is kept and serves offline starts;
 * it is asked for again at every start that finds the server, and when a channel is `gone`.
 */
export interface ResolveRequest {
  readonly collections: readonly (KnownCollection | OpenedCollection)[];
  readonly partitions: readonly string[];
}

export interface KnownCollection {
  readonly name: string;
  readonly schemaHash: string;
  readonly schemaVersion: number;
  /** A collection or an additive difference that the server does not know is created from this, if the token grants `schema`. */
  readonly definition: CollectionDefinition;
}
/** As the server has it. One that it does not have is left out of the answer. */
export interface OpenedCollection {
  readonly name: string;
  readonly definition?: undefined;
}

export interface ResolvedChannel {
  readonly collection: string;
  readonly partition: string;
  readonly channel: string;
  readonly access: 'read' | 'write';
}
export interface ResolveAnswer {
  readonly logEpoch: string;
  /** As the server has them now: additive differences to the request are adopted by the client. */
  readonly collections: readonly {
    readonly name: string;
    readonly collectionId: string;
    readonly schemaVersion: number;
    readonly definition: CollectionDefinition;
  }[];
  /** One per collection and partition that the token may at least read. A partition that is missing is made if the token may write it. */
  readonly channels: readonly ResolvedChannel[];
  /** Names of partitions that the token does not grant. */
  readonly denied: readonly string[];
}

/** Body of every refusal over HTTP: 400 OPTION_INVALID, 401 AUTH_REQUIRED, 403 FORBIDDEN, 409 SCHEMA_UNKNOWN or SCHEMA_CONFLICT, 429 RATE_LIMITED, 503. */
export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  readonly details?: { readonly [name: string]: JsonValue };
}
