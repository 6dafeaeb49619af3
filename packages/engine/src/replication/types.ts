import type { Frame, Hash64, Op, PrimaryKey, Timestamp } from '@terndb/core';
import type { Manifest } from '../manifest/types.ts';

/**
 * The engine of a device whose channels are led by a server: replicas are fed with frames, and the outbox is shown over them. The sync host
 * (client/sync) does the I/O and drives it; reads see base and overlay as one. A database may have channels of its own (local) beside followed ones.
 */

/** Where a followed channel belongs in the database. */
export interface FollowedPlace {
  /** The server's name for it: `<collectionId>/<partitionId>/<shard>`. */
  readonly channel: string;
  readonly collection: string;
  readonly partition: string;
  /** How long its entities live by the server's schema, which is what counts here; null: for ever. Left out: as the engine's schema says. */
  readonly ttlSeconds?: number | null;
}

/** One write of this device that the log has not confirmed at the applied position (R4). */
export interface OverlayEntry {
  /** Order of the writes of this device; an entry that is stamped anew keeps it. */
  readonly id: number;
  readonly op: Op;
  readonly hlc: Timestamp;
  /** Breaks ties of the stamp: the id the op was first written under, its origin's where it was queued again. */
  readonly clientId: string;
  /** Of the same origin: with it the base of collab updates to what the op puts. Left out: not known. */
  readonly seq?: number;
}

/** Takes validated writes into the outbox. */
export interface OutboxPort {
  /**
   * Synchronous: the entry is stamped and shown at once; `durable` settles when it is stored, and then the write is `local`. What is added in
   * one synchronous run belongs to one write and is stored in one transaction. `hlc`: the stamp of an op that was resolved by reading (a
   * delete by filter carries what it has seen, so that later edits survive); left out: a new one. Throws when not writable, and then for
   * every add of the run.
   */
  add(channel: string, op: Op, options?: { readonly hlc?: Timestamp }): { readonly entry: OverlayEntry; readonly durable: Promise<void> };
}

/** A replica that is built aside until it is swapped in (R6). */
export interface StagedReplica {
  readonly position: number;
  readonly maxHlc: Timestamp;
}

/** What one durable batch of the sync machine changes for readers, atomically (R5). In order. */
export type ReplicaChange =
  | { readonly type: 'frame'; readonly channel: string; readonly frame: Frame }
  /** The staged replica becomes the shown one. `logEpoch`: the universe it is of, which the frames and manifests of a restored log do not say. */
  | { readonly type: 'swap'; readonly channel: string; readonly fetch: number; readonly logEpoch: string }
  /** An entry that is new, or has another stamp or op than before. */
  | { readonly type: 'entry'; readonly channel: string; readonly entry: OverlayEntry }
  | { readonly type: 'entry-gone'; readonly channel: string; readonly id: number };

export interface FollowedState {
  readonly position: number;
  readonly hash: Hash64;
  readonly maxHlc: Timestamp;
  /** Rows and bytes beyond the adopted manifest: the host adopts a newer one when they grow. */
  readonly growingRows: number;
  readonly growingBytes: number;
  readonly logEpoch: string | null;
  /** Segments that could not be read when the channel was opened: their rows are missing until a bootstrap. */
  readonly quarantined: readonly string[];
  /** Segments that the host left out on purpose: rows are missing, and the hash is not the channel's. */
  readonly leftOut: readonly string[];
  /** Rows that are here, without the outbox, and about how many are not. */
  readonly liveRows: number;
  readonly missingRows: number;
}

/** A write of this device lost a field to a newer one (told once, in the order of the log). */
export interface Conflict {
  readonly channel: string;
  readonly key: PrimaryKey;
  readonly field: string;
  readonly kept: unknown;
  readonly lost: unknown;
}

export interface Replication {
  /**
   * Opens followed channels from storage: the adopted manifest (meta record and stream: `replication/stored.ts`), the stored tail, then the
   * overlay over it. Frames that do not follow on are skipped: what the replica then lacks is asked for again. While a partition is followed
   * its local channel, if it has one, is hidden. One that is followed already is opened anew, in place of what was shown. COLLECTION_UNKNOWN when the engine's schema does not have it; STORAGE_UNAVAILABLE, MEMORY_LIMIT.
   */
  open(places: readonly (FollowedPlace & { readonly logEpoch: string | null; readonly overlay: readonly OverlayEntry[] })[]): Promise<void>;
  /** The server lets the entities of a followed channel live otherwise; null: for ever. Shown at once, and told as a change of the whole partition. */
  setTimeToLive(channel: string, ttlSeconds: number | null): void;
  /** The channel is not followed any more; its rows are hidden. What is stored is the host's to delete. */
  leave(channel: string): void;
  state(channel: string): FollowedState | undefined;
  /** Applies a batch that is durable already. Returns channels whose replica did not have the hash the frame names (R13); those frames were applied. */
  apply(changes: readonly ReplicaChange[]): { readonly diverged: readonly string[] };
  /** Builds a replica aside under `fetch`: from a manifest whose objects are in the object store, but for the segments that are left out, or empty. */
  stage(
    channel: string,
    fetch: number,
    source: { readonly manifest: Manifest; readonly manifestObject: string; readonly leftOut?: readonly string[] } | 'empty',
  ): Promise<StagedReplica>;
  /**
   * Shows some segments of a manifest (by id) whose others are still on their way, in a channel that shows nothing yet: reads then have them at
   * the manifest's position, with a coverage below 1 and `degraded: 'bootstrapping'`, and the outbox over them. `state` does not speak of it. No
   * effect on a channel that is whole, or when more is shown already. CHECKSUM_MISMATCH, MEMORY_LIMIT, STORAGE_UNAVAILABLE.
   */
  preview(channel: string, manifest: Manifest, segments: readonly string[]): Promise<void>;
  stageFrame(fetch: number, frame: Frame): void;
  /** Nothing of it stays open. Absent is no error. */
  dropStaged(fetch: number): void;
  onConflict(listener: (conflict: Conflict) => void): () => void;
}
