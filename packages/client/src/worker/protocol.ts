/**
 * The border between a page and its engine worker, carried by comlink. Both sides come from one build of the package, so there is one version at
 * a time; it is checked because `assets.worker` lets an app serve a stale file.
 *
 * History: 1 first version; 2 replication, embedding; 3 options of inspect, import of hnswlib indexes; 4 calls without comlink, which 6
 * takes back; 5 collab documents, presence; 7 hints.
 */
import type { CollectionDefinition, DbError, ErrorMessage, SchemaDefinition } from '@terndb/core';
import type {
  AggregateRequest,
  AggregateResult,
  CollabBase,
  CollabEvent,
  CollabPlace,
  CountRequest,
  CountResult,
  EngineInspection,
  ExplainResult,
  GetRequest,
  GetResult,
  QueryRequest,
  QueryResult,
  RecallResult,
  SearchRequest,
  SearchResult,
  WriteRequest,
} from '@terndb/engine';
import type { HnswlibImport } from '@terndb/engine/parts';
import type { InspectOptions } from '../api/database.ts';
import type { EmbeddingReport } from '../embedding/protocol.ts';
import type { ConnectRequest } from '../sync/connection-record.ts';
import type { PresenceNews, PresencePlace, PresenceSaid } from '../sync/presence-desk.ts';
import type { RejectedItem, SyncReport } from '../sync/sync-report.ts';
import type { PendingWrite } from '../sync/write-waiters.ts';
import type { ExportPage } from '../transfer/export-sessions.ts';

export const PROTOCOL_VERSION = 7;

export interface StartOptions {
  readonly protocol: number;
  readonly name: string;
  readonly schema: SchemaDefinition;
  /** Where the kernel is, if not beside the worker. */
  readonly wasm?: string | WebAssembly.Module;
  readonly requirePersistence: boolean;
  readonly vectors?: 'memory' | 'stored';
}
export interface Started {
  readonly mode: 'indexeddb' | 'memory';
  /** This open made the stored database. */
  readonly created: boolean;
  readonly leader: boolean;
  /** A lock that the worker holds as long as it lives. Missing where it holds none. */
  readonly lifeLock: string | undefined;
}

export interface WriteAnswer {
  readonly keys: readonly (string | number | bigint)[];
  readonly token: string;
  /** Entries of the outbox; missing when all of it stays on this device. */
  readonly writes?: readonly PendingWrite[];
}

/** Method → what goes in and what comes out. Everything here is structured-cloneable. */
export interface Calls {
  write: { in: WriteRequest; out: WriteAnswer };
  get: { in: GetRequest; out: GetResult };
  query: { in: QueryRequest; out: QueryResult };
  count: { in: CountRequest; out: CountResult };
  aggregate: { in: AggregateRequest; out: AggregateResult };
  search: { in: SearchRequest; out: SearchResult };
  /** A following tab's schema, before anything else it asks: SCHEMA_CONFLICT when it does not fit. One with more than the leader's ends the leader. */
  adopt: { in: SchemaDefinition; out: undefined };
  inspect: { in: InspectOptions | undefined; out: EngineInspection & { readonly recall?: RecallResult; readonly explain?: ExplainResult } };
  flush: { in: undefined; out: undefined };
  seal: { in: undefined; out: undefined };
  /** Pauses the embedding queue, or lets it go on (and tries again what failed). */
  pauseEmbedding: { in: boolean; out: undefined };
  /** Tells others what is typed, beside the write; lost where nobody can be told. */
  hint: { in: { readonly place: CollabPlace; readonly base: CollabBase; readonly update: Uint8Array }; out: undefined };
  /** Says where somebody is. */
  presence: { in: PresenceSaid; out: undefined };
  connect: { in: ConnectRequest; out: undefined };
  disconnect: { in: undefined; out: undefined };
  /** What a page's getToken gave for the question of a report; null: nothing. */
  token: { in: { readonly id: number; readonly token: string | null }; out: undefined };
  /** Has no deadline: offline it waits. */
  wait: { in: { readonly level: 'acked' | 'indexed'; readonly writes: readonly PendingWrite[] | undefined }; out: string };
  rejected: { in: undefined; out: readonly RejectedItem[] };
  dismiss: { in: { readonly channel: string; readonly id: number }; out: undefined };
  upload: { in: undefined; out: undefined };
  /** The definition of a collection that only the server knows; the engine then has it. COLLECTION_UNKNOWN, OFFLINE. */
  openCollection: { in: { readonly name: string }; out: CollectionDefinition };
  /** Removes what the server has; the outbox stays. */
  forget: { in: undefined; out: undefined };
  exportOpen: {
    in: { readonly collections?: readonly string[] | undefined };
    out: { readonly exportId: string; readonly entities: number };
  };
  exportPage: { in: { readonly exportId: string }; out: ExportPage };
  exportClose: { in: { readonly exportId: string }; out: undefined };
  importOpen: { in: undefined; out: { readonly importId: string } };
  importPush: { in: { readonly importId: string; readonly bytes: Uint8Array }; out: undefined };
  importCommit: { in: { readonly importId: string }; out: { readonly entities: number } };
  importHnswlib: { in: HnswlibImport; out: { readonly entities: number } };
  importClose: { in: { readonly importId: string }; out: undefined };
}
export type Method = keyof Calls;
export type Call = { [M in Method]: { readonly method: M; readonly request: Calls[M]['in'] } }[Method];

