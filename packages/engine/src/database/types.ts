import type {
  Clock,
  CollectionDefinition,
  DbError,
  LogBroker,
  MetaStore,
  ObjectStore,
  PrimaryKey,
  Rng,
  SchemaDefinition,
  ScratchFiles,
  StoredFields,
} from '@terndb/core';
import type { Kernel } from '@terndb/kernel';
import type { CollabRequest } from '../collab/resolve-collab.ts';
import type { PutParts } from '../collab/types.ts';
import type { CollabEvent, CollabPlace } from '../collab/watch-collab.ts';
import type { VectorsRequest } from '../embedding/resolve-vectors.ts';
import type { QueryEmbedding, WaitingRequest, WaitingRows } from '../embedding/types.ts';
import type { IndexingState } from '../indexes/index-manager.ts';
import type { IndexKind } from '../indexes/types.ts';
import type { AggregateGroup, AggregateRequest, AggregateResult } from '../read/aggregate/types.ts';
import type { OutboxPort, Replication } from '../replication/types.ts';
import type { View } from '../view/view.ts';

/** Everything that is not logic. A tab brings IndexedDB, Node files, a test memory; the engine is the same. */
export interface EnginePorts {
  readonly log: LogBroker;
  readonly meta: MetaStore;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly kernel: Kernel;
  /** Where vectors of larger sealed segments go that an index finds without them, in place of memory. Left out: all are in memory. */
  readonly scratch?: ScratchFiles | undefined;
}

export interface EngineOptions {
  readonly ports: EnginePorts;
  /** Collections are created, or brought to this version; SCHEMA_CONFLICT when it does not fit what is stored. */
  readonly schema: SchemaDefinition;
  readonly limits?: Partial<EngineLimits>;
  /** Takes the writes to followed channels. Without it they are refused with NOT_CONNECTED. */
  readonly outbox?: OutboxPort;
  /** Kinds of index files to build and open. Default: all of this version. */
  readonly indexKinds?: readonly IndexKind<unknown>[];
  /** Whether to build index files for channels that this engine leads (default true). Those that manifests name are opened in any case. */
  readonly buildIndexes?: boolean;
}

/** When growing rows are sealed and segments merged. Defaults and reasons: `database/limits.ts`. */
export interface EngineLimits {
  readonly sealRows: number;
  readonly sealBytes: number;
  readonly sealAgeMs: number;
  readonly groupCommitMs: number;
}

/** Untyped forms of the public requests: `where` and entities are checked against the schema by the engine. */
export interface FilterRequest {
  readonly where?: unknown;
  readonly filter?: string | undefined;
  readonly filterParams?: unknown;
}
export interface ReadScope {
  readonly collection: string;
  readonly partitions?: readonly string[] | undefined;
  readonly scope?: unknown;
  readonly consistency?: unknown;
}
export interface GetRequest extends ReadScope {
  readonly keys: readonly unknown[];
  readonly select?: readonly string[] | undefined;
}
export interface QueryRequest extends ReadScope, FilterRequest {
  readonly orderBy?: unknown;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly select?: readonly string[] | undefined;
}
export interface CountRequest extends ReadScope, FilterRequest {}
export interface SearchRequest extends ReadScope, FilterRequest {
  readonly text?: unknown;
  readonly vector?: unknown;
  readonly like?: unknown;
  readonly mode?: unknown;
  readonly field?: unknown;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly select?: readonly string[] | undefined;
  readonly exact?: boolean | undefined;
  /** Candidates that a walk of a graph keeps (1 to MAX_EF, at least as many as hits are wanted): more finds more, and takes longer. */
  readonly ef?: number | undefined;
  /** Lists of an IVF index that are searched (1 to MAX_NPROBE; default a quarter of them, at least 16): likewise. */
  readonly nprobe?: number | undefined;
  readonly range?: unknown;
  readonly groupBy?: unknown;
  readonly minScore?: unknown;
  /** `{ field, vector }[]`: several vector fields, each a list of its own. Instead of `vector`. */
  readonly vectors?: unknown;
  /** Whether the last word of `text`, with nothing after it, may be the beginning of one. Default true. */
  readonly prefix?: unknown;
  /** Whether hits say where their texts hold the words (`highlights`). Default false. */
  readonly highlight?: unknown;
  /** `{ type: 'rrf', k?, weights?, byCoverage? }` (default) or `{ type: 'weighted', weights? }`; weights by `keyword` and vector field. */
  readonly fusion?: unknown;
  /** `{ type: 'decay', … }` and `{ type: 'boost', … }`, one or several: `read/search/rank-options.ts`. */
  readonly rerank?: unknown;
  /** The text as vectors, by whoever has the models. Left out: not now, and what would be hybrid is answered by keywords, `degraded`. */
  readonly embedded?: readonly QueryEmbedding[] | undefined;
}

