import type { DbError, DenseVector, DynamicShape, JsonValue, Key, Metric, Patch, PrimaryKey, Schema, Shapes } from '@terndb/core';
import type { Collection } from './collection.ts';
import type { EmbeddingStore, Keep, StorageStatus, Store, SyncStatus } from './status.ts';

/** What the log may answer for good; anything else is tried again. */
export type RejectCode =
  | 'FORBIDDEN'
  | 'FIELD_INVALID'
  | 'FIELD_UNKNOWN'
  | 'DIMENSION_MISMATCH'
  | 'ENTITY_TOO_LARGE'
  | 'SCHEMA_CONFLICT'
  | 'STALE_WRITE'
  | 'COLLECTION_UNKNOWN'
  | 'PARTITION_UNKNOWN';

export interface ConnectOptions {
  /** Of the sync endpoint; relative to the page. `http` and `ws` both work. */
  url: string;
  /** What to replicate; the token must grant them. Entities outside (such as `_default`, unless named) stay on this device. */
  partitions: readonly (
    | string
    | { name: string; keep?: Keep /** Of `recent`, default 64 MiB: bytes of segments and indexes. */; budgetBytes?: number }
  )[];
  /** Called at the start, about 30 s before expiry, and when a token was refused. If it throws: state `needs-auth`, the outbox stays. */
  getToken: (request: { reason: 'start' | 'expiring' | 'rejected' }) => Promise<string>;
}
/** Data and outbox stay. */
export interface Connection {
  disconnect(): Promise<void>;
}

/** The durable list, oldest first: those of earlier sessions are delivered when the listener is added, and again until dismissed. */
export type RejectedEvent<C extends Shapes> = {
  [N in keyof C & string]: {
    readonly collection: N;
    readonly key: Key<C[N]>;
    readonly partition: string;
    readonly error: DbError<RejectCode>;
    readonly op:
      | { readonly type: 'put' | 'patch'; readonly fields: Patch<C[N]> }
      | { readonly type: 'delete' }
      /** An edit: an update of Yjs (v1) for the document as it was. Those that followed a refused put make its whole document. */
      | { readonly type: 'collab'; readonly field: string; readonly update: Uint8Array };
    dismiss(): Promise<void>;
  };
}[keyof C & string];
/** A write of this device lost a field to a newer one. Told once, in the order of the log; nothing to decide. */
export type ConflictEvent<C extends Shapes> = {
  [N in keyof C & string]: {
    readonly collection: N;
    readonly key: Key<C[N]>;
    readonly partition: string;
    readonly field: string;
    readonly kept: unknown;
    readonly lost: unknown;
  };
}[keyof C & string];
/** The browser dropped the database. What the server has comes back; `outbox` counts the writes that do not, null if unknown. */
export interface LossEvent {
  readonly lastOpened: Date;
  readonly outbox: number | null;
}
export interface DatabaseEvents<C extends Shapes> {
  rejected: RejectedEvent<C>;
  conflict: ConflictEvent<C>;
  lossDetected: LossEvent;
}

