import type { CollectionDefinition, PrimaryKey, Span } from '@terndb/core';
import type {
  AggregateRequest,
  AggregateResult,
  CountRequest,
  CountResult,
  EntityRecord,
  ExplainRequest,
  ExplainResult,
  GetRequest,
  GetResult,
  QueryRequest,
  QueryResult,
  SearchRequest,
  SearchResult,
  WriteRequest,
} from '@terndb/engine';
import type { ChannelRequest, Principal, ResolveAnswer, ResolveRequest, ServerMessage } from '@terndb/sync';
import type { ChangesRequest, FeedEvent } from './changes/types.ts';
import type { HealthChecks } from './health/finding.ts';

/**
 * One Tern server without HTTP: catalog, leaders, queries and data jobs over the ports. The access layer (Fastify, REST, sockets) and every other
 * door are thin layers over this. Standalone, everything is in this process. Authorisation is the access layer's: whatever reaches a node is allowed.
 */
export interface ServerNode {
  readonly logEpoch: string;
  readonly catalog: NodeCatalog;
  /**
   * The server's end of a sync session, below hello and grants. `send` is called in order; it must not throw. The `reference` of a manifest that is
   * offered is the UTF-8 name of the manifest's object: the access layer replaces it by a bootstrap reference with fresh tickets.
   */
  openSession(session: string, send: (message: ServerMessage) => void): NodeSession;
  /** What a device asks before it subscribes. `grants` says what its token allows. SCHEMA_UNKNOWN, SCHEMA_CONFLICT. */
  resolve(request: ResolveRequest, grants: ResolveGrants): Promise<ResolveAnswer>;

  /** Stamped by the leader, durable in the log and folded when it resolves. */
  write(request: NodeRequest<WriteRequest>): Promise<NodeWriteResult>;
  get(request: NodeRequest<GetRequest>): Promise<GetResult>;
  query(request: NodeRequest<QueryRequest>): Promise<QueryResult>;
  count(request: NodeRequest<CountRequest>): Promise<CountResult>;
  aggregate(request: NodeRequest<AggregateRequest>): Promise<AggregateResult>;
  search(request: NodeRequest<SearchRequest>): Promise<SearchResult>;
  /** How a filter and a search would be answered here. Costs what answering costs. */
  explain(request: NodeRequest<ExplainRequest>): Promise<ExplainResult>;
  /** Until global reads at this token see it. TIMEOUT when not within `timeoutMs`. */
  waitIndexed(token: string, timeoutMs: number): Promise<void>;

  /**
   * Folded changes of a partition from a token on, until the consumer returns. Everything it has not taken is held in one pinned view.
   * Errors: `ChangeFeed.open`.
   */
  changes(request: NodeRequest<ChangesRequest>): AsyncGenerator<FeedEvent, void, void>;