/** How good the approximate search of a vector field is here; see `Engine.recall`. */
export interface RecallRequest extends ReadScope {
  /** Default: the only field of dense vectors. */
  readonly field?: string | undefined;
  /** Stored vectors to search with (default 50, at most 1,000). */
  readonly sample?: number | undefined;
  /** Hits per search (default 10, at most 100). */
  readonly limit?: number | undefined;
  /** As of a search. */
  readonly ef?: number | undefined;
  readonly nprobe?: number | undefined;
}
export interface RecallResult {
  /** Share of the exact search's hits that the usual search finds, over all queries; hits of equal score count alike. */
  readonly recall: number;
  readonly queries: number;
  readonly limit: number;
  /** No index was used: recall is 1 because searches are exact. */
  readonly exact: boolean;
  /** Mean times of one search. */
  readonly exactMs: number;
  readonly graphMs: number;
}

/** A filter, and optionally what to search by; see `Engine.explain`. */
export type ExplainRequest = SearchRequest;
export interface ExplainResult {
  /** In the filter language. */
  readonly filter: string;
  readonly blocks: readonly ExplainedBlock[];
  /** Left out where there is no block. */
  readonly total?: ExplainedTotal;
}
export interface ExplainedBlock {
  readonly partition: string;
  /** Of the segment, or `growing`. */
  readonly id: string;
  readonly rows: number;
  readonly live: number;
  readonly filter: ExplainedFilter;
  /** Whether an index that may miss hits was used. */
  readonly search?: 'index' | 'scan';
}
export interface ExplainedFilter {
  readonly filter: string;
  /** Of single conditions: what answers them. `statistics`: without a look at a value; `sorted`, `inverted`, `bitmap`: a scalar index. */
  readonly how?:
    | 'all'
    | 'keys'
    | 'statistics'
    | 'validity'
    | 'dictionary'
    | 'sorted'
    | 'inverted'
    | 'bitmap'
    | 'text index'
    | 'columns'
    | 'default';
  /** Live rows for which it is true: as indexes and statistics make it likely, and really. */
  readonly estimated: number;
  readonly passing: number;
  readonly parts?: readonly ExplainedFilter[];
}
/** Over all blocks. */
export interface ExplainedTotal {
  readonly filter: string;
  /** How many blocks answer it in which way. */
  readonly how: { readonly [How in NonNullable<ExplainedFilter['how']>]?: number };
  /** Shares of all live rows, 0 to 1: as indexes and statistics make it likely, and really. */
  readonly estimated: number;
  readonly passing: number;
  readonly parts?: readonly ExplainedTotal[];
}

/** Field name → public value (Date, bigint, Float32Array …), plain and structured-cloneable. */
export type EntityRecord = Readonly<Record<string, unknown>>;