export type WatchRequest =
  | { readonly kind: 'query'; readonly request: QueryRequest }
  | { readonly kind: 'search'; readonly request: SearchRequest }
  /** A collab document: CollabReports, each with all that happened since the last one was taken; with hints, if they are wanted. */
  | { readonly kind: 'collab'; readonly place: CollabPlace; readonly hints: boolean }
  /** Who else has a document open: PresenceReports, each with all that was said since the last one was taken. */
  | { readonly kind: 'presence'; readonly place: PresencePlace }
  /** Replication's state: SyncReports. */
  | { readonly kind: 'sync' }
  /** How embedding stands: EmbeddingReports. */
  | { readonly kind: 'embedding' };
export type LiveResult = QueryResult | SearchResult;
/** `hint`: what somebody types, on its way to the log; checked by nobody. */
export type CollabNews = CollabEvent | { readonly type: 'hint'; readonly update: Uint8Array };
export interface CollabReport {
  readonly events: readonly CollabNews[];
}
export interface PresenceReport {
  readonly news: readonly PresenceNews[];
}
export type WatchResult = LiveResult | SyncReport | EmbeddingReport | CollabReport | PresenceReport;

/** What the worker says unasked. */
export type WorkerEvent =
  /** Resolves when the page has taken it: the next result of this watch waits for that, and replaces what waits already. */
  | { readonly type: 'result'; readonly watch: number; readonly result: WatchResult }
  | { readonly type: 'error'; readonly watch: number; readonly error: ErrorMessage }
  | { readonly type: 'leader'; readonly leader: boolean }
  /** The database was closed from outside: deleted in another tab, or lost. */
  | { readonly type: 'closed'; readonly error: ErrorMessage };

/** What the worker offers to its page. */
export interface WorkerApi {
  start(options: StartOptions, onEvent: (event: WorkerEvent) => Promise<void>): Promise<Started>;
  call(call: Call): Promise<unknown>;
  watch(id: number, watch: WatchRequest): void;
  unwatch(id: number): void;
  close(): Promise<void>;
  /** Closes and removes what is stored. */
  destroy(): Promise<void>;
}

/** What answers calls: the engine of this worker, or the leader's through the bus. */
export interface Service {
  call(call: Call): Promise<unknown>;
  /** Whole results; the next one is produced only after `onResult` of the last one settled. Returns the way to stop. */
  watch(watch: WatchRequest, sink: WatchSink): () => void;
}
export interface WatchSink {
  onResult(result: WatchResult): Promise<void>;
  onError(error: DbError): void;
}