  /** Range read of an immutable object for a download; undefined when it is gone. */
  readObject(name: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  headObject(name: string): Promise<{ readonly bytes: number } | undefined>;
  /** The newest manifest of a channel as one client may see it: with the LMIDs of `clientIds` only. Undefined when there is none (any more). */
  clientManifest(channel: string, manifest: string, clientIds: readonly string[]): Promise<Uint8Array | undefined>;

  /** How many of these keys a channel has no row of, each counted once. 0 for a channel that is gone. */
  absentKeys(channel: string, keys: readonly PrimaryKey[]): number;

  /** Seals everything unsealed now, or of one collection. */
  flush(database: string, collection?: string): Promise<void>;
  compact(database: string, collection?: string): Promise<void>;
  inspect(): NodeInspection;
  /** How each part of it is: storage, leaders, jobs. */
  readonly healthChecks: HealthChecks;
  /** Stops taking writes and answers what is under way. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `database` names one of the catalog; `default` exists. `timeoutMs`: budget to reach the guarantee position. `subject`: who asks, the author of what
 * is written; left out: the server itself.
 */
export type NodeRequest<R> = R & {
  readonly database: string;
  readonly subject?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told of each entity that a read reads for its answer; what it throws ends the read. */
  readonly onEntity?: (entity: EntityRecord) => void;
  /** Of a traced request. */
  readonly span?: Span;
};

export interface NodeWriteResult {
  readonly token: string;
  readonly keys: readonly PrimaryKey[];
}

export interface NodeSession {
  /** To the leader of the channel's slot. `traced`: of a push that is traced. */
  route(principal: Principal, message: ChannelRequest, traced?: TracedPush): void;
  /** `read` grants are checked by the access layer at each message; this ends everything of the session. */
  close(): void;
}

/** A push of a device in a trace. Whoever made it ends both spans when it is answered. */
export interface TracedPush {
  readonly span: Span;
  /** From where a leader has it. */
  leaderAppend?: Span;
  isAnswered: boolean;
}

/** Answers for one token. Partitions are names. */
export interface ResolveGrants {
  /** Absent: `default`. */
  readonly database?: string;
  readonly canRead: (collection: string, partition: string) => boolean;
  readonly canWrite: (collection: string, partition: string) => boolean;
  /** May create collections and fields. */
  readonly schema: boolean;
}

export interface CatalogCollectionInfo {
  readonly database: string;
  readonly name: string;
  readonly collectionId: string;
  readonly schemaVersion: number;
  readonly definition: CollectionDefinition;
  readonly aliases: readonly string[];
  /** Name → channel names, one per shard. */
  readonly partitions: ReadonlyMap<string, readonly string[]>;
  readonly createdAtMs: number;
  /** Free texts of the owner: description, REST properties. */
  readonly properties: Readonly<Record<string, string>>;
}

/** The catalog: compare-and-set records, read from memory. Names are checked; every change is durable when it resolves. */
export interface NodeCatalog {
  databases(): readonly string[];
  createDatabase(name: string, properties?: Readonly<Record<string, string>>): Promise<void>;
  databaseProperties(name: string): Readonly<Record<string, string>>;
  /** All of its properties. */
  alterDatabase(name: string, properties: Readonly<Record<string, string>>): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  collections(database: string): readonly CatalogCollectionInfo[];
  /** By name or alias. Undefined when there is none. */
  find(database: string, name: string): CatalogCollectionInfo | undefined;
  /** Of a channel name; for grants and downloads. */
  placeOf(channel: string): { readonly database: string; readonly collection: string; readonly partition: string } | undefined;
  createCollection(
    database: string,
    name: string,
    definition: CollectionDefinition,
    options?: { readonly shards?: number; readonly properties?: Readonly<Record<string, string>> },
  ): Promise<CatalogCollectionInfo>;
  /** Any other definition, while nothing was ever written, there is no alias, and no device has it open. Undefined, and nothing changed: otherwise. */
  replaceEmpty(
    database: string,
    name: string,
    replace: (info: CatalogCollectionInfo) => {
      readonly definition: CollectionDefinition;
      readonly properties: Readonly<Record<string, string>>;
    },
  ): Promise<CatalogCollectionInfo | undefined>;
  /** Additive only. SCHEMA_CONFLICT. */
  alterCollection(
    database: string,
    name: string,
    change: { readonly definition?: CollectionDefinition; readonly properties?: Readonly<Record<string, string>> },
  ): Promise<CatalogCollectionInfo>;
  renameCollection(database: string, name: string, to: { readonly database?: string; readonly name: string }): Promise<void>;
  dropCollection(database: string, name: string): Promise<void>;
  createPartition(database: string, collection: string, partition: string): Promise<void>;
  dropPartition(database: string, collection: string, partition: string): Promise<void>;
  setAlias(database: string, alias: string, collection: string): Promise<void>;
  dropAlias(database: string, alias: string): Promise<void>;
}

export interface NodeInspection {
  readonly logEpoch: string;
  readonly wasmBytes: number;
  readonly slots: readonly { readonly slot: number; readonly leaderEpoch: number; readonly state: string; readonly lastSequence: number }[];
  readonly channels: readonly {
    readonly channel: string;
    readonly database: string;
    readonly collection: string;
    readonly partition: string;
    readonly position: number;
    readonly sealedPosition: number;
    readonly entities: number;
    readonly growing: number;
    readonly segments: number;
    readonly bytes: number;
    /** Of the log behind the newest manifest. */
    readonly unsealedBytes: number;
    readonly subscribers: number;
    readonly divergences: number;
  }[];
  readonly counters: Readonly<Record<string, number>>;
}
