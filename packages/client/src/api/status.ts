import type { DbError } from '@terndb/core';

/** `get` gives the same object until something changed. `subscribe` does not call at once; it returns the way to stop. */
export interface Store<T> {
  get(): T;
  subscribe(onChange: (value: T) => void): () => void;
}

/**
 * `all` (default). `recent`: the newest segments that fit the budget, and what came since; the rest is found by global and hybrid reads.
 * `search-only`: never stored here, found by global and hybrid reads.
 */
export type Keep = 'all' | 'recent' | 'search-only';

export type SyncState =
  | { readonly name: 'off' }
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'catching-up' /** 0..1 */; readonly progress: number }
  | { readonly name: 'live'; readonly lagMs: number }
  | { readonly name: 'offline'; readonly retryInMs: number | null }
  /** `detail`: 'subject' when the token is not of who wrote the outbox; else what the server or the page said, if anything. */
  | { readonly name: 'needs-auth'; readonly detail?: string }
  | { readonly name: 'incompatible'; readonly need: 'upgrade-client' | 'upgrade-server' };
/** A collection whose entities live otherwise on the server than this app's schema says, in seconds; null: for ever. */
export interface OtherTimeToLive {
  readonly collection: string;
  readonly ownSeconds: number | null;
  /** What counts in the partitions that are connected; the others go by the app's. */
  readonly serverSeconds: number | null;
}
/** `FORBIDDEN`: the token does not grant it. `QUOTA_EXCEEDED`: there is no room for more, or nobody may write now. */
export interface DeniedWrites {
  readonly collection: string;
  readonly partition: string;
  readonly code: 'FORBIDDEN' | 'QUOTA_EXCEEDED';
}
export interface SyncStatus {
  readonly state: SyncState;
  /** Writes that the log has not confirmed. */
  readonly outbox: number;
  /** Refused writes not yet dismissed. */
  readonly rejected: number;
  /** This tab does the syncing for all tabs. */
  readonly leader: boolean;
  readonly partitions: readonly { readonly name: string; readonly keep: Keep /** 0..1 */; readonly coverage: number }[];
  /** Left out: the server's schema says what the app's says. */
  readonly otherTimesToLive?: readonly OtherTimeToLive[] | undefined;
  /** Whose writes the server does not take: they stay in the outbox, and are tried again with each connection. Left out: all are taken. */
  readonly denied?: readonly DeniedWrites[] | undefined;
}
/** `ok`, `low`: clean segments are being evicted. `full`: writes fail with STORAGE_FULL. */
export interface StorageStatus {
  readonly mode: 'indexeddb' | 'memory';
  readonly persisted: boolean;
  readonly usageBytes: number;
  readonly quotaBytes: number;
  readonly state: 'ok' | 'low' | 'full';
  readonly lossDetected: boolean;
}
export interface EmbeddingStatus {
  /** `off`: no field needs one, or none was needed yet. */
  readonly state: 'off' | 'loading' | 'ready' | 'failed';
  readonly model: string | null;
  /** What runs the model: WebGPU only where it was asked for and is there. Left out: none was loaded yet, or it is a function of the page. */
  readonly device?: 'wasm' | 'webgpu';
  readonly loadedBytes: number;
  readonly totalBytes: number | null;
  /** Entities done and still waiting since the last time none waited. */
  readonly done: number;
  readonly waiting: number;
  readonly paused: boolean;
  /** The last trouble; what may pass is tried again by itself. */
  readonly error: DbError | null;
}

/** Both are missing where the schema has no embedded field. Searches by meaning go on while the queue is paused. */
export interface EmbeddingStore extends Store<EmbeddingStatus> {
  /** Stops the queue, for all tabs: a batch under way is given up, its rows wait on. Not remembered when the database is closed. */
  readonly pause?: () => Promise<void>;
  /** Goes on, and tries again what failed. */
  readonly resume?: () => Promise<void>;
}