export interface Progress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}
export interface TransferOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}
/** What to read as a saved hnswlib index. `partition` and `keys` as for `put`. */
export interface HnswlibSource {
  collection: string;
  partition?: string;
  /** Default: the only field of dense vectors. */
  field?: string;
  /** Of what the file holds, which does not say it: checked against the field's. */
  metric?: Metric;
  dim?: number;
  /** Keys by label. Left out: the labels, as numbers or decimal digits. */
  keys?: readonly PrimaryKey[] | ReadonlyMap<number, PrimaryKey>;
}
export interface ImportOptions extends TransferOptions {
  /** The source is an index that hnswlib saved, native or in WebAssembly; vectors become entities, those marked as deleted excepted. FORMAT_INVALID. */
  hnswlib?: HnswlibSource;
}
/** Searches with stored vectors, with and without graphs, and compares. Costs `sample` scans, during which the database answers others. */
export interface RecallProbe {
  collection: string;
  partitions?: readonly string[];
  /** Default: the only field of dense vectors. */
  field?: string;
  /** Vectors to search with, evenly spread (default 50, at most 1,000). */
  sample?: number;
  /** Hits per search (default 10, at most 100). */
  limit?: number;
  /** As of a search. */
  ef?: number;
  nprobe?: number;
}
/** As of a search or a query: how its filter, and its search, would be answered. */
export interface ExplainProbe {
  collection: string;
  partitions?: readonly string[];
  where?: Readonly<Record<string, unknown>>;
  filter?: string;
  filterParams?: Readonly<Record<string, JsonValue>>;
  vector?: DenseVector | Int8Array;
  field?: string;
  limit?: number;
  exact?: boolean;
  ef?: number;
  nprobe?: number;
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
  /** Rows for which it is true: as indexes and statistics make it likely, and really. */
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
export interface Explained {
  readonly filter: string;
  /** Left out where there is no block. */
  readonly total?: ExplainedTotal;
  readonly blocks: readonly {
    readonly partition: string;
    readonly id: string;
    readonly rows: number;
    readonly live: number;
    readonly filter: ExplainedFilter;
    /** Whether an index that may miss hits was used. */
    readonly search?: 'index' | 'scan';
  }[];
}
export interface InspectOptions {
  recall?: RecallProbe;
  explain?: ExplainProbe;
}
export interface Recall {
  /** Share of the exact hits that the usual search finds; hits of equal score count alike. */
  readonly recall: number;
  readonly queries: number;
  readonly limit: number;
  /** No graph was walked: searches are exact here. */
  readonly exact: boolean;
  /** Mean times of one search. */
  readonly exactMs: number;
  readonly graphMs: number;
}
export interface Inspection {
  readonly clientId: string;
  readonly logEpoch: string | null;
  readonly wasmBytes: number;
  readonly outbox: { readonly writes: number; readonly bytes: number };
  readonly partitions: readonly {
    readonly collection: string;
    readonly partition: string;
    /** Who leads its log: this device, or the server it follows. */
    readonly leader: 'self' | 'server';
    /** Of the log: how far it is applied. */
    readonly position: number;
    /** Writes in the outbox. */
    readonly pending: number;
    /** Of the rows without the outbox; equal on devices at the same position. */
    readonly hash: string;
    readonly entities: number;
    readonly growing: number;
    readonly segments: readonly {
      readonly id: string;
      readonly rows: number;
      readonly deleted: number;
      readonly bytes: number;
      /** Open index files, `field:type`: searched by a graph where it is `hnsw…`, by lists where it is `ivf…`. */
      readonly indexes: readonly string[];
      /** By vector field: memory for rows and indexes, per row, and where the rows are. */
      readonly vectors: Readonly<Record<string, { readonly bytesPerRow: number; readonly rows: 'memory' | 'stored' }>>;
    }[];
  }[];
  /** What is done for indexes in the background; searches scan what has none yet. */
  readonly indexing: {
    readonly current: {
      readonly collection: string;
      readonly partition: string;
      readonly segment: string;
      readonly field: string;
      readonly type: string;
      readonly step: 'load' | 'build';
      /** 0..1 */
      readonly done: number;
    } | null;
    readonly waiting: number;
    /** Files found damaged or lost since the database was opened; they are built again. */
    readonly damaged: number;
    /** Tries that failed, for example for want of memory; repeated later. */
    readonly failed: number;
  };
  /** Where it was asked for. */
  readonly recall?: Recall;
  readonly explain?: Explained;
}

export interface DatabaseMembers<C extends Shapes> {
  readonly name: string;
  readonly schema: Schema<C>;
  /** Returns at once; watch `sync`. A second call replaces the first. Throws OPTION_INVALID. */
  connect(options: ConnectOptions): Connection;
  readonly sync: Store<SyncStatus>;
  readonly storage: Store<StorageStatus>;
  readonly embedding: EmbeddingStore;
  /** Listeners run in the order added. Returns the way to stop. */
  on<E extends 'rejected' | 'conflict' | 'lossDetected'>(event: E, listener: (value: DatabaseEvents<C>[E]) => void): () => void;
  /** For consoles and bug reports; slow, and no stable shape to build on. */
  inspect(options?: InspectOptions): Promise<Inspection>;
  /** One consistent state, outbox included, without secrets. The stream is closed at the end, aborted on error. */
  export(options?: TransferOptions & { collections?: readonly (keyof C & string)[] }): Promise<Blob>;
  export(options: TransferOptions & { collections?: readonly (keyof C & string)[]; to: WritableStream<Uint8Array> }): Promise<void>;
  /** Entities arrive as writes of this device, newest stamp winning; all or nothing. CHECKSUM_MISMATCH, FORMAT_VERSION_UNSUPPORTED, SCHEMA_CONFLICT. */
  import(source: Blob | ReadableStream<Uint8Array>, options?: ImportOptions): Promise<{ readonly entities: number }>;
  /** A collection whose schema only the server knows; remembered for offline. COLLECTION_UNKNOWN, or OFFLINE if never seen. */
  openCollection(name: string): Promise<Collection<DynamicShape>>;
  /**
   * Ends the session and removes its data. `upload`: sends the outbox first, UNSYNCED_WRITES if that fails and nothing is removed. `keep`: the outbox
   * stays for the same user's return. `discard`: it goes too. No default on purpose.
   */
  logout(options: { unsynced: 'upload' | 'keep' | 'discard' }): Promise<void>;
  /** Waits for writes to be durable here. Calls after it reject with DATABASE_CLOSED. */
  close(): Promise<void>;
}
export type Database<C extends Shapes> = { readonly [N in keyof C]: Collection<C[N]> } & DatabaseMembers<C>;

/**
 * `model`: the folder with the model's files. `webgpu`: run it on the GPU if the browser gives the page one (`embedding` says which it is); `wasm` is the
 * address of onnxruntime's `ort-wasm-simd-threaded.asyncify.wasm`, 27 MB that the application serves. `embed` gives one vector of `dim` per text, in order; `id` changes when
 * its vectors do.
 */
export type Embedder =
  | { model: string | URL /** SRI hash of the manifest. */; integrity?: string; webgpu?: { wasm: string | URL } }
  | { id: string; dim: number; embed: (texts: readonly string[]) => Promise<readonly DenseVector[]> };

export interface OpenOptions<C extends Shapes> {
  schema: Schema<C>;
  embedder?: Embedder;
  /** Where a bundler cannot find them by itself. */
  assets?: { worker?: string | URL | (() => Worker); wasm?: string | URL | WebAssembly.Module };
  /** AES-GCM 256, not extractable. Encrypts everything stored here; a wrong one: DECRYPTION_FAILED. */
  encryptionKey?: () => Promise<CryptoKey>;
  /** Reject with STORAGE_UNAVAILABLE rather than work in memory. */
  requirePersistence?: boolean;
  /**
   * `stored`: float vectors of larger sealed segments are not in memory but in a file of the origin's private file system (as much again of the quota);
   * an index finds candidates by its codes, and only their rows are read. `exact` searches, and searches before an index is built, read the whole file.
   * Not for fields without codes (`FLAT`, `IVF` without `quantization`, hnswlib). Default `memory`. As the tab that leads was opened.
   */
  vectors?: 'memory' | 'stored';
}