/** How true a result is; the public ReadInfo without what only a connected client knows. */
export interface ReadInfo {
  readonly coverage: number;
  readonly scope: 'local' | 'global' | 'hybrid';
  readonly degraded: null | 'offline' | 'server-timeout' | 'behind-token' | 'bootstrapping' | 'embedder-loading';
  readonly stalenessMs: number | null;
  readonly token: string;
}
export interface GetResult extends ReadInfo {
  readonly entities: readonly (EntityRecord | undefined)[];
}
/** `versions`: one number per row that changes whenever the entity does, not ordered, so that unchanged entities can keep their identity. */
export interface QueryResult extends ReadInfo {
  readonly entities: readonly EntityRecord[];
  readonly keys: readonly PrimaryKey[];
  readonly versions: readonly number[];
  readonly pendingKeys: readonly PrimaryKey[];
}
export interface CountResult extends ReadInfo {
  readonly count: number;
}
export interface SearchHit {
  readonly key: PrimaryKey;
  readonly entity: EntityRecord;
  readonly score: number;
  readonly from: 'local' | 'global';
  readonly pending: boolean;
  readonly version: number;
  /** Of a search that fuses several lists: where the hit is in each that has it. */
  readonly parts?: readonly SearchPart[];
  /** With `highlight`: the fields that hold a word of the search. */
  readonly highlights?: readonly SearchHighlight[];
}
export interface SearchPart {
  /** `keyword`, or the vector field. */
  readonly name: string;
  /** In the list's own terms: BM25, similarity, distance with the sign turned. */
  readonly score: number;
  /** From 1. */
  readonly rank: number;
  /** What the list added to the hit's score, before rerankers. */
  readonly share: number;
}
export interface SearchHighlight {
  readonly field: string;
  /** Start and end in UTF-16 units, ascending, apart from each other. */
  readonly ranges: readonly (readonly [number, number])[];
}
export interface SearchResult extends ReadInfo {
  readonly hits: readonly SearchHit[];
  readonly exact: boolean;
}

export type WriteRequest =
  | { readonly type: 'put'; readonly collection: string; readonly partition?: string | undefined; readonly entities: readonly unknown[] }
  | {
      readonly type: 'patch';
      readonly collection: string;
      readonly partition?: string | undefined;
      readonly key: unknown;
      readonly fields: unknown;
    }
  | { readonly type: 'delete'; readonly collection: string; readonly partition?: string | undefined; readonly key: unknown }
  | ({ readonly type: 'deleteBy'; readonly collection: string; readonly partitions?: readonly string[] | undefined } & FilterRequest)
  /** An edit of a collab field. */
  | CollabRequest
  /** Derived vectors; keys whose row is gone or has another text by now are left out of the ticket and of the database. */
  | VectorsRequest;

export interface WriteTicket {
  /** Keys written, in the order given (automatic ones filled in); for `deleteBy` the keys that matched. Visible to reads already. */
  readonly keys: readonly PrimaryKey[];
  /** Resolves when durable here; rejects with STORAGE_FULL, STORAGE_UNAVAILABLE … and then the write has no effect. */
  readonly durable: Promise<{ readonly token: string }>;
}

/** What changed, after it became visible. */
export interface Change {
  readonly collection: string;
  readonly partition: string;
  readonly keys: readonly PrimaryKey[];
  /** Any entity of the partition may have changed: it is shown by another replica than before. */
  readonly all?: true;
}

export interface PartitionView {
  readonly partition: string;
  readonly view: View;
}

export interface PartitionInspection {
  readonly collection: string;
  readonly partition: string;
  /** Who leads its channel: this engine, or a server that it follows. */
  readonly leader: 'self' | 'server';
  /** Writes in the outbox. */
  readonly pending: number;
  /** As shown, outbox included; segments and growing rows are those of the replica under it. */
  readonly entities: number;
  readonly growing: number;
  readonly segments: readonly {
    readonly id: string;
    readonly rows: number;
    readonly deleted: number;
    readonly bytes: number;
    /** Open index files, `field:type`. */
    readonly indexes: readonly string[];
    /** Lengths of their files together, which is about what they take of memory. */
    readonly indexBytes: number;
    /** Of kernel memory, by the rows of vectors. */
    readonly vectorBytes: number;
    /** By vector field: of memory, for rows and indexes, per row; and where the rows are. */
    readonly vectors: Readonly<Record<string, { readonly bytesPerRow: number; readonly rows: 'memory' | 'stored' }>>;
  }[];
  readonly quarantined: readonly string[];
  /** R13, 16 hex digits. */
  readonly hash: string;
  readonly position: number;
  /** R13: how often a hash was not what the log or the manifest said. Above 0 something is wrong: report it. */
  readonly divergences: number;
  /** Why the partition is read-only; null when it is not. */
  readonly damage: { readonly code: string; readonly message: string } | null;
}
export interface EngineInspection {
  readonly clientId: string;
  readonly logEpoch: string;
  readonly wasmBytes: number;
  /** Of all followed channels. */
  readonly outbox: { readonly writes: number; readonly bytes: number };
  readonly partitions: readonly PartitionInspection[];
  readonly indexing: IndexingState;
}

/** One database: collections, their partitions, one log stream. Everything synchronous is visible at once; promises are durability or I/O. */
export interface Engine {
  readonly clientId: string;
  /** Followed channels: fed by a sync host, who gives the outbox at open. */
  readonly replication: Replication;
  readonly schema: SchemaDefinition;
  definition(collection: string): CollectionDefinition;
  /**
   * Validates all, then applies all; throws a DbError and applies nothing. In followed partitions a write goes to the outbox; one that falls into
   * partitions of both kinds is two, each durable as a whole.
   */
  write(request: WriteRequest): WriteTicket;
  /**
   * Several requests as one write: all are validated before one is applied, and all become visible and durable together, in one append however
   * large. A put may have any number of entities, and collab documents up to MAX_COLLAB_BYTES: what does not fit the put follows it as updates. At
   * most one request per collection and partition: none sees what another does. All are for followed partitions, or none: OPTION_INVALID. For imports.
   */
  writeAll(requests: readonly WriteRequest[]): WriteTicket;
  /** A row's put and the updates of its documents that follow it, each small enough for an op; for who turns rows back into ops. ENTITY_TOO_LARGE. */
  splitPut(collection: string, pk: PrimaryKey, fields: StoredFields): PutParts;
  get(request: GetRequest): GetResult;
  query(request: QueryRequest): QueryResult;
  count(request: CountRequest): CountResult;
  /** `others`: groups of other readers of the same request, `partial`, to be added. Loads the code for it once. `read/aggregate`. */
  aggregate(request: AggregateRequest, others?: readonly AggregateGroup[]): Promise<AggregateResult>;
  search(request: SearchRequest): SearchResult;
  /** Searches with a sample of stored vectors, with and without graphs. Gives way between searches. Loads the code for it once. QUERY_INVALID, FIELD_UNKNOWN. `read/probes`. */
  recall(request: RecallRequest): Promise<RecallResult>;
  /** How a filter and a search would be answered, block by block, with estimated and real numbers of rows. Loads the code for it once. Errors of count and search. `read/probes`. */
  explain(request: ExplainRequest): Promise<ExplainResult>;
  /** Whole results whenever something changed that could matter; the first one at once. Returns the way to stop. */
  watchQuery(request: QueryRequest, onResult: (result: QueryResult) => void, onError: (error: DbError) => void): () => void;
  watchSearch(request: SearchRequest, onResult: (result: SearchResult) => void, onError: (error: DbError) => void): () => void;
  /**
   * Follows one document, the outbox over it: where it is now at once, then what merges into it. Returns the way to stop. COLLECTION_UNKNOWN, PARTITION_UNKNOWN,
   * FIELD_INVALID, KEY_INVALID.
   */
  watchCollab(place: CollabPlace, onEvent: (event: CollabEvent) => void, onError: (error: DbError) => void): () => void;
  /** Views of the named partitions (default: all), to be released by the caller. COLLECTION_UNKNOWN, PARTITION_UNKNOWN. */
  views(collection: string, partitions?: readonly string[]): readonly PartitionView[];
  /** Rows whose vector is to be derived by this device. COLLECTION_UNKNOWN, FIELD_INVALID. */
  waitingVectors(request: WaitingRequest): WaitingRows;
  /** The models that rows have vectors of in a field, ascending. */
  vectorModels(collection: string, field: string): readonly string[];
  /** Takes away vectors of another dimension than `dim`, which nothing could be compared with any more; then seals, so that no room is kept for them. */
  clearOtherDims(collection: string, field: string, dim: number): Promise<void>;
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** Waits until everything written so far is durable. */
  flush(): Promise<void>;
  /** Seals growing rows of every channel now, or of one collection. */
  seal(collection?: string): Promise<void>;
  /** Merges and rewrites segments where that pays; also runs by itself after seals. */
  compact(): Promise<void>;
  /** Builds or opens now every index file that is missing, which otherwise happens in the background; resolves when that is done. */
  buildIndexes(): Promise<void>;
  inspect(): EngineInspection;
  /** Flushes and frees kernel memory. Calls after it throw DATABASE_CLOSED. */
  close(): Promise<void>;
}
